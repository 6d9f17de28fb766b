package api

import (
	"fmt"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/sdk"
)

// warnings tell what would keep the change of an app from its end.
func (p *planning) warnings(c placement.Cluster) []planWarning {
	warn := func(code, format string, args ...any) planWarning {
		return planWarning{App: p.App, Code: code, Text: fmt.Sprintf(format, args...)}
	}
	var out []planWarning
	if names := p.after.Uncovered(); len(names) > 0 && p.Starts > 0 {
		out = append(out, warn("notLaunchable", "this version does not carry out its fields %q", names))
	}
	if p.Places == nil {
		return out
	}
	if len(c.Offers) == 0 {
		return append(out, warn("noOffers", "no offer was seen yet: nothing can be said about places"))
	}
	for _, constraint := range p.after.Constraints {
		if sdk.CanonicalOperator(constraint.Operator) != "UNIQUE" {
			continue
		}
		if n := values(c.Agents, sdk.CanonicalField(constraint.Field)); p.after.Instances > n {
			out = append(out, warn("unique", "%s:UNIQUE: %s on %s", constraint.Field, count(p.after.Instances, "instance"), count(n, "known value")))
		}
	}
	full := deployment.EnvelopeOf(p.after).MinHealthy >= p.after.Instances
	switch {
	case p.Places.Fault != "":
		out = append(out, warn("policyFault", "a policy could not be asked: %s", p.Places.Fault))
	case p.old > 0 && full && p.Places.Placed == 0 && p.after.CertainPorts() && p.Places.Refused[placement.InsufficientPorts.String()] > 0:
		out = append(out, warn("fixedPorts", "it requires its host ports, which no agent has free, and minimumHealthCapacity keeps every instance that holds them"))
	case p.old > 0 && full && p.Places.Placed == 0:
		out = append(out, warn("noRoom", "no agent has room for a new instance, and minimumHealthCapacity lets no old one go before"))
	case p.old == 0 && p.Places.Placed < p.Places.Wanted:
		out = append(out, warn("capacity", "%d of %s would find a place", p.Places.Placed, count(p.Places.Wanted, "instance")))
	}
	return out
}

// values counts the values of a field on the agents. To have none is one as well,
// as for the constraint.
func values(agents []*placement.Agent, field string) int {
	type value struct {
		text string
		has  bool
	}
	seen := map[value]bool{}
	for _, a := range agents {
		text, has := a.Value(field)
		seen[value{text, has}] = true
	}
	return len(seen)
}
