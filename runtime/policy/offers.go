package policy

import (
	"fmt"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// offers is what there is of one kind of policy, under the names by which users
// ask for it.
type offers[P any] struct {
	kind  remote.Kind
	names []string // in the order in which they came
	by    map[string]offer[P]
}

// offer is one policy and where it comes from.
type offer[P any] struct {
	policy P
	source
}

// noun is what the names of a kind are.
func noun(kind remote.Kind) string {
	return [remote.Kinds]string{"operator", "fetch policy", "upgrade strategy", "health rule", "admission policy"}[kind]
}

// add makes the policy the one of these names. Names are taken once: a later module
// must not take over by its mere presence what apps rely on.
func (o *offers[P]) add(policy P, names []string, from source) error {
	if o.by == nil {
		o.by = map[string]offer[P]{}
	}
	from.kind = o.kind
	for _, name := range names {
		switch other, taken := o.by[name]; {
		case !taken:
		case from.version == nil:
			return fmt.Errorf("two built-in policies offer the %s %s", noun(o.kind), name)
		case other.version == nil:
			return fmt.Errorf("the %s %s is built in", noun(o.kind), name)
		default:
			return fmt.Errorf("the %s %s is offered already by %s (%s)", noun(o.kind), name, other.label(), other.origin.where())
		}
		o.by[name] = offer[P]{policy, from}
		o.names = append(o.names, name)
	}
	return nil
}

// table is every policy there is, by kind and name. It does not change: another one
// takes its place.
type table struct {
	generation  uint64
	versions    []*version // whose policies these are, besides what is built in
	constraints offers[sdk.Constraint]
	fetch       offers[sdk.Fetch]
	upgrades    offers[sdk.Upgrade]
	health      offers[sdk.Health]
	admission   offers[sdk.Admission]
}

func newTable() *table {
	return &table{
		constraints: offers[sdk.Constraint]{kind: remote.KindConstraint},
		fetch:       offers[sdk.Fetch]{kind: remote.KindFetch},
		upgrades:    offers[sdk.Upgrade]{kind: remote.KindUpgrade},
		health:      offers[sdk.Health]{kind: remote.KindHealth},
		admission:   offers[sdk.Admission]{kind: remote.KindAdmission},
	}
}

// addModule adds all that a version offers.
func (t *table) addModule(o *origin, v *version) error {
	from := source{origin: o, version: v, epoch: v.epoch.Load()}
	t.versions = append(t.versions, v)
	if err := t.constraints.add(remote.Constraint(v.tap), v.names[remote.KindConstraint], from); err != nil {
		return err
	}
	if err := t.fetch.add(remote.Fetch(v.tap), v.names[remote.KindFetch], from); err != nil {
		return err
	}
	if err := t.upgrades.add(remote.Upgrade(v.tap), v.names[remote.KindUpgrade], from); err != nil {
		return err
	}
	if err := t.health.add(remote.Health(v.tap), v.names[remote.KindHealth], from); err != nil {
		return err
	}
	return t.admission.add(remote.Admission(v.tap), v.names[remote.KindAdmission], from)
}

// Where a table has the policies of a kind.
func constraintsOf(t *table) *offers[sdk.Constraint] { return &t.constraints }
func fetchOf(t *table) *offers[sdk.Fetch]            { return &t.fetch }
func upgradesOf(t *table) *offers[sdk.Upgrade]       { return &t.upgrades }
func healthOf(t *table) *offers[sdk.Health]          { return &t.health }
func admissionOf(t *table) *offers[sdk.Admission]    { return &t.admission }
