package scheduler

import (
	"slices"

	iradix "github.com/hashicorp/go-immutable-radix/v2"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// Snapshot is the state after a batch, for everybody who reads. It is immutable
// and complete: what a reply promises is in the snapshot published before it.
type Snapshot struct {
	// Apps maps the path's text to the app. The tree makes a group a prefix scan.
	Apps        *iradix.Tree[*AppView]
	Tree        spec.Tree          // what is defined, groups included
	revisions   []*revision        // see Revision
	Deployments []*DeploymentView  // in the order in which they began
	Ended       []*EndedDeployment // oldest first
	FrameworkID string             // "" before the first subscription
	MasterHost  string             // "" while not subscribed
	MasterURL   string
	Subscribed  bool
	Counts      Counts
	HomeRegion  string // the master's region; "" for none
	// Sightings are the agents known with the last offer of each. One from before
	// VoidSince belongs to an earlier subscription.
	Sightings Sightings
	VoidSince spec.Timestamp // 0 for never
}

// AppView is one app with its instances.
type AppView struct {
	App *spec.App
	// Removed marks an app whose definition is deleted while instances still die.
	Removed bool
	// Uncovered are the fields that keep the app from being launched.
	Uncovered []string
	// Versions is what is kept of the app, newest first.
	Versions  []*spec.App
	Instances []*Instance // in the order of their creation
	// Deployments are the ids of those that change the app.
	Deployments []string
	// Upgrade is the restart under way, nil when there is none.
	Upgrade     *UpgradeView
	HealthFault string // why the health rule gave no answer the last time; "" when it did
	// HealthFailed is the fault of the module that HealthFault is about; nil where none
	// is known.
	HealthFailed *sdk.Fault
	// HealthStandIn: another rule judges as long as the app's own fails.
	HealthStandIn bool
	Backoff       Backoff
	// PausedUntil is when the app takes part in matches again after a policy's fault; 0
	// when nothing keeps it from that.
	PausedUntil spec.Timestamp
	LastFailure *TaskFailure
	// Refusals is the outcome of the last match that looked for a place; nil
	// when there was none.
	Refusals   *placement.Refusals
	OfferTimes OfferTimes
}

// OfferTimes says when matches of this term last decided about offers for an app;
// 0 means that none did.
type OfferTimes struct {
	Used   spec.Timestamp // one was taken for an instance
	Unused spec.Timestamp // one was looked at and would not do
}

// UpgradeView is an app on its way to a new version.
type UpgradeView struct {
	Began      spec.Timestamp
	Paused     string     // why its strategy stopped it; "" when it goes on
	Promotions uint32     // how often somebody let it go on
	Fault      string     // why its strategy gave no answer the last time; "" when it did
	Failed     *sdk.Fault // of the module that Fault is about; nil where none is known
	Excess     *sdk.Fault // what its last answer asked for beyond the envelope; nil for nothing
}

// Revision returns the whole tree as it was at a version; ok is false when that is
// not kept.
func (s *Snapshot) Revision(version spec.Timestamp) (tree spec.Tree, ok bool) {
	for _, r := range s.revisions {
		if r.tree.Version == version {
			return r.tree, true
		}
	}
	return spec.Tree{}, false
}

// RevisionVersions lists the versions of the tree that are kept, newest first.
func (s *Snapshot) RevisionVersions() []spec.Timestamp {
	out := make([]spec.Timestamp, 0, len(s.revisions))
	for _, r := range slices.Backward(s.revisions) {
		out = append(out, r.tree.Version)
	}
	return out
}

// Backoff is an app's launch delay.
type Backoff struct {
	Delay int64          // milliseconds; 0 for none
	Until spec.Timestamp // nothing is launched before
}

// TaskFailure is the last failed task of an app.
type TaskFailure struct {
	TaskID, Host, AgentID, Message, State string
	At, Version                           spec.Timestamp
}

// DeploymentView is one running deployment.
type DeploymentView struct {
	Plan    *deployment.Plan
	Current int // index of the step under way
	Terms   Terms
	Began   spec.Timestamp
}

// Counts are totals for metrics.
type Counts struct {
	Apps, Instances, Running, Staged, Deployments int
	OffersHeld                                    int
	OffersReceived, OffersUsed, OffersDeclined    uint64
	Launched, Finished, Failed                    uint64
	Revives, Suppresses, Matches, Kills           uint64
}
