package scheduler

import (
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/runtime/spec"
)

// RequestID joins a command to its reply. The driver numbers them.
type RequestID uint64

// ChangeApps asks for new definitions of apps and the removal of others, as one
// deployment. Either all of it is accepted or none.
type ChangeApps struct {
	Request      RequestID
	DeploymentID string // UUID, chosen by the driver
	Put          []PutApp
	Remove       []spec.PathID
	Force        bool // cancel the deployments that hold a lock on these apps
}

// PutApp is one new definition. The core sets its version and service ports.
type PutApp struct {
	App *spec.App
	// Base is the version the definition was derived from, 0 when the app must
	// not exist. When it is not the current one the command is refused with
	// Stale (or Exists), and the caller derives anew.
	Base spec.Timestamp
}

// Reply answers a command. Err is nil when it was accepted, else one of the
// refusals of this package.
type Reply struct {
	Request      RequestID
	DeploymentID string
	Version      spec.Timestamp
	Apps         []*spec.App // the definitions as accepted, in the order of Put
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

// Unsupported refuses a change that this version cannot carry out.
type Unsupported struct {
	App  spec.PathID
	What string
}

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

// Error returns the text of the API.
func (e *TooManyDeployments) Error() string {
	return fmt.Sprintf("Max number (%d) of running deployments is achieved. Wait for existing deployments to complete "+
		"or cancel one using force=true parameter. You can increase max deployment number by using "+
		"--max_running_deployments parameter but be advised that this can have negative effects on the performance.", e.Limit)
}

// Error returns the text of the API.
func (e *PortsExhausted) Error() string {
	return fmt.Sprintf("All ports in the range [%d-%d] are already in use", e.First, e.Last)
}

// Error returns the text of the API.
func (e *Unsupported) Error() string { return fmt.Sprintf("App '%s': %s", e.App, e.What) }
