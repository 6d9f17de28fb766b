package scheduler

import (
	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Notice is something that happened, for the listeners of the event stream. The
// set is closed.
//
//sumtype:decl
type Notice interface{ notice() }

// Registered: the first subscription of this term was taken.
type Registered struct{ FrameworkID, Master string }

// Reregistered: a later subscription was taken.
type Reregistered struct{ Master string }

// MasterLost: the subscription is gone.
type MasterLost struct{}

// StatusApplied: a status of a known task was applied.
type StatusApplied struct {
	At       spec.Timestamp
	Instance *Instance // as it is after the status
	TaskID   string
	State    TaskState
	Message  string
	AgentID  string
}

// InstanceChanged: an instance's condition or goal changed.
type InstanceChanged struct {
	At       spec.Timestamp
	Instance *Instance
}

// HealthChanged: whether an instance is healthy changed.
type HealthChanged struct {
	At       spec.Timestamp
	Instance *Instance
}

// UnknownTerminated: a terminal status came for an instance nobody knows.
type UnknownTerminated struct {
	At         spec.Timestamp
	InstanceID string
	SafePath   string // the app's path in the form of task ids; the path itself is not known
	Condition  Condition
}

// GroupChanged: a change of the apps below a path was accepted.
type GroupChanged struct {
	At      spec.Timestamp
	Group   spec.PathID
	Version spec.Timestamp
}

// ChangeRefused: a change was refused for what only the core could see.
type ChangeRefused struct {
	At      spec.Timestamp
	Group   spec.PathID
	Version spec.Timestamp // that it would have had
	Reason  string
}

// StepBegun: a deployment's step begins. It is the API's deployment_info.
type StepBegun struct {
	At   spec.Timestamp
	Plan *deployment.Plan
	Step int // index into Plan.Steps
}

// StepEnded: a deployment's step is done.
type StepEnded struct {
	At   spec.Timestamp
	Plan *deployment.Plan
	Step int
}

// StepFailed: a deployment ended in the middle of a step.
type StepFailed struct {
	At   spec.Timestamp
	Plan *deployment.Plan
	Step int
}

// DeploymentEnded: a deployment succeeded, or failed for a reason.
type DeploymentEnded struct {
	At     spec.Timestamp
	Plan   *deployment.Plan
	Failed bool
	Reason string // "" when it succeeded
}

// UpgradePaused: a strategy stopped the upgrade of an app.
type UpgradePaused struct {
	At     spec.Timestamp
	Plan   *deployment.Plan
	App    spec.PathID
	Reason string
}

// UpgradeResumed: a paused upgrade goes on.
type UpgradeResumed struct {
	At       spec.Timestamp
	Plan     *deployment.Plan
	App      spec.PathID
	Promoted bool // somebody said so; false: its strategy did
}

// AppTerminated: an app was removed and its last instance is gone.
type AppTerminated struct {
	At  spec.Timestamp
	App spec.PathID
}

func (Registered) notice()        {}
func (Reregistered) notice()      {}
func (MasterLost) notice()        {}
func (StatusApplied) notice()     {}
func (InstanceChanged) notice()   {}
func (UnknownTerminated) notice() {}
func (GroupChanged) notice()      {}
func (ChangeRefused) notice()     {}
func (StepFailed) notice()        {}
func (HealthChanged) notice()     {}
func (StepBegun) notice()         {}
func (StepEnded) notice()         {}
func (DeploymentEnded) notice()   {}
func (AppTerminated) notice()     {}
func (UpgradePaused) notice()     {}
func (UpgradeResumed) notice()    {}
