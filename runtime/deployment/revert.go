package deployment

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// Revert returns the change of the current tree that undoes the plan: apps that it
// changed get their definitions from before it, apps that it added go, those that
// it removed come back. What other deployments changed stays.
func (p *Plan) Revert(current spec.Tree) spec.TreeChange {
	c := spec.TreeChange{Apps: map[spec.PathID]*spec.App{}, Groups: map[spec.PathID]*spec.Group{}}
	for _, change := range p.Changes {
		id := change.App()
		switch {
		case change.Before != nil:
			c.Apps[id] = change.Before
		case current.App(id) != nil:
			c.Apps[id] = nil
		}
	}
	for _, change := range slices.Backward(p.Groups) { // children before their parents
		if id := change.Group(); change.After == nil {
			if current.Group(id) == nil {
				c.Groups[id] = change.Before
			}
		} else if now := current.Group(id); now != nil {
			revertGroup(&c, current, change, now)
		}
	}
	keepGroups(&c, current)
	return c
}

// revertGroup takes back the dependencies that the plan gave a group, and the
// group itself when the plan made it and nothing has come into it since.
func revertGroup(c *spec.TreeChange, current spec.Tree, change GroupChange, now *spec.Group) {
	id := change.Group()
	if change.Before == nil && sameGroup(now, change.After) && emptyAfter(current, c, id) {
		c.Groups[id] = nil
		return
	}
	var before []spec.PathID
	enforce := now.EnforceRole
	if change.Before != nil {
		before = change.Before.Dependencies
		if change.After.EnforceRole != change.Before.EnforceRole {
			enforce = change.Before.EnforceRole
		}
	}
	next := &spec.Group{ID: id, EnforceRole: enforce}
	for _, d := range now.Dependencies {
		if !slices.Contains(change.After.Dependencies, d) || slices.Contains(before, d) {
			next.Dependencies = append(next.Dependencies, d)
		}
	}
	for _, d := range before {
		if !slices.Contains(change.After.Dependencies, d) && !slices.Contains(next.Dependencies, d) {
			next.Dependencies = append(next.Dependencies, d)
		}
	}
	c.Groups[id] = next
}

// emptyAfter tells whether nothing is left below the group after the change so far.
func emptyAfter(current spec.Tree, c *spec.TreeChange, group spec.PathID) bool {
	for a := range current.Apps(group) {
		if next, changed := c.Apps[a.ID]; !changed || next != nil {
			return false
		}
	}
	for id, a := range c.Apps {
		if a != nil && id.Within(group) {
			return false
		}
	}
	for g := range current.Groups(group) {
		if next, changed := c.Groups[g.ID]; !changed || next != nil {
			return false
		}
	}
	return true
}

// keepGroups adds the groups above apps that come back.
func keepGroups(c *spec.TreeChange, current spec.Tree) {
	for id, a := range c.Apps {
		if a == nil {
			continue
		}
		for _, missing := range current.MissingGroups(id) {
			if c.Groups[missing] == nil {
				c.Groups[missing] = &spec.Group{ID: missing}
			}
		}
	}
}
