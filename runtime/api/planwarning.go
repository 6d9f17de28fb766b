package api

import (
	"fmt"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/sdk"
)

// warnings tell what would keep the change of an app from its end.
func (p *planning) warnings(c placement.Cluster) []planWarning {
	var out []planWarning
	warn := func(code, format string, args ...any) {
		out = append(out, planWarning{App: p.App, Code: code, Text: fmt.Sprintf(format, args...)})
	}
	if p.after == nil {
		return nil
	}
	if names := p.after.Uncovered(); len(names) > 0 && p.Starts > 0 {
		warn("notLaunchable", "this version does not carry out its fields %q", names)
	}
	switch {
	case p.Places == nil:
		return out
	case p.Places.Denied != "":
		warn("denied", "it is not launched: %s", p.Places.Denied)
		return out
	case len(c.Offers) == 0:
		warn("noOffers", "no offer was seen yet: nothing can be said about places")
		return out
	}
	unique := ""
	for _, constraint := range p.after.Constraints {
		if sdk.CanonicalOperator(constraint.Operator) != "UNIQUE" {
			continue
		}
		unique = constraint.Field
		if n := values(c.Agents, sdk.CanonicalField(unique)); p.after.Instances > n {
			warn("unique", "%s:UNIQUE: %s on %s", unique, count(p.after.Instances, "instance"), count(n, "known value"))
		}
	}
	switch {
	case p.Places.Fault != "":
		warn("policyFault", "a policy could not be asked: %s", p.Places.Fault)
	case p.old > 0:
		p.upgradeWarning(warn, unique)
	case p.Places.Placed < p.Places.Wanted:
		warn("capacity", "%d of %s would find a place", p.Places.Placed, count(p.Places.Wanted, "instance"))
	}
	return out
}

// upgradeWarning is about new instances beside old ones, of which none goes before
// there is a new one in its place. unique is a field on which each may have one; ""
// for none.
func (p *planning) upgradeWarning(warn func(code, format string, args ...any), unique string) {
	placed := p.Places.Placed
	switch {
	case deployment.EnvelopeOf(p.after).MinHealthy < p.after.Instances || placed == p.Places.Wanted:
	case placed == 0 && p.after.CertainPorts() && p.Places.Refused[placement.InsufficientPorts.String()] > 0:
		warn("fixedPorts", "it requires its host ports, which no agent has free, and minimumHealthCapacity keeps every instance that holds them")
	case placed == 0:
		warn("noRoom", "no agent has room for a new instance, and minimumHealthCapacity lets no old one go before")
	case unique != "":
		warn("uniqueUpgrade", "%s:UNIQUE: beside the old instances there is room for %d of %s, and minimumHealthCapacity lets "+
			"no more old ones go than that: what they leave free may be where a new one is already",
			unique, placed, count(p.Places.Wanted, "new instance"))
	}
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
