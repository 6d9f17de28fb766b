package scheduler

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"maps"
	"slices"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Rehearsal is what would become of a change if it was asked for now.
type Rehearsal struct {
	Plan  *deployment.Plan // of the deployment, with service ports; its id will be another one
	Locks []string         // deployments that hold apps of the change: without force it is refused
	Basis Basis
}

// Digest is short for a text: other texts have another one.
type Digest [9]byte

// Basis is short for all that a plan was made from, and for the plan: when none of
// it has changed the same request has the same basis. Service ports, instances and
// offers are not part of it. The zero value is none.
type Basis struct {
	Apps    Digest // ids and versions of the apps, and the groups, that the change names
	Members Digest // ids of what is below ChangeTree.Members
	Locks   Digest // deployments that hold the apps
	Change  Digest // what becomes of the apps and groups, in which steps
}

// The parts of a Basis, as Outdated names them.
const (
	basisApps    = "apps"
	basisMembers = "members"
	basisLocks   = "locks"
	basisChange  = "change"
)

// Outdated refuses a change that is not the one that was rehearsed, or not any more.
type Outdated struct{ What string }

// Error says what is different.
func (e *Outdated) Error() string {
	text := "The plan is of another change than this"
	switch e.What {
	case basisApps:
		text = "The apps and groups of this change are not those of the plan, or were changed since"
	case basisMembers:
		text = "The group has not the members any more that the plan found"
	case basisLocks:
		text = "The apps of the plan are held by other deployments than it found"
	}
	return text + ": plan again"
}

// rehearse checks and plans a change and leaves everything as it is.
func (s *Scheduler) rehearse(c *ChangeTree) (*Rehearsal, error) {
	change, _, err := s.checkChange(c)
	if err != nil {
		return nil, err
	}
	plan, _, err := s.draft(c, &change)
	if err != nil {
		return nil, err
	}
	r := &Rehearsal{Plan: plan, Basis: s.basisOf(c, &change, plan)}
	for _, holder := range s.holders(plan) {
		r.Locks = append(r.Locks, holder.plan.ID)
	}
	return r, c.Basis.check(r.Basis)
}

// check refuses a basis other than the one that was asked for, if any was.
func (b Basis) check(now Basis) error {
	switch {
	case b == Basis{} || b == now:
		return nil
	case b.Apps != now.Apps:
		return &Outdated{basisApps}
	case b.Members != now.Members:
		return &Outdated{basisMembers}
	case b.Locks != now.Locks:
		return &Outdated{basisLocks}
	}
	return &Outdated{basisChange}
}

func (s *Scheduler) basisOf(c *ChangeTree, change *spec.TreeChange, plan *deployment.Plan) Basis {
	return Basis{
		Apps: s.appsBasis(change), Members: s.membersBasis(c.Members), Locks: s.locksBasis(plan),
		Change: changeBasis(c, change, plan),
	}
}

// appsBasis is of what is there of all that the change names.
func (s *Scheduler) appsBasis(change *spec.TreeChange) Digest {
	d := sha256.New()
	for _, id := range slices.Sorted(maps.Keys(change.Apps)) {
		var version spec.Timestamp
		if app := s.tree.App(id); app != nil {
			version = app.Version
		}
		fmt.Fprintf(d, "app %s %d\n", id, version)
	}
	for _, id := range slices.Sorted(maps.Keys(change.Groups)) {
		writeGroup(d, id, s.tree.Group(id))
	}
	return digestOf(d)
}

func writeGroup(d hash.Hash, id spec.PathID, g *spec.Group) {
	if g == nil {
		fmt.Fprintf(d, "group %s none\n", id)
	} else {
		fmt.Fprintf(d, "group %s %t %q\n", id, g.EnforceRole, g.Dependencies)
	}
}

func (s *Scheduler) membersBasis(group spec.PathID) Digest {
	if group == "" {
		return Digest{}
	}
	d := sha256.New()
	fmt.Fprintf(d, "group %s %t\n", group, s.tree.Group(group) != nil)
	for a := range s.tree.Apps(group) {
		fmt.Fprintf(d, "app %s\n", a.ID)
	}
	for g := range s.tree.Groups(group) {
		fmt.Fprintf(d, "group %s\n", g.ID)
	}
	return digestOf(d)
}

func (s *Scheduler) locksBasis(plan *deployment.Plan) Digest {
	d := sha256.New()
	for _, holder := range s.holders(plan) {
		fmt.Fprintf(d, "%s\n", holder.plan.ID)
	}
	return digestOf(d)
}

// changeBasis takes the definitions as they were asked for: which service ports are
// free for them is nobody's intent.
func changeBasis(c *ChangeTree, change *spec.TreeChange, plan *deployment.Plan) Digest {
	asked := make(map[spec.PathID]*spec.App, len(change.Apps))
	maps.Copy(asked, change.Apps)
	for _, p := range c.Put {
		asked[p.App.ID] = p.App
	}
	d := sha256.New()
	for _, id := range slices.Sorted(maps.Keys(asked)) {
		if asked[id] == nil {
			fmt.Fprintf(d, "app %s none\n", id)
			continue
		}
		app := *asked[id]
		app.Version = 0
		fmt.Fprintf(d, "app %s\n", app.AppendFields(nil, false))
	}
	for _, id := range slices.Sorted(maps.Keys(change.Groups)) {
		writeGroup(d, id, change.Groups[id])
	}
	for _, step := range plan.Steps {
		fmt.Fprintf(d, "step %v\n", step.Actions)
	}
	return digestOf(d)
}

func digestOf(d hash.Hash) Digest { return Digest(d.Sum(nil)[:len(Digest{})]) }
