package placement

import "github.com/pacer-run/pacer/runtime/spec"

// Cluster is what is known of a cluster at one moment, for questions about what
// a match would do. Nothing in it is changed or kept.
type Cluster struct {
	Now spec.Timestamp
	// Offers are the latest known ones. An instance needs all of its place in one
	// offer, or in one pool of them (see Pool), so several of an agent are several
	// chances.
	Offers []*Offer
	// Agents are all agents known, with or without an offer; agents of Offers that
	// are missing here count as known too.
	Agents     []*Agent
	HomeRegion string // the master's region; "" for none
	Terms             // as Matcher.Terms
}

// Explanation says how each agent fares for one more instance of an app, were it
// the only one that wants a place.
type Explanation struct {
	App     *spec.App
	Waiting int                // instances without a place
	Agents  []AgentExplanation // that were asked for, in the order of Cluster.Agents, then those that only an offer named
	// Tally counts all agents by verdict. An instance is placed if Tally[Fits] > 0.
	Tally [Verdicts]int
	// Denied counts the agents on whose best offer a constraint refuses the instance,
	// whatever else does; DeniedAgents are those on which any does. An agent without an
	// offer is none of them.
	Denied       []Denial
	DeniedAgents int
	// Fault is the first of the rules' faults: the app fits nowhere while there is
	// one. nil for none.
	Fault error
	// NearMisses are the changes of one rule by which most agents were gained, the
	// best first; at most MostNearMisses.
	NearMisses []NearMiss
}

// Denial is a constraint that refuses agents.
type Denial struct {
	Constraint int    // index of the prepared rule
	Name       string // as Finding.Name
	Agents     int
}

// AgentExplanation says how one agent fares.
type AgentExplanation struct {
	Agent *Agent
	// Verdict is Fits if one of the agent's offers does, NoOffer if there is none
	// at hand, Refused if each is refused by some rule, and else Faulted.
	Verdict Verdict
	OfferExplanation
	Others []OfferExplanation // the agent's further offers; nil for none
}

// OfferExplanation is what every rule says about one offer, no matter what the
// others say. An agent's first one is the one closest to fitting.
type OfferExplanation struct {
	// Offer is nil for an agent that has none at hand: only what depends on the
	// agent alone was evaluated then.
	Offer    *Offer
	Findings []Finding // in the order in which a match checks them
}

// Finding is what one rule says about one offer, or about one agent.
type Finding struct {
	Rule       RuleKind
	Constraint int    // index of the prepared rule, for RuleConstraint; else -1
	Name       string // "role", "rack:UNIQUE", "mem" …
	Asked      string // what the app asks for
	Had        string // what the offer or the agent has; "" when NotEvaluated
	Verdict    Verdict
	Reason     string // why, for people; "" for one that fits
}

// Verdict is how a rule, an offer or an agent came out.
type Verdict uint8

const (
	Fits Verdict = iota
	Refused
	Faulted      // a policy could not be asked: this is no refusal, but nothing is placed
	NotEvaluated // of a rule alone: it is about an offer, and none is at hand
	NoOffer      // of an agent alone
	Verdicts     // how many there are
)

// String names the verdict.
func (v Verdict) String() string {
	if v >= Verdicts {
		return "unknown verdict"
	}
	return [Verdicts]string{"fits", "refused", "fault", "not evaluated", "no offer"}[v]
}

// RuleKind is what a rule looks at. The order is that of the checks of a match.
type RuleKind uint8

const (
	RuleRole        RuleKind = iota // the offer's role, and whether it has resources for the app's
	RuleRegion                      // the home region; only of apps that are bound to it
	RuleConstraint                  // a constraint, which a policy answers
	RuleMaintenance                 // the agent's maintenance window; only if maintenance matters
	RuleCPUs
	RuleMem
	RuleDisk
	RuleGPUs
	RuleScarceGPUs // GPUs that the app does not want; only of apps that must not use them up
	RulePorts
)

// Reason is the one under which a match counts what the rule refuses.
func (k RuleKind) Reason() Reason {
	switch k {
	case RuleRole:
		return UnfulfilledRole
	case RuleRegion, RuleConstraint:
		return UnfulfilledConstraint
	case RuleMaintenance:
		return AgentMaintenance
	case RuleScarceGPUs:
		return DeclinedScarceResources
	case RulePorts:
		return InsufficientPorts
	case RuleCPUs, RuleMem, RuleDisk, RuleGPUs:
		return InsufficientCpus + Reason(k-RuleCPUs)
	}
	return Reasons
}

// resource is the scalar that a rule from RuleCPUs to RuleGPUs measures.
func (k RuleKind) resource() Kind { return Kind(k - RuleCPUs) }
