// Package sdk is the contract between Pacer and policy modules.
//
// A policy kind is one Go interface. Values of it come from three places: code
// built into Pacer (plugins/…), WASM modules and separate processes; the callers
// cannot tell which. The package depends on the standard library alone, so that
// a module's author pulls in nothing else.
package sdk

import "strings"

// Unlimited is the quota that never runs out.
const Unlimited = ^uint32(0)

// AbsentSlot is the place in every column's dictionary that stands for "the
// agent does not have this field". It always exists, whether used or not.
const AbsentSlot = 0

// Names of the fields that come from an offer itself and not from an agent
// attribute. "hostname" is accepted as another spelling of FieldHostname.
const (
	FieldHostname = "@hostname"
	FieldRegion   = "@region"
	FieldZone     = "@zone"
)

// Invalid is the answer of Prepare to a constraint, or an upgrade, that its
// author has to change: it is shown to the user as it is. Any other error is a
// fault of the module.
type Invalid struct {
	Message string
}

// Error returns the message for the user.
func (e *Invalid) Error() string { return e.Message }

// Fault is a module that did not do its work: it trapped, ran out of fuel or
// time, or answered something that cannot be. It is never a verdict about offers.
type Fault struct {
	Module string // name@version, or "builtin"
	Kind   string // of the policy that was asked; the host says it
	Cause  string // one line, for a person
	// Trap: the module's code came to no orderly end. It trapped, ran out of fuel,
	// memory or time, its process ended, or nobody can read what it answered; as
	// against an error that it answered itself. What ran the code is not used again.
	Trap bool
}

// Error names the module and the cause.
func (e *Fault) Error() string { return "policy module " + e.Module + ": " + e.Cause }

// CanonicalOperator is the form in which operator names are stored and compared.
func CanonicalOperator(name string) string { return strings.ToUpper(strings.TrimSpace(name)) }

// CanonicalStrategy is the form in which names of upgrade strategies are compared.
func CanonicalStrategy(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// CanonicalField maps the two spellings of the host name's field to one.
func CanonicalField(name string) string {
	if name == "hostname" {
		return FieldHostname
	}
	return name
}
