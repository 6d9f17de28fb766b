package policy

import (
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// listBuiltins makes the built-in policies of each kind one origin.
func (c *Catalog) listBuiltins() {
	for kind, there := range [remote.Kinds]bool{
		remote.KindConstraint: true, // listed although there may be none
		remote.KindUpgrade:    len(c.config.Upgrades) > 0,
		remote.KindHealth:     len(c.config.Health) > 0,
		remote.KindFetch:      len(c.config.Fetch) > 0,
		remote.KindAdmission:  len(c.config.Admission) > 0,
	} {
		if there {
			c.origins = append(c.origins, &origin{catalog: c, builtin: true, kind: remote.Kind(kind), state: Active, log: c.config.Log})
		}
	}
}

// addBuiltins adds them to a table.
func (c *Catalog) addBuiltins(t *table) error {
	for _, o := range c.origins {
		if !o.builtin {
			continue
		}
		var err error
		switch o.kind {
		case remote.KindConstraint:
			o.names, err = addAll(&t.constraints, c.config.Builtins, sdk.Constraint.Operators, o)
		case remote.KindFetch:
			o.names, err = addAll(&t.fetch, c.config.Fetch, sdk.Fetch.Policies, o)
		case remote.KindUpgrade:
			o.names, err = addAll(&t.upgrades, c.config.Upgrades, sdk.Upgrade.Strategies, o)
		case remote.KindHealth:
			o.names, err = addAll(&t.health, c.config.Health, sdk.Health.Rules, o)
		case remote.KindAdmission, remote.Kinds:
			o.names, err = addAll(&t.admission, c.config.Admission, sdk.Admission.Policies, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addAll makes built-in policies those of their names, and returns the names.
func addAll[P any](to *offers[P], policies []P, names func(P) []string, from *origin) (all []string, err error) {
	for _, policy := range policies {
		if err := to.add(policy, names(policy), source{origin: from}); err != nil {
			return nil, err
		}
		all = append(all, names(policy)...)
	}
	return all, nil
}
