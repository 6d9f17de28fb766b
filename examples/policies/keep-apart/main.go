// Command keep-apart is a policy module for Pacer that keeps apps off each other's
// agents. A constraint knows nothing of other apps. But the apps of a group can share out
// the values of a field beforehand: each value belongs to one of them, by its hash.
//
//	["hostname", "APART", "web-and-db"]
//
// lets an app run where the value is its own. The admission policy of the module adds
// that constraint to each app of a group.
package main

import (
	"context"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
	"github.com/pacer-run/pacer/sdk/jsonvalue"
)

// The module is served from here on; main is never run.
var _ = guest.Register(module(&groups{}))

func main() {}

func module(g *groups) guest.Module {
	return guest.Module{Name: "keep-apart", Version: "1.0.0", Constraint: constraint{g}, Admission: g, Configure: g.configure}
}

// groups are the operator's settings: apps that stay apart.
type groups struct{ list []group }

type group struct {
	name  string
	field string   // that is shared out: hostname, or an attribute
	apps  []string // their order says whose values are whose
}

func (g *groups) configure(settings string) error {
	*g = groups{}
	if settings == "" {
		return nil
	}
	v, err := jsonvalue.Parse(settings)
	if err != nil {
		return &sdk.Invalid{Message: err.Error()}
	}
	for name, of := range v.Get("groups").Members() { // of the form that the schema in policy.yaml asks for
		g.list = append(g.list, group{name, of.Get("field").String(), texts(of.Get("apps"))})
	}
	return nil
}

// texts are the elements of an array of texts.
func texts(v jsonvalue.Value) (list []string) {
	for e := range v.Elements() {
		list = append(list, e.String())
	}
	return list
}

// named are the apps of the group of that name.
func (g *groups) named(name string) []string {
	for _, of := range g.list {
		if of.name == name {
			return of.apps
		}
	}
	return nil
}

// constraint is the operator APART.
type constraint struct{ *groups }

func (constraint) Operators() []string { return []string{"APART"} }

func (c constraint) Prepare(_ context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	apps := c.named(spec.Value)
	i := slices.Index(apps, spec.App.ID)
	if i < 0 {
		return nil, &sdk.Invalid{Message: "APART requires a group of apps that " + spec.App.ID + " is in; \"" + spec.Value + "\" is none"}
	}
	return share{uint64(i), uint64(len(apps)), "the value belongs to another app of " + spec.Value}, nil
}

// share is the part of one app: those values whose hash, divided by size, leaves part.
type share struct {
	part, size uint64
	reason     string
}

// Traits: whose a value is never changes.
func (share) Traits() sdk.Traits { return sdk.PurePerValue }

func (share) Close() {}

func (s share) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	quota := make([]uint32, len(in.Values))
	for slot, value := range in.Values {
		if slot != sdk.AbsentSlot && owner(value, s.size) == s.part {
			quota[slot] = sdk.Unlimited
		}
	}
	return sdk.ConstraintAnswer{Quota: quota, Reason: s.reason}, nil
}

// owner is whose a value is, by FNV-1a, of which the upper bits are mixed once more: the
// last one alone would be that of a sum.
func owner(value string, size uint64) uint64 {
	hash := uint64(14695981039346656037)
	for _, b := range []byte(value) {
		hash = (hash ^ uint64(b)) * 1099511628211
	}
	return hash * 0x9e3779b97f4a7c15 >> 32 % size
}

func (g *groups) Policies() []string { return []string{"keep-apart"} }

// Review adds the constraint to an app of a group that does not have it.
func (g *groups) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	if r.Settings != "" {
		return sdk.AdmissionReview{}, &sdk.Invalid{Message: "keep-apart takes its settings from policies.yaml"}
	}
	if r.Subject != sdk.AdmissionApp || r.New == nil || !g.concerned(r.ID) {
		return sdk.AllowAdmission(), nil
	}
	app, err := jsonvalue.Parse(r.New)
	if err != nil {
		return sdk.AdmissionReview{}, err
	}
	var constraints []string // as JSON
	var has [][]string
	for c := range app.Get("constraints").Elements() {
		constraints, has = append(constraints, c.Raw()), append(has, texts(c))
	}
	before := len(constraints)
	for _, of := range g.list {
		want := []string{of.field, "APART", of.name}
		if slices.Contains(of.apps, r.ID) && !slices.ContainsFunc(has, func(c []string) bool { return slices.Equal(c, want) }) {
			constraints = append(constraints, "["+jsonvalue.Quote(of.field)+`,"APART",`+jsonvalue.Quote(of.name)+"]")
		}
	}
	if len(constraints) == before {
		return sdk.AllowAdmission(), nil
	}
	slices.Sort(constraints[before:]) // the order of groups in settings means nothing
	amended, err := app.With("["+strings.Join(constraints, ",")+"]", "constraints")
	return sdk.AdmissionReview{Amended: amended}, err
}

// concerned tells whether the app is in a group: reading the others would cost fuel.
func (g *groups) concerned(id string) bool {
	return slices.ContainsFunc(g.list, func(of group) bool { return slices.Contains(of.apps, id) })
}
