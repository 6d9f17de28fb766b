package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// Ref says where a version of a module is, and which one it has to be.
type Ref struct {
	Ref    string // file:…, oci:… or oci-layout:…
	Digest string // sha256 in hexadecimal; "" for any
}

// Mode is what a module's answers are used for.
type Mode uint8

// The modes.
const (
	Enforce Mode = iota
	Shadow       // it is asked what another module is asked, to compare the answers
	Off          // it is not loaded
)

// String returns the mode in lower case.
func (m Mode) String() string { return [...]string{"enforce", "shadow", "off"}[m] }

// Backends of modules.
const (
	BackendWASM    = "wasm"
	BackendProcess = "process"
)

// How instances of WASM modules are used.
const (
	IsolationPooled = "pooled" // for many calls
	IsolationFresh  = "fresh"  // for one call each
)

// ModuleConfig is one module as the operator wants it.
type ModuleConfig struct {
	Name string // by which the API knows it; no two modules have the same
	File string // base name, of a module of Config.Dir; otherwise ""
	Ref
	Backend   string // BackendWASM, BackendProcess; "" means WASM
	Args      []string
	Files     []artifact.AttachmentRef // of a process that is a file: what lies beside it
	Env       []Variable               // of a process: all of its environment but the protocol's own
	Grants    []string                 // groups of host functions that it may use
	Settings  json.RawMessage
	Limits    Limits
	Instances int    // that work at the same time; 0 means the host's default
	Isolation string // IsolationPooled, which "" is as well, or IsolationFresh
	Mode      Mode
	Of        string // the Name of the module that a shadow is compared with
	OfFile    string // the File of that one; the Catalog sets it for its Loader
	// OnFailure is for those kinds of the module that know the way; FailureOf is for one
	// kind, and goes before it. ByKind leaves it to the kind.
	OnFailure OnFailure
	FailureOf [remote.Kinds]OnFailure
	// MaxStaleness is how long verdicts on health stay while the module that is to judge
	// fails; then the built-in rule judges. 0 means the default.
	MaxStaleness time.Duration
	Optional     bool // the start goes on without it
	Rollback     Ref  // what to go back to after too many faults; the zero value for what was loaded before
}

// runsAs tells whether the same bytes would do the same by either configuration.
func (m ModuleConfig) runsAs(other ModuleConfig) bool {
	return bytes.Equal(m.Settings, other.Settings) && slices.Equal(m.Args, other.Args) && slices.Equal(m.Env, other.Env)
}

// Variable is one of the environment of a process.
type Variable struct {
	Name  string
	Value string
	// Inherit takes the value that Pacer's own environment has when the process is
	// started, so that a secret need not be in a file.
	Inherit bool
}

// Limits are an operator's caps on a module; 0 is the host's default. Fuel is in
// units of about an instruction.
type Limits struct {
	MemoryPages uint32 // of an instance, 64 KiB each
	StartFuel   int64  // until an instance is ready
	PrepareFuel int64  // to prepare once
	BaseFuel    int64  // of a question
	ItemFuel    int64  // of a question, for each item it is about
	CallFuel    int64  // of a question at most
	ReplyBytes  int    // of an answer, besides what its items need
}

// Loader gets modules ready. It is used by one goroutine at a time.
type Loader interface {
	// Load gets the version of the module that ref names, checked, started, described
	// and configured. Loaded may hold the digest of one that failed.
	Load(ctx context.Context, m ModuleConfig, ref Ref) (Loaded, error)
	// Mark is another one when Load might find another version than before; "" when
	// that cannot be told cheaply.
	Mark(ctx context.Context, m ModuleConfig) (string, error)
	// Close frees what the loader holds, after its modules were closed.
	Close(ctx context.Context) error
}

// Loaded is a module that is ready.
type Loaded struct {
	Module  remote.Module
	Digest  string // sha256, hexadecimal
	Signer  string // who signed it, as far as that was looked at
	Backend string // BackendWASM or BackendProcess
	Content string // another one when any byte of it is; "" stands for Digest
	// Vouch tells whether it may be used as that module now, by its Name and File: whom
	// to trust may have changed since it was loaded. nil: it may.
	Vouch func(as ModuleConfig) error
}
