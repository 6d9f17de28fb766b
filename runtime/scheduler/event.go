package scheduler

import (
	"github.com/pacer-run/pacer/runtime/placement"
)

// Event is one input of Step. The set is closed: a new event has to be handled
// by Step, which the linter checks.
//
//sumtype:decl
type Event interface{ event() }

// Subscribed says that the Mesos master took the subscription. Offers of an
// earlier subscription are void from here on.
type Subscribed struct {
	FrameworkID string
	MasterID    string // differs when another master process answers
	MasterHost  string // host name, for people
	MasterURL   string // address of the master's own pages; "" when unknown
	Region      string // the master's region; "" for none
}

// Disconnected says that the subscription is gone. Calls are not taken until
// the next Subscribed.
type Disconnected struct{ Cause string }

// Offers brings new offers.
type Offers struct{ Offers []*placement.Offer }

// Rescinded takes an offer back.
type Rescinded struct{ OfferID string }

// StatusUpdate brings the status of one task.
type StatusUpdate struct{ Status Status }

// AgentLost says that an agent was removed from the cluster. Updates about its
// tasks come on their own.
type AgentLost struct{ AgentID string }

// CallFailed says that the master did not take a call, or that nobody knows
// whether it did.
type CallFailed struct {
	Call  Call
	Cause string
}

// Matched is the answer to the Match that was asked for.
type Matched struct {
	Result placement.Result
	// MatchedOffers are the offers that the match looked at: Request.Offers.
	MatchedOffers []*placement.Offer
	// Partial: more of the same answer follows, see Split.
	Partial bool
}

// Tick says that time has passed. It carries nothing: Step is told the time.
type Tick struct{}

func (Subscribed) event()       {}
func (Disconnected) event()     {}
func (Offers) event()           {}
func (Rescinded) event()        {}
func (StatusUpdate) event()     {}
func (AgentLost) event()        {}
func (CallFailed) event()       {}
func (Matched) event()          {}
func (Tick) event()             {}
func (UpgradeStepped) event()   {}
func (ChangeTree) event()       {}
func (CancelDeployment) event() {}
func (SetEnforceRole) event()   {}
func (KillInstances) event()    {}
func (ResetDelay) event()       {}
func (Promote) event()          {}
