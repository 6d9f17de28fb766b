package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MostNearMisses is how many near misses an explanation holds at most.
const MostNearMisses = 10

// NearMiss is a change of one rule by which agents would fit that do not now.
// Agents that fit now are not among them, and may not fit after the change.
type NearMiss struct {
	Relaxation
	Agents []*Agent // gained, in the order in which all agents come; never empty
	Text   string   // "2 agents fit if mem <= 512"
}

// Relaxation is a change of one rule.
type Relaxation struct {
	Kind       RelaxationKind
	Constraint int    // of WithoutConstraint: index of the prepared rule
	Port       uint16 // of OtherPort
	Role       string // of OtherRole
	// AtMost is the largest amount that the app may ask for, in cores, MiB, whole
	// GPUs or ports; of LessCPUs to FewerPorts.
	AtMost float64
}

// RelaxationKind is which rule is changed, and how.
type RelaxationKind uint8

const (
	// LessCPUs and the next three let the app ask for less of a resource. Each
	// comes with the largest amount by which any agent is gained and, if that
	// gains fewer than there are instances waiting, with the largest by which as
	// many are gained, or else all that can be.
	LessCPUs RelaxationKind = iota
	LessMem
	LessDisk
	FewerGPUs         // but at least one
	FewerPorts        // fewer of the ports whose numbers do not matter
	WithoutGPUs       // the app asks for none
	OtherPort         // it takes any port in place of that required number
	AnyPorts          // it does not require numbers: requirePorts is false, or every hostPort 0
	WithoutConstraint // one constraint less, that refuses or cannot be asked
	OtherRole         // it has that role instead
	ResourcesOfRole   // it accepts resources of its role as well as unreserved ones
	OutsideRegion     // it is not bound to the home region, as with a constraint on the region
	AfterMaintenance  // the agents' maintenance is over
	ScarceGPUs        // it may use up offers with GPUs, as with the label for that
)

// text says what the change is, behind "2 agents fit ".
func (e *explainer) text(r Relaxation) string {
	atMost := MilliOf(r.AtMost).text()
	switch r.Kind {
	case LessCPUs, LessMem, LessDisk, FewerGPUs:
		return "if " + (CPUs + Kind(r.Kind-LessCPUs)).String() + " <= " + atMost
	case FewerPorts:
		return "if ports <= " + atMost
	case WithoutGPUs:
		return "without gpus"
	case OtherPort:
		return fmt.Sprintf("with another port than %d", r.Port)
	case AnyPorts:
		if !e.wanted.App.OnHost() {
			return "with 0 for each hostPort"
		}
		return "without requirePorts"
	case WithoutConstraint:
		return "without " + constraintText(e.seeker.rulings[r.Constraint].rule.Constraint)
	case OtherRole:
		return "with the role " + r.Role
	case ResourcesOfRole:
		return "if it accepts the resources of " + e.changes.accepting.roles()
	case OutsideRegion:
		return "outside the home region"
	case AfterMaintenance:
		return "after their maintenance"
	case ScarceGPUs:
		return "with the label " + gpuLabel + "=" + gpuUnrestricted
	}
	return "otherwise"
}

// gain is what a change gains: agents, and for a smaller amount the largest one
// with which each of them fits.
type gain struct {
	agents  []*Agent
	amounts []Milli
}

// gained notes that the agent fits with the change.
func (e *explainer) gained(r Relaxation, a *Agent, amount Milli) {
	g := e.gains[r]
	if g == nil {
		g = &gain{}
		e.gains[r] = g
	}
	if last := len(g.agents) - 1; last >= 0 && g.agents[last] == a { // by another of its offers
		g.amounts[last] = max(g.amounts[last], amount)
		return
	}
	g.agents, g.amounts = append(g.agents, a), append(g.amounts, amount)
}

// nearest are the near misses that gain most.
func (e *explainer) nearest() []NearMiss {
	var all []NearMiss
	for r, g := range e.gains {
		if r.Kind > FewerPorts {
			all = append(all, NearMiss{Relaxation: r, Agents: g.agents})
			continue
		}
		for _, amount := range g.steps(e.wanted.Count) {
			r.AtMost = amount.Float()
			all = append(all, NearMiss{Relaxation: r, Agents: g.with(amount)})
		}
	}
	slices.SortFunc(all, func(a, b NearMiss) int {
		return cmp.Or(cmp.Compare(len(b.Agents), len(a.Agents)), a.compare(b.Relaxation))
	})
	all = all[:min(len(all), MostNearMisses)]
	for i := range all {
		fit := "1 agent fits "
		if n := len(all[i].Agents); n > 1 {
			fit = fmt.Sprintf("%d agents fit ", n)
		}
		all[i].Text = fit + e.text(all[i].Relaxation)
	}
	return all
}

// steps are the amounts worth telling: the largest, and the one that is enough
// for count agents or for all.
func (g *gain) steps(count int) []Milli {
	sorted := slices.Clone(g.amounts)
	slices.SortFunc(sorted, func(a, b Milli) int { return cmp.Compare(b, a) })
	enough := sorted[min(max(count, 1), len(sorted))-1]
	if enough == sorted[0] {
		return sorted[:1]
	}
	return []Milli{sorted[0], enough}
}

// with are the agents that fit with the amount.
func (g *gain) with(amount Milli) (agents []*Agent) {
	for i, a := range g.agents {
		if g.amounts[i] >= amount {
			agents = append(agents, a)
		}
	}
	return agents
}

// compare orders changes that gain as much.
func (r Relaxation) compare(o Relaxation) int {
	return cmp.Or(
		cmp.Compare(r.Kind, o.Kind), cmp.Compare(o.AtMost, r.AtMost), cmp.Compare(r.Constraint, o.Constraint),
		cmp.Compare(r.Port, o.Port), strings.Compare(r.Role, o.Role),
	)
}
