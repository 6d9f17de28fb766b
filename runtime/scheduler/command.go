package scheduler

import (
	"fmt"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

// RequestID joins a command to its reply. The driver numbers them.
type RequestID uint64

// ChangeTree asks for new definitions of apps and groups and the removal of
// others, as one deployment. Either all of it is accepted or none. No app and no
// group may be named twice.
type ChangeTree struct {
	Request      RequestID
	DeploymentID string // UUID, chosen by the driver
	Put          []PutApp
	Remove       []spec.PathID // apps
	PutGroups    []PutGroup    // groups above new apps need not be named
	RemoveGroups []spec.PathID // whose members are removed by the same command
	// Restart names apps whose instances are replaced although nothing changes.
	Restart []spec.PathID
	// Kill names instances that end for good: their apps are scaled down by as many.
	Kill []UUID
	// Reviewed is what somebody looked at who could have refused the change; nil when
	// nobody did. When it is not so any more the command is refused with Stale.
	Reviewed *Reviewed
	Force    bool // cancel the deployments that hold a lock on these apps
	// Group is what the change is about, for those who listen. "" means the group
	// of the one app, else the root.
	Group spec.PathID
	Terms Terms
	// Rehearse has the change checked and planned, and nothing changed: the reply
	// has a Rehearsal. Only locks do not refuse a rehearsal.
	Rehearse bool
	// Basis is of an earlier rehearsal: when it would be another one now the command
	// is refused with Outdated. The zero value asks for none.
	Basis Basis
	// Members is a group of which every member counts for the basis; "" for none.
	Members spec.PathID
}

// PutApp is one new definition. The core sets its version and service ports.
type PutApp struct {
	App *spec.App
	// Base is the version the definition was derived from, 0 when the app must
	// not exist. When it is not the current one the command is refused with
	// Stale (or Exists), and the caller derives anew.
	Base spec.Timestamp
	// Restart has the instances replaced whatever has changed.
	Restart bool
}

// Reviewed is what a change was reviewed against.
type Reviewed struct {
	Tree spec.Timestamp // the version of the tree
	// Kept says with how many instances the apps of killed ones are left.
	Kept map[spec.PathID]int
}

// PutGroup is what a group says of itself from now on.
type PutGroup struct {
	Group *spec.Group
	// Base is what it was derived from, nil when the group must not exist. When
	// it is not the current one the command is refused with Stale.
	Base *spec.Group
}

// Terms are what a deployment was asked for with.
type Terms struct {
	Timeout  time.Duration // the deployment fails after it; 0: never
	RollBack bool          // and is undone then
	By       Author
}

// Author is who asked for a change; "" is not known.
type Author struct{ User, Address string }

// CancelDeployment ends a deployment: where it is when forced, else by another
// deployment, DeploymentID, that undoes it.
type CancelDeployment struct {
	Request      RequestID
	ID           string
	DeploymentID string
	Force        bool
	Reviewed     *Reviewed // as in ChangeTree
	// Terms are those of the deployment that undoes the other. It is not undone in
	// turn: RollBack has no effect.
	Terms Terms
}

// SetEnforceRole says whether services of a top-level group have its name as
// their role. It makes no deployment and no version.
type SetEnforceRole struct {
	Request RequestID
	Group   spec.PathID
	Enforce bool
	// Reviewed is as in ChangeTree.
	Reviewed *Reviewed
}

// KillInstances ends tasks. Their instances are launched again, or, when wiped,
// forgotten at once: the app gets others for them.
type KillInstances struct {
	Request   RequestID
	Instances []UUID // unknown ones are left out
	Wipe      bool
}

// ResetDelay lets the waiting instances of an app look for places at once.
type ResetDelay struct {
	Request RequestID
	App     spec.PathID
}

// Promote lets upgrades go on that their strategies have paused: that of an app, or
// all of a deployment. One of the two is "".
type Promote struct {
	Request    RequestID
	App        spec.PathID
	Deployment string
}

// Reply answers a command. Err is nil when it was accepted, else one of the
// refusals of this package, a *deployment.CycleError, or *spec.Faults of the tree
// as it would be.
type Reply struct {
	Request      RequestID
	DeploymentID string
	Version      spec.Timestamp
	Apps         []*spec.App // the definitions as accepted, in the order of Put
	Killed       []*Instance // of KillInstances, as they were before
	Rehearsal    *Rehearsal  // of a ChangeTree that asked for it
	Err          error
}

// Exists refuses the creation of an app that is there already.
type Exists struct{ App spec.PathID }

// NotFound refuses a change of an app that is not there.
type NotFound struct{ App spec.PathID }

// Stale refuses a change that was derived from an outdated version.
type Stale struct{ App spec.PathID }

// Locked refuses a change of apps that other deployments are changing.
type Locked struct{ Deployments []string }

// TooManyDeployments refuses a change while Limit deployments run.
type TooManyDeployments struct{ Limit int }

// PortsExhausted refuses an app for which no service port is left.
type PortsExhausted struct{ First, Last int }

// GroupNotFound refuses a change of a group that is not there.
type GroupNotFound struct{ Group spec.PathID }

// DeploymentNotFound refuses to cancel a deployment that is not under way.
type DeploymentNotFound struct{ ID string }

// NotWaiting refuses to reset the delay of an app that waits for nothing.
type NotWaiting struct{ App spec.PathID }

// NotPaused refuses to promote where nothing is paused. Its fields are those of
// the command; of an app, Deployment is the one under way, "" for none.
type NotPaused struct {
	App        spec.PathID
	Deployment string
}

// NothingToKill refuses to scale down by instances of which none is there.
type NothingToKill struct{ App spec.PathID }

// TooLarge refuses an app that the store has no room for.
type TooLarge struct {
	App          spec.PathID
	Bytes, Limit int
}

// NamedTwice refuses a command that says two things of one app or group.
type NamedTwice struct{ ID spec.PathID }

// Error returns the text of the API.
func (e *Exists) Error() string { return fmt.Sprintf("An app with id [%s] already exists.", e.App) }

// Error returns the text of the API.
func (e *NotFound) Error() string { return fmt.Sprintf("App '%s' does not exist", e.App) }

// Error returns the text of the API.
func (e *Stale) Error() string { return fmt.Sprintf("App '%s' was changed meanwhile", e.App) }

// Error returns the text of the API; the deployments are in its body besides.
func (e *Locked) Error() string {
	return "App is locked by one or more deployments. Override with the option '?force=true'. " +
		"View details at '/v2/deployments/<DEPLOYMENT_ID>'."
}

// String names the deployments that hold the lock.
func (e *Locked) String() string { return "locked by " + strings.Join(e.Deployments, ", ") }

// Error returns the text of the API, which lacks a space.
func (e *TooManyDeployments) Error() string {
	return fmt.Sprintf("Max number (%d) of running deployments is achieved. Wait for existing deployments to complete "+
		"or cancel oneusing force=true parameter. You can increase max deployment number by using "+
		"--max_running_deployments parameter but be advised that this can have negative effects on the performance.", e.Limit)
}

// Error returns the text of the API, though Last is one of the ports.
func (e *PortsExhausted) Error() string {
	return fmt.Sprintf("All ports in the range [%d-%d) are already in use", e.First, e.Last)
}

// Error returns the text of the API.
func (e *GroupNotFound) Error() string { return fmt.Sprintf("Group '%s' does not exist", e.Group) }

// Error returns the text of the API.
func (e *DeploymentNotFound) Error() string {
	return fmt.Sprintf("DeploymentPlan %s does not exist", e.ID)
}

// Error returns the text of the API.
func (e *NotWaiting) Error() string {
	return fmt.Sprintf("Application %s not found in tasks queue.", e.App)
}

// Error says what there is instead of a pause.
func (e *NotPaused) Error() string {
	switch {
	case e.App == "":
		return fmt.Sprintf("Deployment %s has nothing to promote: its upgrades are not paused", e.Deployment)
	case e.Deployment == "":
		return fmt.Sprintf("App '%s' has nothing to promote: no deployment changes it", e.App)
	}
	return fmt.Sprintf("App '%s' has nothing to promote: deployment %s changes it and is not paused", e.App, e.Deployment)
}

// Error returns the text of the API.
func (e *NothingToKill) Error() string { return fmt.Sprintf("Path '%s' does not exist", e.App) }

// Error says what there is room for.
func (e *TooLarge) Error() string {
	return fmt.Sprintf("App '%s': its definition takes %d bytes in the store, expected %d or less", e.App, e.Bytes, e.Limit)
}

// Error names the id.
func (e *NamedTwice) Error() string { return fmt.Sprintf("'%s' is named twice in one request", e.ID) }
