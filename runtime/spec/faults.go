package spec

import (
	"slices"
	"strings"
)

// Messages of Faults: the first says that a field has the wrong form, the
// second that well-formed fields break a rule.
const (
	MessageInvalidJSON   = "Invalid JSON"
	MessageInvalidObject = "Object is not valid"
)

// Fault is all that is wrong at one place of a document. Path is in the form of
// the API: "/upgradeStrategy/maximumOverCapacity", "/constraints(0)", and "/"
// for the whole.
type Fault struct {
	Path   string   `json:"path"`
	Errors []string `json:"errors"`
}

// Faults is everything that is wrong with a document, found in one go. It has
// one Fault per path, in the order in which the paths were found.
type Faults struct {
	Message string // MessageInvalidJSON or MessageInvalidObject
	Details []Fault
}

// Error puts all faults on one line.
func (f *Faults) Error() string {
	parts := make([]string, len(f.Details))
	for i, d := range f.Details {
		parts[i] = d.Path + ": " + strings.Join(d.Errors, ", ")
	}
	return f.Message + ": " + strings.Join(parts, "; ")
}

// mostFaults bounds an answer: nobody reads more, and a body of a million wrong
// items must not cost more than it took to send.
const mostFaults = 1000

// Add notes a message at a path. A message that is there already is not
// repeated, and those beyond the bound are dropped.
func (f *Faults) Add(path, message string) {
	if len(f.Details) == mostFaults {
		return
	}
	for i := range f.Details {
		if f.Details[i].Path != path {
			continue
		}
		if errs := f.Details[i].Errors; len(errs) < mostFaults && !slices.Contains(errs, message) {
			f.Details[i].Errors = append(f.Details[i].Errors, message)
		}
		return
	}
	f.Details = append(f.Details, Fault{Path: path, Errors: []string{message}})
}

// Merge notes the faults of a part of the document, which is at prefix; "" is the
// whole.
func (f *Faults) Merge(prefix string, part *Faults) {
	for _, d := range part.Details {
		path := prefix + d.Path
		if d.Path == "/" {
			path = orRoot(prefix)
		}
		for _, message := range d.Errors {
			f.Add(path, message)
		}
	}
}

// Err returns f, or nil when nothing was added.
func (f *Faults) Err() error {
	if len(f.Details) == 0 {
		return nil
	}
	return f
}

// NewFault returns Faults with one message about the values of a document.
func NewFault(path, message string) *Faults {
	f := &Faults{Message: MessageInvalidObject}
	f.Add(path, message)
	return f
}

// SyntaxError is a text that is not JSON at all.
type SyntaxError struct {
	Empty  bool   // there was no text
	Detail string // the parser's words
}

// Error says what the parser said.
func (e *SyntaxError) Error() string { return "invalid JSON: " + e.Detail }
