package api

import "time"

// Module is a policy module as operators see it.
type Module struct {
	ID         string            `json:"id,omitempty"` // by which /pacer/v1/policies/{id} finds it
	Name       string            `json:"name"`         // what it calls itself
	Version    string            `json:"version"`
	Kind       string            `json:"kind"`                // "constraint", "upgrade", "health", "fetch" or "admission"; the first one of several
	Kinds      []string          `json:"kinds,omitempty"`     // all of which it offers something
	Form       string            `json:"form"`                // "builtin", "wasm" or "process"
	File       string            `json:"file,omitempty"`      // its base name; empty for builtins
	Ref        string            `json:"ref,omitempty"`       // where it comes from; empty for builtins
	Digest     string            `json:"digest,omitempty"`    // of the module's file; empty for builtins
	Signer     string            `json:"signer,omitempty"`    // the names of the keys that signed it
	Fetchers   []string          `json:"fetchers,omitempty"`  // names of fetch policies
	Admitters  []string          `json:"admitters,omitempty"` // names of admission policies
	Operators  []string          `json:"operators,omitempty"`
	Strategies []string          `json:"strategies,omitempty"`
	Rules      []string          `json:"rules,omitempty"`
	Loaded     bool              `json:"loaded"`
	State      string            `json:"state,omitempty"`     // "loading", "active", "failed", "quarantined", "shadow", "off" or "missing"
	Mode       string            `json:"mode,omitempty"`      // as the operator wants it: "enforce", "shadow" or "off"; empty for builtins
	Of         string            `json:"of,omitempty"`        // of a shadow: the module that it is compared with
	OnFailure  map[string]string `json:"onFailure,omitempty"` // by kind: "closed", "hold", "static" or "open"
	Optional   bool              `json:"optional,omitempty"`  // the server starts without it
	Env        []string          `json:"env,omitempty"`       // names of the variables that a process is given, never their values
	Error      string            `json:"error,omitempty"`     // why it is not loaded, or its last fault
	Notice     string            `json:"notice,omitempty"`    // what was done about it last: a reload that failed, a rollback
	Calls      uint64            `json:"calls"`
	Faults     uint64            `json:"faults"`               // calls in which it did not do its work
	Traps      uint64            `json:"traps"`                // faults in which its code came to no orderly end
	PassedOver uint64            `json:"passedOver,omitempty"` // changes that went through although it failed to review them
	Removed    bool              `json:"removed,omitempty"`    // its file is gone; it stays in use until the process ends
	// MaxStaleness is after how many seconds of failures the built-in rule judges
	// health in its place; of a module that has rules.
	MaxStaleness float64 `json:"maxStaleness,omitempty"`
	Refused      uint64  `json:"refused,omitempty"`  // calls that were not made, because it is in quarantine
	Fuel         int64   `json:"fuel,omitempty"`     // used in all, about one unit for an instruction; 0 for builtins
	Reloads      int     `json:"reloads,omitempty"`  // that took place
	Rollback     string  `json:"rollback,omitempty"` // digest of the version to go back to

	LastFault *ModuleFault   `json:"lastFault,omitempty"`
	Choice    *ModuleChoice  `json:"choice,omitempty"`  // what holds beside policies.yaml, by a request
	Differs   string         `json:"differs,omitempty"` // how it is another one than that of the last leader
	Breaker   *ModuleBreaker `json:"breaker,omitempty"` // of a module that is loaded
	Cost      *ModuleCost    `json:"cost,omitempty"`    // likewise
	Compared  *ModuleShadow  `json:"compared,omitempty"`
}

// ModuleFault is a call in which a module did not do its work.
type ModuleFault struct {
	At     time.Time `json:"at"`
	Module string    `json:"module"` // name@version
	Kind   string    `json:"kind"`
	App    string    `json:"app,omitempty"`
	Cause  string    `json:"cause"`
	Trap   bool      `json:"trap,omitempty"` // its code came to no orderly end
}

// ModuleChoice is what was chosen by a request. It holds for every leader, until the
// module's line in policies.yaml becomes another one, or it is changed back.
type ModuleChoice struct {
	Mode string    `json:"mode"`           // "enforce", "shadow" or "off"
	Of   string    `json:"of,omitempty"`   // of a shadow
	From string    `json:"from,omitempty"` // of a promotion: the shadow
	At   time.Time `json:"at"`
}

// ModuleBreaker says whether a module is in quarantine.
type ModuleBreaker struct {
	State   string     `json:"state"`             // "closed": it is asked; "open": it is tried now and then
	NextTry *time.Time `json:"nextTry,omitempty"` // of an open one
}

// ModuleCost is what the calls of a module take: half of them no more than P50, all
// but a hundredth no more than P99. The numbers are right within a fifth.
type ModuleCost struct {
	FuelP50   int64   `json:"fuelP50"`
	FuelP99   int64   `json:"fuelP99"`
	MicrosP50 float64 `json:"microsP50"`
	MicrosP99 float64 `json:"microsP99"`
}

// ModuleShadow is what comparing a candidate has come to.
type ModuleShadow struct {
	Compared      uint64  `json:"compared"`      // answers
	Disagreements uint64  `json:"disagreements"` // of these
	Distinct      int     `json:"distinct"`      // different inputs of the disagreements
	Dropped       uint64  `json:"dropped"`       // calls that it did not keep up with
	Faults        uint64  `json:"faults"`        // calls in which the candidate failed
	FuelRatio     float64 `json:"fuelRatio"`     // of the candidate's to the other's; 0 while nothing is known
	TimeRatio     float64 `json:"timeRatio"`
}

// ModuleDisagreement is a call that a candidate and the module in use answered
// differently. Bytes are the messages of sdk/policy.proto.
type ModuleDisagreement struct {
	At             time.Time `json:"at"`
	Kind           string    `json:"kind"`
	Call           string    `json:"call"`            // "prepare", "ask" or "review"
	Items          int       `json:"items,omitempty"` // values, URIs or histories in the input
	Spec           []byte    `json:"spec,omitempty"`  // what was prepared
	Input          []byte    `json:"input,omitempty"`
	Answer         []byte    `json:"answer,omitempty"`    // of the module in use
	Cause          string    `json:"cause,omitempty"`     // why it gave none
	Candidate      []byte    `json:"candidate,omitempty"` // the candidate's answer
	CandidateCause string    `json:"candidateCause,omitempty"`
}

// ModuleUnknown is the error of a PolicyModules for a name that no module has.
type ModuleUnknown struct{ Name string }

// Error names it.
func (e *ModuleUnknown) Error() string { return "There is no policy module " + e.Name + "." }

// ModuleRefusal is the error of a PolicyModules for what a module cannot follow as it
// is now.
type ModuleRefusal struct{ Message string }

// Error says why.
func (e *ModuleRefusal) Error() string { return e.Message }

// PolicyEvent is something that happened to a policy module.
type PolicyEvent struct {
	Type    string // "policy_fault_event" or "policy_state_event"
	Module  string // its id
	Version string
	Digest  string // of the version
	Kind    string // of a fault
	App     string // of a fault; "" when it was about none
	State   string // of a change of state
	Cause   string
	Trap    bool   // of a fault: its code came to no orderly end
	Faults  uint64 // of a fault: so many there were
}

// policyFaulted is the body of a policy_fault_event.
type policyFaulted struct {
	head
	Module  string `json:"module"`
	Version string `json:"version"`
	Digest  string `json:"digest,omitempty"`
	Kind    string `json:"kind"`
	AppID   string `json:"appId,omitempty"`
	Cause   string `json:"cause"`
	Trap    bool   `json:"trap"`
	Faults  uint64 `json:"faults"`
}

// policyChanged is the body of a policy_state_event.
type policyChanged struct {
	head
	Module  string `json:"module"`
	Version string `json:"version,omitempty"`
	Digest  string `json:"digest,omitempty"`
	State   string `json:"state"`
	Cause   string `json:"cause,omitempty"`
}

// PublishPolicy hands out what happened to a policy module.
func (e *Events) PublishPolicy(p PolicyEvent) {
	e.publish(p.Type, func(h head) any {
		if p.State != "" {
			return policyChanged{h, p.Module, p.Version, p.Digest, p.State, p.Cause}
		}
		return policyFaulted{h, p.Module, p.Version, p.Digest, p.Kind, p.App, p.Cause, p.Trap, p.Faults}
	})
}
