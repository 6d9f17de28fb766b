package scheduler

import (
	"time"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/placement"
)

// Call is one call to the Mesos master. The set is closed.
//
//sumtype:decl
type Call interface{ call() }

// Accept gives back what instances held on one offer, reserves for others, and
// launches tasks. The offer may be a pool, whose parts are used up altogether. What
// is left comes back as another offer after Refuse.
type Accept struct {
	Offer   *placement.Offer
	Free    []launch.Holding
	Reserve []launch.Holding
	Tasks   []launch.Task
	Refuse  time.Duration
}

// Decline gives offers back for at least Refuse.
type Decline struct {
	OfferIDs []string
	Refuse   time.Duration
}

// Revive asks for offers again and clears earlier refusals.
type Revive struct{ Roles []string }

// Suppress asks for no more offers.
type Suppress struct{ Roles []string }

// UpdateRoles replaces the roles that the framework is offered resources for, and
// those of them for which it wants no offers at present.
type UpdateRoles struct{ Roles, Suppressed []string }

// Kill ends a task. AgentID may be "".
type Kill struct{ TaskID, AgentID string }

// Acknowledge confirms a status update that carried a UUID, after what it said
// is durable.
type Acknowledge struct {
	TaskID, AgentID string
	UUID            [16]byte
}

// Reconcile asks for the state of tasks; of all the master knows when empty.
type Reconcile struct{ Tasks []TaskRef }

// TaskRef names a task where it was last seen.
type TaskRef struct{ TaskID, AgentID string }

func (Accept) call()      {}
func (Decline) call()     {}
func (Revive) call()      {}
func (Suppress) call()    {}
func (UpdateRoles) call() {}
func (Kill) call()        {}
func (Acknowledge) call() {}
func (Reconcile) call()   {}
