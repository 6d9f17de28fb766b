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
	"encoding/json"
	"slices"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
)

// The module is served from here on; main is never run.
var _ = guest.Register(module(&groups{}))

func main() {}

func module(g *groups) guest.Module {
	return guest.Module{Name: "keep-apart", Version: "1.0.0", Constraint: constraint{g}, Admission: g, Configure: g.configure}
}

// groups are the operator's settings: apps that stay apart, by the name of their group.
type groups struct {
	Groups map[string]group `json:"groups"`
}

type group struct {
	Field string   `json:"field"` // that is shared out: hostname, or an attribute
	Apps  []string `json:"apps"`  // their order says whose values are whose
}

func (g *groups) configure(settings string) error {
	*g = groups{}
	if settings == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(settings), g); err != nil {
		return &sdk.Invalid{Message: err.Error()}
	}
	return nil
}

// constraint is the operator APART.
type constraint struct{ *groups }

func (constraint) Operators() []string { return []string{"APART"} }

func (c constraint) Prepare(_ context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	apps := c.Groups[spec.Value].Apps
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
	var app map[string]json.RawMessage
	if err := json.Unmarshal(r.New, &app); err != nil {
		return sdk.AdmissionReview{}, err
	}
	var constraints [][]string
	if list := app["constraints"]; list != nil {
		if err := json.Unmarshal(list, &constraints); err != nil {
			return sdk.AdmissionReview{}, err
		}
	}
	before := len(constraints)
	for name, group := range g.Groups {
		want := []string{group.Field, "APART", name}
		has := slices.ContainsFunc(constraints, func(c []string) bool { return slices.Equal(c, want) })
		if slices.Contains(group.Apps, r.ID) && !has {
			constraints = append(constraints, want)
		}
	}
	if len(constraints) == before {
		return sdk.AllowAdmission(), nil
	}
	slices.SortFunc(constraints[before:], slices.Compare) // maps have no order, and answers need one
	var err error
	if app["constraints"], err = json.Marshal(constraints); err != nil {
		return sdk.AdmissionReview{}, err
	}
	amended, err := json.Marshal(app)
	return sdk.AdmissionReview{Amended: amended}, err
}

// concerned tells whether the app is in a group: reading the others would cost fuel.
func (g *groups) concerned(id string) bool {
	for _, group := range g.Groups {
		if slices.Contains(group.Apps, id) {
			return true
		}
	}
	return false
}
