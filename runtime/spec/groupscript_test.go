package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestGroupScripts runs testdata/group: groups as sent, and what becomes of the
// tree. Each script begins with an empty one.
//
//	put [at=/g]         an update of the group that is at the path
//	app id=/g/a         a whole app of its own, as the API takes it
//	remove id=/g        a group with all below it
//	restore id=/g n=N   a group as it was N accepted commands ago
//	roles id=/g/a       which roles an app may have
//	tree                what there is
//
// The answer is the change, one line for each definition; settings are arguments
// as in TestScripts.
func TestGroupScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/group", func(t *testing.T, path string) {
		w := &groupWorld{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			id := Root
			for _, arg := range d.CmdArgs {
				if arg.Key == "id" || arg.Key == "at" {
					id = PathID(arg.Vals[0])
				}
			}
			return w.run(t, d, id)
		})
	})
}

// groupWorld is a tree with its history, oldest first.
type groupWorld struct {
	tree Tree
	past []Tree
}

func (w *groupWorld) run(t *testing.T, d *datadriven.TestData, id PathID) string {
	s := settingsOf(t, d)
	switch d.Cmd {
	case "put":
		return w.put(d, id, s)
	case "app":
		u, err := ParseUpdate([]byte(d.Input), Whole, true)
		if err != nil {
			return describe(err)
		}
		app := u.App(id, w.tree.Roles(id, s).Default, s)
		c := w.tree.Complete(TreeChange{Apps: map[PathID]*App{id: app}}, s)
		return w.accept(c, w.tree.With(c).Validate(c))
	case "remove":
		return w.accept(w.tree.Remove(id), nil)
	case "restore":
		var n int
		d.ScanArgs(t, "n", &n)
		return w.accept(w.tree.Restore(w.past[len(w.past)-n], id), nil)
	case "roles":
		r := w.tree.Roles(id, s)
		return fmt.Sprintf("%s of %s\n", r.Default, strings.Join(r.Allowed, ", "))
	case "tree":
		return showTree(w.tree)
	default:
		t.Fatalf("no command %s", d.Cmd)
		return ""
	}
}

func (w *groupWorld) put(d *datadriven.TestData, id PathID, s Settings) string {
	u, err := ParseGroupUpdate([]byte(d.Input), id)
	if err != nil {
		return describe(err)
	}
	u.Force = d.HasArg("force")
	c, err := u.Apply(w.tree, s)
	answer := w.accept(c, err)
	if len(u.Unknown) > 0 {
		answer = "unknown: " + strings.Join(u.Unknown, ", ") + "\n" + answer
	}
	return answer
}

// accept puts a change into force as the core would, with service ports and
// versions.
func (w *groupWorld) accept(c TreeChange, err error) string {
	if err != nil {
		return describe(err)
	}
	answer := showChange(c)
	c.Version = w.tree.Version + 1
	for id, a := range c.Apps {
		if a == nil {
			continue
		}
		ports := a.ServicePorts()
		for i := range ports {
			if ports[i] == 0 {
				ports[i] = 10000 + i
			}
		}
		c.Apps[id] = a.WithServicePorts(ports)
		c.Apps[id].Version, c.Apps[id].LastScalingAt, c.Apps[id].LastConfigChangeAt = c.Version, c.Version, c.Version
	}
	w.past = append(w.past, w.tree)
	w.tree = w.tree.With(c)
	return answer
}

// showChange prints a line per definition, groups first.
func showChange(c TreeChange) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(c.Groups)) {
		switch g := c.Groups[id]; {
		case g == nil:
			fmt.Fprintf(&b, "group %s removed\n", id)
		default:
			fmt.Fprintf(&b, "group %s", id)
			if g.EnforceRole {
				b.WriteString(" enforces its role")
			}
			if len(g.Dependencies) > 0 {
				fmt.Fprintf(&b, " after %v", g.Dependencies)
			}
			b.WriteString("\n")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Apps)) {
		switch a := c.Apps[id]; {
		case a == nil:
			fmt.Fprintf(&b, "app %s removed\n", id)
		default:
			fmt.Fprintf(&b, "app %s cmd=%s instances=%d role=%s", id, a.Cmd, a.Instances, a.Role)
			if len(a.Dependencies) > 0 {
				fmt.Fprintf(&b, " after %v", a.Dependencies)
			}
			if a.Version != 0 {
				fmt.Fprintf(&b, " version=%d", a.Version)
			}
			b.WriteString("\n")
		}
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}
