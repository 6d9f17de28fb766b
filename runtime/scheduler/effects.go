package scheduler

import (
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Effects is what a batch of events asks the shell to do. The order of the
// fields is the order of execution: nothing leaves before it is saved.
type Effects struct {
	// Save are the records that changed, each key once. They are one transaction.
	Save []Record
	// Calls go to the master in this order.
	Calls []Call
	// Match asks for one match, nil for none. Its answer is a Matched event; no
	// other is asked for before that.
	Match *placement.Request
	// Upgrades ask strategies for the next steps of upgrades. Each is answered with
	// an UpgradeStepped.
	Upgrades []UpgradeAsk
	// Health asks health rules. Each is answered with a HealthJudged.
	Health []HealthAsk
	// Probes says which checks are to be made, in this order; the first effects of a
	// term say it of all tasks. What is found comes as a HealthObserved or a
	// ReadinessObserved.
	Probes []Probing
	// Replies answer commands; the snapshot is published before them.
	Replies []Reply
	// Notices go to the event stream, after the replies.
	Notices []Notice
	// Wake is the earliest time at which Step wants a Tick; 0 for never.
	Wake spec.Timestamp
}

// Record is the durable form of one entity. A nil Value removes it.
type Record struct {
	Key   string
	Value []byte
}
