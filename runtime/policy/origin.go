package policy

import (
	"cmp"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// builtinName is the name of the policies that are part of Pacer.
const builtinName = "builtin"

// State is how far a module has come.
type State uint8

// The states of a module.
const (
	Loading State = iota
	Active
	Failed      // it is not used; Module.Error says why
	Quarantined // it failed too often, and is tried now and then
	Shadowing   // it is asked beside another module
	Disabled    // it is not loaded, as the operator wants it
	Missing     // the last leader had it, and it is not here; see Catalog.Compare
)

// String returns the state in lower case.
func (s State) String() string {
	return [...]string{"loading", "active", "failed", "quarantined", "shadow", "off", "missing"}[s]
}

// origin is one source of policies: a module, or what is built in of one kind.
type origin struct {
	catalog *Catalog
	builtin bool
	kind    remote.Kind // of what is built in
	// name is by which the API knows a module; file is its base name, of one of
	// Config.Dir.
	name, file string
	hear       listeners
	log        *slog.Logger

	// The catalog's lock guards these.
	config ModuleConfig
	// wanted is what the operator's list says and could not be taken over so far; nil
	// when config has it.
	wanted   *ModuleConfig
	state    State // Active also while it is in quarantine
	cause    string
	digest   string   // of what could not be loaded
	current  *version // nil: built in, or not loaded
	fallback *version // pinned: what was used before; nil for none
	seen     string   // the mark by which a change is told
	names    []string // of what is built in
	shadow   *shadow  // while it shadows
	notice   string   // what happened to it last: a reload that failed, a rollback
	reloads  int
	returned bool    // the operator's rollback was taken already
	left     string  // the content of the version that was gone back from; "" for none
	differs  string  // how it is another one than the last leader's; "" when it is not
	choice   *Choice // beside the operator's list; nil for none
	// had and label are the names and the label of the version that was in use last;
	// "" before there was one.
	had     [remote.Kinds][]string
	label   string
	removed bool // its file is gone

	calls, faults, traps, passedOver, refused atomic.Uint64

	mu       sync.Mutex
	last     *LastFault
	loggedAt [remote.Kinds]time.Time // when a fault of the kind was logged last
}

// LastFault is the fault that came last.
type LastFault struct {
	At     time.Time
	Kind   string
	Module string // name@version
	App    string // "" when it was about none
	Cause  string
	Trap   bool // as sdk.Fault has it
}

// logEvery keeps a module that fails again and again from filling the log. Kinds are
// told apart: who waits for an upgrade does not look for faults of constraints.
const logEvery = 10 * time.Second

// remember keeps the last fault, and says whether it is one to be told.
func (o *origin) remember(kind remote.Kind, last LastFault) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = &last
	if at := o.loggedAt[kind]; !at.IsZero() && last.At.Sub(at) < logEvery {
		return false
	}
	o.loggedAt[kind] = last.At
	return true
}

func (o *origin) lastFault() *LastFault {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// because is the cause of the last fault, for the text of a refusal.
func (o *origin) because() string {
	if last := o.lastFault(); last != nil {
		return " (" + last.Cause + ")"
	}
	return ""
}

// asked is how the operator's list wants the module. The caller holds the catalog's
// lock, or loads.
func (o *origin) asked() ModuleConfig {
	if o.wanted != nil {
		return *o.wanted
	}
	return o.config
}

func (o *origin) now() time.Time { return o.catalog.config.Now() }

// id is the name by which the API knows the origin. It does not change.
func (o *origin) id() string {
	if o.builtin {
		return builtinName + "-" + o.kind.String()
	}
	return o.name
}

// where is how people find the module: its file, or its name in the list.
func (o *origin) where() string { return cmp.Or(o.file, o.name) }

func (o *origin) notify(e Event) {
	if notify := o.catalog.config.Notify; notify != nil {
		notify(e)
	}
}

func (c *Catalog) stateOf(o *origin) State {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return o.state
}

// tripped puts a version into quarantine, or goes back to the one before.
func (o *origin) tripped(v *version) {
	cause := ""
	if last := o.lastFault(); last != nil {
		cause = last.Cause
	}
	o.catalog.announce(slog.LevelError, o, v, Quarantined, cause)
	o.catalog.rollBack(o, v, cause)
}

// recovered ends the quarantine. What could not be prepared meanwhile may be now.
func (o *origin) recovered(v *version) {
	o.catalog.mu.Lock()
	o.catalog.changed(nil)
	o.catalog.mu.Unlock()
	o.catalog.announce(slog.LevelInfo, o, v, o.catalog.stateOf(o), "it works again")
}

// Names of events.
const (
	EventFault = "policy_fault_event" // a module failed; of many in a row, one in 10 s
	EventState = "policy_state_event" // a module's state, or its version, is another one
)

// Event is something that happened to a module.
type Event struct {
	Name    string // EventFault or EventState
	Module  string // the name by which the API knows it
	Version string
	Digest  string // of the version; "" before there is one
	Kind    string // of a fault
	App     string // of a fault
	State   string // of a change of state
	Cause   string // of the fault, or why the state is what it is; may be ""
	Trap    bool   // of a fault, as sdk.Fault has it
	Faults  uint64 // of a fault: so many there were
}
