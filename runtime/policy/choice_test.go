package policy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy"
)

// kept is where choices are kept beyond the life of a catalog.
type kept struct {
	choices []policy.Choice
	err     error
}

func (k *kept) keep(_ context.Context, choices []policy.Choice) error {
	k.choices = slices.Clone(choices)
	return k.err
}

func (k *kept) String() string {
	var b strings.Builder
	for _, c := range k.choices {
		fmt.Fprintf(&b, "%s %s of=%s from=%s %s;", c.Module, c.Mode, c.Of, c.From, c.Digest)
	}
	return b.String()
}

// node is a server with the modules m at ref a, its candidate s at ref b, and one that is
// off, r at ref c.
func (k *kept) node(t *testing.T, configure ...func(*policy.Config)) *world {
	t.Helper()
	w := newWorld(t, offering("1", 1, "NEAR"), append([]func(*policy.Config){func(c *policy.Config) {
		c.Modules = append(c.Modules,
			policy.ModuleConfig{Name: "s", Ref: policy.Ref{Ref: "b"}, Mode: policy.Shadow, Of: "m"},
			policy.ModuleConfig{Name: "r", Ref: policy.Ref{Ref: "c"}, Mode: policy.Off})
		c.Keep = k.keep
		l := c.Loader.(*fakeLoader)
		l.put("b", "digest-b", offering("2", 2, "NEAR"))
		l.put("c", "digest-c", offering("3", 3, "REST"))
	}}, configure...)...)
	if err := w.Resume(t.Context(), k.choices); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) state(t *testing.T, id string) string {
	t.Helper()
	m, err := w.Module(id)
	if err != nil {
		t.Fatal(err)
	}
	return m.State.String() + " " + m.Version
}

// What was chosen holds for the next leader: it must not undo that a module was
// switched off, nor a promotion.
func TestChoicesOutliveALeader(t *testing.T) {
	type calls = func(*world, context.Context) error
	disable := func(id string) calls {
		return func(w *world, ctx context.Context) error { return w.Disable(ctx, id) }
	}
	enable := func(id string) calls {
		return func(w *world, ctx context.Context) error { return w.Enable(ctx, id) }
	}
	promote := func(w *world, ctx context.Context) error { return w.Promote(ctx, "s") }
	for _, tt := range []struct {
		name    string
		calls   []calls
		kept    string
		m, s, r string // states
	}{
		{"nothing", nil, "", "active 1", "shadow 2", "off "},
		{"off", []calls{disable("m")}, "m off of= from= ;", "off ", "shadow 2", "off "},
		{"off and on", []calls{disable("m"), enable("m")}, "", "active 1", "shadow 2", "off "},
		{"no shadow", []calls{disable("s")}, "s off of= from= ;", "active 1", "off ", "off "},
		{"on", []calls{enable("r")}, "r enforce of= from= ;", "active 1", "shadow 2", "active 3"},
		{"on and off", []calls{enable("r"), disable("r")}, "", "active 1", "shadow 2", "off "},
		{"promoted", []calls{promote}, "m enforce of= from=s digest-b;s off of= from= ;", "active 2", "off ", "off "},
		{
			"promoted, and off",
			[]calls{promote, disable("m")},
			"m off of= from=s digest-b;s off of= from= ;", "off ", "off ", "off ",
		},
		{
			"a shadow",
			[]calls{func(w *world, ctx context.Context) error { return w.Shadow(ctx, "r", "m") }},
			"r shadow of=m from= ;", "active 1", "shadow 2", "shadow 3",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := &kept{}
			w := k.node(t)
			for _, call := range tt.calls {
				if err := call(w, t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 { // that leader, the next one, and the one after it
				if got := [3]string{w.state(t, "m"), w.state(t, "s"), w.state(t, "r")}; got != [3]string{tt.m, tt.s, tt.r} || k.String() != tt.kept {
					t.Errorf("%q, kept %s; want %q %q %q, kept %s", got, k, tt.m, tt.s, tt.r, tt.kept)
				}
				w = k.node(t)
			}
		})
	}
}

// What was promoted stays promoted when it is switched off and on by another leader.
func TestAPromotedModuleIsEnabled(t *testing.T) {
	k := &kept{}
	w := k.node(t)
	if err := errors.Join(w.Promote(t.Context(), "s"), w.Disable(t.Context(), "m")); err != nil {
		t.Fatal(err)
	}
	w = k.node(t)
	if err := w.Enable(t.Context(), "m"); err != nil || w.state(t, "m") != "active 2" {
		t.Errorf("%s, %v", w.state(t, "m"), err)
	}
	if m := w.module(t); m.Choice == nil || m.Choice.From != "s" || m.Choice.Mode != "enforce" || !m.Choice.At.Equal(w.clock.now()) {
		t.Errorf("%+v", m.Choice)
	}
}

// A choice holds until the module's line is another one; those of modules that are not
// here are kept for who has them.
func TestTheListEndsAChoice(t *testing.T) {
	k := &kept{choices: []policy.Choice{{Module: "elsewhere", Mode: "off"}, {Module: "later", Mode: "off"}}}
	list := []policy.ModuleConfig{{Name: "m", Ref: policy.Ref{Ref: "a"}}}
	reread := list
	w := k.node(t, func(c *policy.Config) {
		c.Modules = list
		c.Reread = func() ([]policy.ModuleConfig, bool, error) { return reread, true, nil }
	})
	if err := w.Disable(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	w.Look(t.Context())
	if w.state(t, "m") != "off " || k.String() != "elsewhere off of= from= ;later off of= from= ;m off of= from= ;" {
		t.Errorf("%s, kept %s", w.state(t, "m"), k)
	}
	reread = []policy.ModuleConfig{{Name: "m", Ref: policy.Ref{Ref: "b"}}, {Name: "later", Ref: policy.Ref{Ref: "c"}}}
	w.Look(t.Context())
	if w.state(t, "m") != "active 2" || w.state(t, "later") != "active 3" || k.String() != "elsewhere off of= from= ;" {
		t.Errorf("%s, %s, kept %s", w.state(t, "m"), w.state(t, "later"), k)
	}
	if err := w.Disable(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	reread = nil
	w.Look(t.Context())
	if k.String() != "elsewhere off of= from= ;" {
		t.Errorf("kept %s", k)
	}
}

// A choice is about the module that the operator called so, not about one that calls
// itself so; a shadow's is kept by the operator's name of the other module.
func TestAChoiceKnowsModulesByTheOperatorsNames(t *testing.T) {
	k := &kept{choices: []policy.Choice{{Module: "fake", Mode: "off"}}}
	w := k.node(t)
	if w.state(t, "m") != "active 1" {
		t.Error(w.state(t, "m"))
	}
	w.Compare(policy.Lineup{Server: "first", Modules: []policy.InUse{{ID: "fake", Module: "fake@0"}}})
	if list := w.Modules(); list[len(list)-1].ID != "fake" || list[len(list)-1].State != policy.Missing {
		t.Errorf("%+v", list[len(list)-1])
	}
	if err := w.Disable(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if err := w.Shadow(t.Context(), "s", "fake"); err != nil || k.String() != "fake off of= from= ;" {
		t.Errorf("%v, kept %s", err, k)
	}
}

// What cannot be taken over is told, and is not lost.
func TestAChoiceThatCannotBeTakenOver(t *testing.T) {
	for want, choice := range map[string]policy.Choice{
		"it is not promoted from s, as chosen at 0001-01-01T00:00:00Z: what s has here is digest-b, and digest-z was promoted": {
			Module: "m", Mode: "enforce", From: "s", Digest: "digest-z",
		},
		"it is not promoted from x, as chosen at 0001-01-01T00:00:00Z: there is no policy module x": {
			Module: "m", Mode: "enforce", From: "x", Digest: "digest-z",
		},
		"it is not as chosen at 0001-01-01T00:00:00Z: there is no policy module x": {
			Module: "m", Mode: "off", From: "x", Digest: "digest-z",
		},
		"as chosen at 0001-01-01T00:00:00Z": {Module: "m", Mode: "off"},
	} {
		k := &kept{choices: []policy.Choice{choice}}
		w := k.node(t)
		if m := w.module(t); m.Notice != want || m.Choice == nil {
			t.Errorf("%q, want %q; choice %v", m.Notice, want, m.Choice)
		}
		if got, want := w.state(t, "m"), map[string]string{"off": "off ", "enforce": "active 1"}[choice.Mode]; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Who chose is told when it is not kept.
func TestAChoiceThatIsNotKept(t *testing.T) {
	k := &kept{err: errors.New("no store")}
	w := k.node(t)
	if err := w.Disable(t.Context(), "m"); err == nil || err.Error() != "it is done, and not kept for the next leader: no store" || w.state(t, "m") != "off " {
		t.Errorf("%s, %v", w.state(t, "m"), err)
	}
}

// What the operator has written into the list meanwhile is no choice any more: the next
// change of the list, at whatever time, has its way.
func TestAChoiceThatTheListHasByNow(t *testing.T) {
	for name, tt := range map[string]struct {
		choices []policy.Choice
		list    policy.ModuleConfig
		m       string
	}{
		"off":      {[]policy.Choice{{Module: "m", Mode: "off"}}, policy.ModuleConfig{Name: "m", Ref: policy.Ref{Ref: "a"}, Mode: policy.Off}, "off "},
		"promoted": {[]policy.Choice{{Module: "m", Mode: "enforce", From: "s", Digest: "digest-b"}}, policy.ModuleConfig{Name: "m", Ref: policy.Ref{Ref: "b"}}, "active 2"},
	} {
		k := &kept{choices: tt.choices}
		w := k.node(t, func(c *policy.Config) { c.Modules = []policy.ModuleConfig{tt.list} })
		if w.state(t, "m") != tt.m || w.module(t).Choice != nil || k.String() != "" {
			t.Errorf("%s: %s, kept %s", name, w.state(t, "m"), k)
		}
	}
}
