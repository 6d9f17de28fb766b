// Package remote makes policies of modules that are reached by messages. What
// carries the messages is a Module: a WASM guest or a process. The messages, and
// what no answer can be, are the same for both and are dealt with here.
//
// Since everything that a module is told and answers passes through one small
// interface, recording it, or asking another module the same, is a Module around
// a Module.
package remote

import (
	"context"
	"strings"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Kind is a kind of policy.
type Kind uint8

// The kinds of policy.
const (
	KindConstraint Kind = iota
	KindFetch
	KindUpgrade
	KindHealth
	KindAdmission
	Kinds // how many there are
)

// String returns the kind in lower case.
func (k Kind) String() string {
	return [...]string{"constraint", "fetch", "upgrade", "health", "admission"}[k]
}

// Module is a policy module. Its methods may be called by many goroutines. Their
// errors are an *sdk.Invalid for what the user, or the operator, has to change; an
// *sdk.Fault of the module; or the context's.
type Module interface {
	// Description is what the module says of itself.
	Description() wire.Description
	// Prepare has the module take a spec of a kind other than KindAdmission. spec is
	// the module's to keep.
	Prepare(ctx context.Context, kind Kind, spec []byte) (Prepared, error)
	// Review asks about an AdmissionRequest. take is as in Prepared.Ask.
	Review(ctx context.Context, request []byte, take func(answer []byte) error) error
	// FuelUsed is all fuel used so far, in units of about an instruction; 0 where
	// nothing is metered.
	FuelUsed() int64
	// Close ends the module after the calls under way. What it prepared answers with
	// faults from then on. A further Close does nothing.
	Close(ctx context.Context) error
}

// Prepared is what a module has taken. It is used by one goroutine at a time.
type Prepared interface {
	// Traits are those of a constraint, 0 of the other kinds.
	Traits() sdk.Traits
	// Ask asks about an input that holds so many items (values, URIs, histories), on
	// which limits of work and of the answer's length depend. take gets the answer,
	// whose bytes are good until it returns; its error is a fault of the module, as
	// grave as a trap. take is called once, if at all.
	Ask(ctx context.Context, input []byte, items int, take func(answer []byte) error) error
	// Close releases what was prepared. It may be called once.
	Close()
}

// Metered is a Prepared that knows what its last call cost: that of its preparation, or
// the last Ask. FuelUsed of the module has what others use meanwhile, too.
type Metered interface{ LastFuel() int64 }

// Names are the names under which the module offers policies of a kind.
func Names(m Module, kind Kind) []string { return NamesIn(m.Description(), kind) }

// NamesIn are the names of policies of a kind that a description has.
func NamesIn(d wire.Description, kind Kind) []string {
	return [Kinds][]string{d.Operators, d.Fetchers, d.Strategies, d.Rules, d.Admission}[kind]
}

// isLine tells whether the text is one line already. It knows ASCII alone.
func isLine(text string) bool {
	blank := true // as before the first word
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c >= 0x7f || c == ' ' && blank {
			return false
		}
		blank = c == ' '
	}
	return len(text) <= maxReason && (!blank || text == "")
}

// maxReason is how long a text for people may be, in bytes.
const maxReason = 1024

// line makes a text for people one line that is not too long.
func line(text string) string {
	if isLine(text) {
		return text // as nearly all are, without an allocation
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= maxReason {
		return text
	}
	return strings.ToValidUTF8(text[:maxReason], "") + "…"
}
