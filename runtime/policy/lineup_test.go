package policy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
)

// lineupOf is the lineup of a server with the modules, as the next leader reads it.
func lineupOf(t *testing.T, modules map[string]func() (*fakeModule, error), configure func(*policy.ModuleConfig)) policy.Lineup {
	t.Helper()
	text, err := json.Marshal(policy.Lineup{Server: "first:8080", Modules: serverOf(t, modules, configure).Lineup()})
	if err != nil {
		t.Fatal(err)
	}
	var last policy.Lineup
	if err := json.Unmarshal(text, &last); err != nil {
		t.Fatal(err)
	}
	return last
}

// serverOf has modules under their names; one's digest is that of its version.
func serverOf(t *testing.T, modules map[string]func() (*fakeModule, error), configure func(*policy.ModuleConfig)) *world {
	t.Helper()
	return newWorld(t, offering("0", 0, "FIRST"), func(c *policy.Config) {
		c.Builtins, c.Modules = []sdk.Constraint{named("EVEN")}, nil
		for id, version := range modules {
			digest := ""
			if m, err := version(); err == nil {
				digest = "digest-" + m.description.Version
			}
			c.Loader.(*fakeLoader).put(id, digest, version)
			m := policy.ModuleConfig{Name: id, Ref: policy.Ref{Ref: id}}
			if configure != nil {
				configure(&m)
			}
			c.Modules = append(c.Modules, m)
		}
		slices.SortFunc(c.Modules, func(a, b policy.ModuleConfig) int { return strings.Compare(a.Name, b.Name) })
	})
}

// Two servers with different files: who comes to lead tells of each module that is
// another one than it was, and who needs what is not here is told so.
func TestTheNextLeaderTellsHowItsModulesDiffer(t *testing.T) {
	type modules = map[string]func() (*fakeModule, error)
	last := lineupOf(t, modules{
		"same": offering("1", 1, "SAME"), "newer": offering("1", 1, "NEWER", "DROPPED"), "gone": offering("1", 1, "GONE"), "off": offering("1", 1, "OFF"),
	}, nil)
	w := serverOf(t, modules{
		"same": offering("1", 1, "SAME"), "newer": offering("2", 1, "NEWER"), "off": offering("1", 1, "OFF"), "more": offering("3", 1, "MORE"),
	}, func(m *policy.ModuleConfig) {
		if m.Name == "off" {
			m.Mode = policy.Off
		}
	})
	before := len(w.events.list)
	w.Compare(last)
	var told []string
	for _, e := range w.events.list[before:] {
		told = append(told, e.Module+" "+e.Version+" "+e.State+": "+e.Cause)
	}
	slices.Sort(told)
	want := []string{
		"gone 1 missing: the last leader, first:8080, asked fake@1 (digest-1); this server has no such module",
		"more 3 active: the last leader, first:8080, did not ask it",
		"newer 2 active: the last leader, first:8080, asked fake@1 (digest-1); here it is fake@2 (digest-2)",
		"off  off: the last leader, first:8080, asked fake@1 (digest-1); here it is off",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	for operator, want := range map[string]string{
		"GONE":    "; the policy module gone (fake@1), of which the last leader, first:8080, had GONE, is not on this server",
		"OFF":     "; the policy module off (fake@1), of which the last leader, first:8080, had OFF, is off",
		"DROPPED": "; the policy module newer (fake@1), of which the last leader, first:8080, had DROPPED, is another version here, fake@2",
	} {
		if text, module := refusal(t, w, operator); !strings.HasSuffix(text, want) || module != "fake@1" {
			t.Errorf("%q by %q", text, module)
		}
	}
	list := w.Modules()
	missing := list[len(list)-1]
	if missing.ID != "gone" || missing.State != policy.Missing || missing.State.String() != "missing" || !cmp.Equal(missing.Operators, []string{"GONE"}) ||
		missing.Version != "1" || missing.Error == "" || missing.Kind != "constraint" {
		t.Errorf("%+v", missing)
	}
	if m, err := w.Module("newer"); err != nil || !strings.Contains(m.Differs, "here it is fake@2") {
		t.Errorf("%q, %v", m.Differs, err)
	}
	// What becomes another one here is told no more.
	if err := w.Reload(t.Context(), "newer"); err != nil {
		t.Fatal(err)
	}
	if m, err := w.Module("newer"); err != nil || m.Differs != "" {
		t.Errorf("%q, %v", m.Differs, err)
	}
}

// The same modules with other settings answer otherwise, too; with the same ones nothing
// is told.
func TestTheNextLeaderComparesSettings(t *testing.T) {
	modules := map[string]func() (*fakeModule, error){"m": offering("1", 1, "NEAR")}
	per := func(n string) func(*policy.ModuleConfig) {
		return func(m *policy.ModuleConfig) { m.Settings = json.RawMessage(`{"per":` + n + `}`) }
	}
	last := lineupOf(t, modules, per("1"))
	for n, want := range map[string]string{"1": "", "2": "the last leader, first:8080, asked it with other settings, files, arguments, variables, limits, grants or another onFailure"} {
		w := serverOf(t, modules, per(n))
		before := len(w.events.list)
		w.Compare(last)
		if m := w.module(t); m.Differs != want || len(w.events.list)-before != min(len(want), 1) {
			t.Errorf("%q and %d events, want %q", m.Differs, len(w.events.list)-before, want)
		}
	}
	w := serverOf(t, modules, per("1"))
	if err := w.Disable(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	w.Compare(last)
	if m := w.module(t); m.Differs != "" {
		t.Errorf("what was chosen is no difference: %q", m.Differs)
	}
}
