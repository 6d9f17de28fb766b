package placement

import (
	"strconv"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// Wanted is a number of like instances of one app version that need a place.
type Wanted struct {
	App   *spec.App
	Count int
	// Placed are the agents of the instances that constraints count, the one
	// placed first at the front. Only filled for an app with constraints.
	Placed []*Agent
	// Held is what the one instance wanted holds; nil for instances that have no
	// reservation. Such of an app with persistent volumes are given places that are
	// to be reserved first.
	Held *Held
}

// Request is one match: everything in it is immutable while it runs.
type Request struct {
	Now    spec.Timestamp
	Wanted []Wanted // in the order in which they are served, round-robin
	// Offers are rows each: those of one agent and role should be pooled, see Pool,
	// for an instance takes all it needs from one.
	Offers []*Offer
	// Agents are all agents known, those of Offers among them; their values count
	// as known groups. Nothing is looked up for a list that is the same, in the
	// same order, as in the match before. The very same slice is not even read
	// again: its elements are never to be changed.
	Agents []*Agent
	// HomeRegion is the master's region; "" for none.
	HomeRegion string
	// Seed makes the choice of random ports differ from match to match.
	Seed uint64
}

// Rule is one constraint of an app, ready to be asked.
type Rule struct {
	Constraint spec.Constraint
	Prepared   sdk.PreparedConstraint // nil when Err is set
	Err        error                  // why it could not be prepared: the app is not placed
}

// Placement is one instance's place: the app's n-th wanted one goes there.
type Placement struct {
	App   *spec.App
	Offer *Offer
	Take  []Share  // what it takes, by reservation, without Disks; Ports hold the single ports as ranges
	Ports []uint16 // host ports in the order of the app's ports; 0 for one that needs none
	// Held is that of the Wanted. Disks are then its volumes.
	Held *Held
	// Disks are, in the order of the app's persistent volumes, what they are to lie
	// on, when there are some and Held is nil: nothing can be launched there before
	// all of the placement is reserved and the volumes are made. Ids of volumes
	// are not set.
	Disks []DiskPart
	// Fetch is what fetch policies made of the app's artifacts; nil: all is fetched
	// as the app says.
	Fetch *Fetch
}

// Fetch is what is fetched for the tasks of an app version, as policies decided. It
// is immutable, and one value for all tasks that it holds for.
type Fetch struct {
	Artifacts []spec.Artifact // in the app's order
	// Checks are of each artifact, in the same order; nil when nothing is checked.
	Checks []FetchCheck
}

// FetchCheck is what an agent holds one artifact to; the zero value is nothing.
type FetchCheck struct {
	SHA256 string // in lower-case hexadecimal; "" for any
	Limits sdk.FetchLimits
}

// Reason is why an offer did not host an instance, in the order in which they
// are checked: an offer counts under its first one.
type Reason uint8

const (
	UnfulfilledRole Reason = iota
	UnfulfilledConstraint
	NoCorrespondingReservationFound
	AgentMaintenance
	InsufficientCpus
	InsufficientMemory
	InsufficientDisk
	InsufficientGpus
	InsufficientPorts
	DeclinedScarceResources
	Reasons // how many there are
)

// String returns Marathon's name of the reason.
func (r Reason) String() string {
	names := [Reasons]string{
		"UnfulfilledRole", "UnfulfilledConstraint", "NoCorrespondingReservationFound", "AgentMaintenance",
		"InsufficientCpus", "InsufficientMemory", "InsufficientDisk", "InsufficientGpus", "InsufficientPorts",
		"DeclinedScarceResources",
	}
	if r >= Reasons {
		return "Reason(" + strconv.Itoa(int(r)) + ")"
	}
	return names[r]
}

// Refusals say, for one app, how the offers of a match fared.
type Refusals struct {
	App       *spec.App
	Processed int          // offers looked at
	Declined  [Reasons]int // by first reason
	Fault     error        // a policy's fault that kept the app from being placed; nil for none
	// Denied is the word of a policy against the app itself, whatever is offered; ""
	// for none. Declined counts the offers as UnfulfilledConstraint then.
	Denied string
}

// Unused returns how many offers would not do.
func (r *Refusals) Unused() int {
	n := 0
	for _, declined := range r.Declined {
		n += declined
	}
	return n
}

// Result is the answer of a match.
type Result struct {
	Placements []Placement
	Refusals   []Refusals // one per Wanted, in its order
}
