package sdk

import "context"

// Constraint is the policy kind "constraint": it says which offers may host an
// instance, from the value that one field has on each agent.
type Constraint interface {
	// Operators lists the operator names this policy answers for, in upper case.
	Operators() []string
	// Prepare is called once per constraint of an app version, when the app is
	// submitted and again after a restart. It returns *Invalid for what the user
	// must change and any other error for a fault of its own. It must not keep c.
	Prepare(ctx context.Context, c ConstraintSpec) (PreparedConstraint, error)
}

// ConstraintSpec is one constraint of one app version.
type ConstraintSpec struct {
	Field    string // canonical, see CanonicalField
	Operator string // canonical, see CanonicalOperator
	Value    string // meaning is the operator's
	HasValue bool   // tells an absent value from an empty one
	App      AppFacts
}

// AppFacts is what a policy may know of the app.
type AppFacts struct {
	ID        string // absolute path
	Version   string // RFC 3339 with milliseconds
	Instances uint32
	Role      string
	Labels    map[string]string
}

// Traits tell the host what it may do with the answers.
type Traits uint32

const (
	// PurePerValue: the quota of a value depends on the constraint and the value
	// alone, and is 0 or Unlimited. The host remembers it.
	PurePerValue Traits = 1 << iota
	// Stateful: the answer depends on the placed instances.
	Stateful
)

// PreparedConstraint answers for one constraint. It is used by one goroutine at
// a time.
type PreparedConstraint interface {
	Traits() Traits
	// Evaluate answers one quota for each slot of in.Values. An error is a fault
	// of the module, never a verdict. The answer is the caller's.
	Evaluate(ctx context.Context, in ConstraintInput) (ConstraintAnswer, error)
	// Close releases what Prepare took. It may be called once.
	Close()
}

// ConstraintInput is the state of one field, as a dictionary of its values.
type ConstraintInput struct {
	// Values holds every value known of the field: those of the offers, of all
	// agents seen and of the placed instances, in no order. Values[AbsentSlot]
	// is "" and stands for absence.
	Values []string
	// Placed[i] counts the placed instances whose agent has Values[i]. It is nil
	// for a constraint that is not Stateful.
	Placed []uint32
	// First is the slot of the instance that was placed first; -1 when none is.
	First int
	// Instances is how many the app wants in all.
	Instances uint32
	// Room may become the answer's Quota: it is nil, or as many zeros as there are
	// Values. It says nothing; it spares an allocation per question to those who
	// answer in the host's own process.
	Room []uint32
}

// ConstraintAnswer says how many more instances each value may take.
type ConstraintAnswer struct {
	// Quota[i] is how many more instances may go to agents with Values[i]:
	// 0 none, Unlimited any number.
	Quota []uint32
	Flags AnswerFlags
	// Reason is a short text for people about the values with quota 0; may be "".
	Reason string
}

// AnswerFlags say how the quotas hang together.
type AnswerFlags uint32

const (
	// Exclusive: any one value with a quota may be chosen, then only that one.
	Exclusive AnswerFlags = 1 << iota
	// Volatile: the quotas hold for the next placement only; ask again after it.
	Volatile
	// Refill: the quotas hold together; ask again when all of them are used up.
	Refill
)
