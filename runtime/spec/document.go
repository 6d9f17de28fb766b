package spec

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The keys of the API for a field of the wrong form.
const (
	keyString  = "error.expected.jsstring"
	keyNumber  = "error.expected.jsnumber"
	keyBoolean = "error.expected.jsboolean"
	keyArray   = "error.expected.jsarray"
	keyObject  = "error.expected.jsobject"
	keyInt     = "error.expected.int"
	keyDate    = "error.expected.date.isoformat"
	keyMin     = "error.min"
	keyMax     = "error.max"
	keyMinLen  = "error.minLength"
	keyPattern = "error.pattern"
	keyEnum    = "error.unknown.enum.literal"
)

// parseDocument reads exactly one JSON value. The error is a *SyntaxError.
func parseDocument(data []byte) (any, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, &SyntaxError{Empty: true, Detail: "No content to map due to end-of-input"}
	}
	if err := checkUTF8(data); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, &SyntaxError{Detail: err.Error()}
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, &SyntaxError{Detail: "unexpected text after the end of the document"}
	}
	return value, checkEscapes(data)
}

// reading collects what is wrong while a document is taken apart. A document
// with a fault of form is not looked at any further, so the two kinds are apart.
type reading struct {
	form    Faults // a field is not what its type says
	rules   Faults // well-formed, but not allowed
	unknown []string
	stored  bool // the document is a record of ours: its text is taken as it is
}

func newReading() *reading {
	return &reading{form: Faults{Message: MessageInvalidJSON}, rules: Faults{Message: MessageInvalidObject}}
}

// object is one JSON object of a document. Its methods return nil for a field
// that is absent, null or of a wrong form; the last is noted.
type object struct {
	*reading
	path   string // "" for the document itself
	fields map[string]any
	known  map[string]bool
}

// object takes a value as an object. A wrong form gives an object without
// fields, so that callers need no second way.
func (r *reading) object(path string, value any) *object {
	fields, ok := value.(map[string]any)
	if !ok {
		r.form.Add(orRoot(path), keyObject)
	}
	return &object{reading: r, path: path, fields: fields, known: map[string]bool{}}
}

// orRoot is how a fault of a whole document is placed.
func orRoot(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// take returns a field that is neither absent nor null, and its path.
func (o *object) take(name string) (value any, path string, ok bool) {
	o.known[name] = true
	value = o.fields[name]
	return value, o.path + "/" + name, value != nil
}

// ignore marks fields that are understood and have no effect.
func (o *object) ignore(names ...string) {
	for _, name := range names {
		o.known[name] = true
	}
}

// finish notes the fields that nobody asked for.
func (o *object) finish() {
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		if !o.known[name] {
			o.unknown = append(o.unknown, strings.TrimPrefix(o.path+"/"+name, "/"))
		}
	}
}

// missing notes that a field that must be there is not.
func (o *object) missing(name string) {
	text, err := json.Marshal(o.fields)
	if err != nil || len(text) > maxQuoted {
		text = []byte("{…}")
	}
	o.form.Add(o.path+"/"+name, "'"+name+"' is undefined on object: "+string(text))
}

// maxQuoted bounds how much of a body an error repeats, in bytes.
const maxQuoted = 1000

// text reads a string of at least minLength bytes.
func (o *object) text(name string, minLength int) *string {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	s, ok := value.(string)
	switch {
	case !ok:
		o.form.Add(path, keyString)
		return nil
	case len(s) < minLength:
		o.form.Add(path, keyMinLen)
		return nil
	case o.hasNUL(s):
		o.rules.Add(path, messageNUL)
	}
	return &s
}

// enum reads one of the literals in any case and returns it as it is spelled there.
func (o *object) enum(name string, literals ...string) *string {
	s := o.text(name, 0)
	if s == nil {
		return nil
	}
	for _, literal := range literals {
		if strings.EqualFold(*s, literal) {
			return &literal
		}
	}
	o.form.Add(o.path+"/"+name, keyEnum)
	return nil
}

// boolean reads true or false.
func (o *object) boolean(name string) *bool {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	b, ok := value.(bool)
	if !ok {
		o.form.Add(path, keyBoolean)
		return nil
	}
	return &b
}

// number reads a number within the bounds, both inclusive.
func (o *object) number(name string, least, most float64) *float64 {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	return o.checkNumber(path, value, least, most)
}

func (r *reading) checkNumber(path string, value any, least, most float64) *float64 {
	n, ok := value.(json.Number)
	if !ok {
		r.form.Add(path, keyNumber)
		return nil
	}
	f, _ := strconv.ParseFloat(n.String(), 64) // too large a number is an infinity, which no bound admits
	switch {
	case f > most:
		r.form.Add(path, keyMax)
	case f < least:
		r.form.Add(path, keyMin)
	default:
		return &f
	}
	return nil
}

// integer reads a whole number from 0 to most. Like the
// API's own parser it takes 3.0 for 3.
func (o *object) integer(name string, most int) *int {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	return o.checkInteger(path, value, most)
}

// checkInteger refuses fractions and what does not fit the API's 32 bits before it
// looks at the bounds, which are 0 and most.
func (r *reading) checkInteger(path string, value any, most int) *int {
	n, ok := value.(json.Number)
	if !ok {
		r.form.Add(path, keyNumber)
		return nil
	}
	f, err := strconv.ParseFloat(n.String(), 64)
	switch i := int(f); {
	case err != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32:
		r.form.Add(path, keyInt)
	case i < 0:
		r.form.Add(path, keyMin)
	case i > most:
		r.form.Add(path, keyMax)
	default:
		return &i
	}
	return nil
}
