package deployment

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/pacer-run/pacer/runtime/spec"
)

// TestPlans runs the scripts under testdata:
//
//	before                    the tree as it is, a line per app or group
//	after [down=dependencies-first] [restart=/id]
//	                          the tree as it is to be; answers the plan
//	revert                    answers how the last plan is undone, given the tree
//	                          of its input, or the one after the plan when empty
//
// A line is "/web 3 needs=/db,/cache cmd=v2" for an app of three instances, and
// "/shop/ needs=/data" for a group. Groups above apps are made.
func TestPlans(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var before, after spec.Tree
		var plan *Plan
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "before":
				_, before, _ = Make(spec.Tree{}, difference(spec.Tree{}, parse(t, d.Input)), Options{Version: 1})
				return ""
			case "after":
				o := Options{ID: "d", Version: before.Version + 1, Restart: map[spec.PathID]bool{}}
				for _, arg := range d.CmdArgs {
					o.DependenciesFirst = o.DependenciesFirst || arg.Key == "down"
					if arg.Key == "restart" {
						o.Restart[spec.PathID(arg.Vals[0])] = true
					}
				}
				var err error
				plan, after, err = Make(before, difference(before, parse(t, d.Input)), o)
				if cycle, ok := errors.AsType[*CycleError](err); ok {
					return fmt.Sprintf("%v\n%s\n", err, cycle.Names())
				}
				return text(plan.Steps)
			case "revert":
				if d.Input != "" {
					_, after, _ = Make(after, difference(after, parse(t, d.Input)), Options{Version: after.Version + 1})
				}
				c := plan.Revert(after)
				return describe(c)
			}
			t.Fatalf("no command %s", d.Cmd)
			return ""
		})
	})
}

// parse reads definitions, one a line.
func parse(t *testing.T, input string) spec.TreeChange {
	c := spec.TreeChange{Apps: map[spec.PathID]*spec.App{}, Groups: map[spec.PathID]*spec.Group{}}
	for line := range strings.Lines(input) {
		fields := strings.Fields(line)
		app := &spec.App{ID: spec.PathID(strings.TrimSuffix(fields[0], "/"))}
		for _, field := range fields[1:] {
			key, value, _ := strings.Cut(field, "=")
			switch key {
			case "needs":
				for id := range strings.SplitSeq(value, ",") {
					app.Dependencies = append(app.Dependencies, spec.PathID(id))
				}
			case "cmd":
				app.Cmd = value
			default:
				n, err := strconv.Atoi(key)
				if err != nil {
					t.Fatal(err)
				}
				app.Instances = n
			}
		}
		if strings.HasSuffix(fields[0], "/") {
			c.Groups[app.ID] = &spec.Group{ID: app.ID, Dependencies: app.Dependencies}
			continue
		}
		c.Apps[app.ID] = app
	}
	for id := range c.Apps {
		for _, missing := range (spec.Tree{}).MissingGroups(id) {
			if c.Groups[missing] == nil {
				c.Groups[missing] = &spec.Group{ID: missing}
			}
		}
	}
	return c
}

// difference removes from the tree what the definitions do not have.
func difference(tree spec.Tree, c spec.TreeChange) spec.TreeChange {
	for a := range tree.Apps(spec.Root) {
		if _, ok := c.Apps[a.ID]; !ok {
			c.Apps[a.ID] = nil
		}
	}
	for g := range tree.Groups(spec.Root) {
		if _, ok := c.Groups[g.ID]; !ok {
			c.Groups[g.ID] = nil
		}
	}
	return c
}

// text renders steps like Marathon's documentation: "{Stop b}; {Start c}".
func text(steps []Step) string {
	if len(steps) == 0 {
		return "no steps\n"
	}
	var out strings.Builder
	for _, s := range steps {
		var actions []string
		for _, a := range s.Actions {
			one := fmt.Sprintf("%s %s", strings.TrimSuffix(a.Kind.String(), "Application"), a.App)
			if a.Kind == Scale || a.Kind == Restart {
				one += fmt.Sprintf(" to %d", a.To)
			}
			actions = append(actions, one)
		}
		out.WriteString(strings.Join(actions, ", ") + "\n")
	}
	return out.String()
}

// describe renders a change in the form that parse reads; "-" takes away.
func describe(c spec.TreeChange) string {
	var lines []string
	needs := func(ids []spec.PathID) string {
		if len(ids) == 0 {
			return ""
		}
		names := make([]string, len(ids))
		for i, id := range ids {
			names[i] = string(id)
		}
		return " needs=" + strings.Join(names, ",")
	}
	for id, a := range c.Apps {
		if a == nil {
			lines = append(lines, "- "+string(id))
			continue
		}
		line := fmt.Sprintf("%s %d%s", id, a.Instances, needs(a.Dependencies))
		if a.Cmd != "" {
			line += " cmd=" + a.Cmd
		}
		lines = append(lines, line)
	}
	for id, g := range c.Groups {
		if g == nil {
			lines = append(lines, "- "+string(id)+"/")
			continue
		}
		lines = append(lines, string(id)+"/"+needs(g.Dependencies))
	}
	if len(lines) == 0 {
		return "nothing\n"
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// BenchmarkMake plans a new group of 1,000 apps, each of which depends on the one
// before it, and a change of one app among them.
func BenchmarkMake(b *testing.B) {
	c := spec.TreeChange{Apps: map[spec.PathID]*spec.App{}, Groups: map[spec.PathID]*spec.Group{"/g": {ID: "/g"}}}
	for i := range 1000 {
		app := &spec.App{ID: spec.PathID(fmt.Sprintf("/g/a%d", i)), Instances: 1}
		if i > 0 {
			app.Dependencies = []spec.PathID{spec.PathID(fmt.Sprintf("/g/a%d", i-1))}
		}
		c.Apps[app.ID] = app
	}
	_, tree, _ := Make(spec.Tree{}, c, Options{Version: 1})
	one := *c.Apps["/g/a0"]
	one.Cmd = "new"
	for _, bench := range []struct {
		name   string
		before spec.Tree
		change spec.TreeChange
		steps  int
	}{
		{"1000 dependent apps", spec.Tree{}, c, 1001},
		{"1 of 1000 apps", tree, spec.TreeChange{Apps: map[spec.PathID]*spec.App{one.ID: &one}}, 1},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				p, _, err := Make(bench.before, bench.change, Options{Version: 2})
				if err != nil || len(p.Steps) != bench.steps {
					b.Fatal(err, len(p.Steps))
				}
			}
		})
	}
}
