package policy_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy"
)

// The operator's list may change while it is in use.
func TestReread(t *testing.T) {
	list := []policy.ModuleConfig{{Name: "m", Ref: policy.Ref{Ref: "a"}}}
	changed := false
	w := newWorld(t, offering("1", 1, "NEAR"), func(c *policy.Config) {
		c.Reread = func() ([]policy.ModuleConfig, bool, error) { return list, changed, nil }
	})
	w.loader.put("b", "digest-b", offering("1", 1, "FAR"))
	w.loader.put("c", "digest-c", offering("2", 1, "NEAR"))
	for _, tt := range []struct {
		list []policy.ModuleConfig
		want []string // module, version, state
	}{
		{[]policy.ModuleConfig{{Name: "m", Ref: policy.Ref{Ref: "a"}}, {Name: "n", Ref: policy.Ref{Ref: "b"}}}, []string{"m 1 active", "n 1 active"}},
		{[]policy.ModuleConfig{{Name: "m", Ref: policy.Ref{Ref: "c"}}, {Name: "n", Ref: policy.Ref{Ref: "b"}, Mode: policy.Off}}, []string{"m 2 active", "n  off"}},
		{[]policy.ModuleConfig{{Name: "n", Ref: policy.Ref{Ref: "b"}}}, []string{"m  off", "n 1 active"}},
	} {
		list, changed = tt.list, true
		w.Look(t.Context())
		var got []string
		for _, m := range w.Modules()[1:] {
			got = append(got, m.ID+" "+m.Version+" "+m.State.String())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// A line is about the module that the operator calls so, not about one that calls itself so.
func TestRereadKnowsModulesByTheOperatorsNames(t *testing.T) {
	list := []policy.ModuleConfig{{Name: "m", Ref: policy.Ref{Ref: "a"}}}
	w := newWorld(t, offering("1", 1, "NEAR"), func(c *policy.Config) {
		c.Reread = func() ([]policy.ModuleConfig, bool, error) { return list, true, nil }
	})
	w.loader.put("b", "digest-b", offering("2", 1, "FAR"))
	list = append(list, policy.ModuleConfig{Name: "fake", Ref: policy.Ref{Ref: "b"}})
	w.Look(t.Context())
	if !slices.Equal(w.Operators(), []string{"NEAR", "FAR"}) || w.module(t).Version != "1" {
		t.Errorf("operators %v, %+v", w.Operators(), w.module(t))
	}
	list = list[:1]
	w.Look(t.Context())
	if !slices.Equal(w.Operators(), []string{"NEAR"}) {
		t.Errorf("operators %v", w.Operators())
	}
}

// A reload takes a module that is new in the list, and says why one cannot be loaded.
func TestReloadOfWhatIsNew(t *testing.T) {
	list := []policy.ModuleConfig{{Name: "m", Ref: policy.Ref{Ref: "a"}}}
	w := newWorld(t, offering("1", 1, "NEAR"), func(c *policy.Config) {
		c.Reread = func() ([]policy.ModuleConfig, bool, error) { return list, true, nil }
	})
	w.loader.put("b", "digest-b", offering("2", 1, "FAR"))
	list = append(list, policy.ModuleConfig{Name: "n", Ref: policy.Ref{Ref: "b"}}, policy.ModuleConfig{Name: "none", Ref: policy.Ref{Ref: "c"}})
	if err := w.Reload(t.Context(), "n"); err != nil || !slices.Equal(w.Operators(), []string{"NEAR", "FAR"}) {
		t.Errorf("%v, operators %v", err, w.Operators())
	}
	for _, tt := range []struct {
		m    policy.ModuleConfig
		name string
		want string
	}{
		{policy.ModuleConfig{Name: "bad", Ref: policy.Ref{Ref: "d"}}, "bad", "the policy module bad was not loaded: there is nothing at d"},
		{policy.ModuleConfig{Name: "off", Mode: policy.Off}, "off", "the policy module off is off; it can be enabled"},
		{policy.ModuleConfig{Name: "more", Mode: policy.Off}, "x", "there is no policy module x"},
	} {
		list = append(list, tt.m)
		if err := w.Reload(t.Context(), tt.name); err == nil || err.Error() != tt.want {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
}

// A list that is wrong is told to everybody who reloads, and to the log once.
func TestAWrongListIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	wrong := errors.New("line 3")
	w := newWorld(t, offering("1", 1, "NEAR"), func(c *policy.Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
		c.Reread = func() ([]policy.ModuleConfig, bool, error) { return nil, false, wrong }
	})
	for range 2 {
		w.Look(t.Context())
		if err := w.Reload(t.Context(), "m"); err == nil || err.Error() != "the list of policy modules is not taken over: line 3" {
			t.Error(err)
		}
	}
	wrong = errors.New("line 4")
	w.Look(t.Context())
	if got := strings.Count(log.String(), "the list of policy modules is not taken over"); got != 2 {
		t.Errorf("%d lines: %s", got, log.String())
	}
}

// A line of the list with the name of a file in the folder is about the line's module; the
// file has its whole name then, as at the start.
func TestALineTakesTheNameOfAFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.wasm")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var list []policy.ModuleConfig
	w := newWorld(t, offering("1", 1, "NEAR"), func(c *policy.Config) {
		c.Dir, c.Modules = dir, nil
		c.Loader.(*fakeLoader).put("file:"+path, "digest-x", offering("1", 1, "NEAR"))
		c.Loader.(*fakeLoader).put("b", "digest-b", offering("2", 1, "FAR"))
		c.Reread = func() ([]policy.ModuleConfig, bool, error) { return list, true, nil }
	})
	list = []policy.ModuleConfig{{Name: "x", Ref: policy.Ref{Ref: "b"}}}
	w.Look(t.Context())
	for name, want := range map[string]string{"x": "2", "x.wasm": "1"} {
		if m, err := w.Module(name); err != nil || m.Version != want || m.State != policy.Active {
			t.Errorf("%s: %+v %v", name, m, err)
		}
	}
}

// hanging is a loader of which one reference is not to be had, until somebody gives up.
type hanging struct {
	*fakeLoader

	ref   string
	began chan struct{}
}

func (l *hanging) Load(ctx context.Context, m policy.ModuleConfig, ref policy.Ref) (policy.Loaded, error) {
	if ref.Ref != l.ref {
		return l.fakeLoader.Load(ctx, m, ref)
	}
	l.began <- struct{}{}
	<-ctx.Done()
	return policy.Loaded{}, ctx.Err()
}

// Whoever takes a module out of use does not wait for a registry that does not answer:
// what is looked at by itself gives way, and is looked at again.
func TestALookGivesWay(t *testing.T) {
	list := []policy.ModuleConfig{{Name: "m", Ref: policy.Ref{Ref: "a"}}}
	began := make(chan struct{})
	w := newWorld(t, offering("1", 1, "NEAR"), func(c *policy.Config) {
		c.Loader = &hanging{c.Loader.(*fakeLoader), "far", began}
		c.Reread = func() ([]policy.ModuleConfig, bool, error) { return list, true, nil }
	})
	w.loader.put("far", "digest-far", offering("1", 1, "FAR"))
	list = append(list, policy.ModuleConfig{Name: "n", Ref: policy.Ref{Ref: "far"}})
	for range 2 { // as a new line, and as one that could not be loaded
		looked := make(chan struct{})
		go func() {
			defer close(looked)
			w.Look(t.Context())
		}()
		<-began
		change := w.Disable
		if w.module(t).State == policy.Disabled {
			change = w.Enable
		}
		if err := change(t.Context(), "m"); err != nil {
			t.Error(err)
		}
		<-looked
		if n, err := w.Module("n"); err != nil || n.State != policy.Failed || n.Error != "given up for another change of the modules; it is tried again" {
			t.Errorf("%+v, %v", n, err)
		}
	}
}

// What the list says and could not be loaded is tried again, by a reload as well as
// when its file changes, and not what it said before.
func TestRereadLater(t *testing.T) {
	for name, again := range map[string]func(*world) error{
		"reload": func(w *world) error { return w.Reload(t.Context(), "m") },
		"look": func(w *world) error {
			w.Look(t.Context())
			return nil
		},
	} {
		list, changed := []policy.ModuleConfig{{Name: "m", Ref: policy.Ref{Ref: "a"}}}, false
		w := newWorld(t, offering("1", 1, "NEAR"), func(c *policy.Config) {
			c.Reread = func() ([]policy.ModuleConfig, bool, error) { return list, changed, nil }
		})
		w.loader.put("b", "digest-x", func() (*fakeModule, error) { return nil, errors.New("not pinned") })
		list, changed = []policy.ModuleConfig{{Name: "m", Ref: policy.Ref{Ref: "b"}}}, true
		w.Look(t.Context())
		if m := w.module(t); m.Version != "1" || m.Notice != "reload failed: not pinned" {
			t.Errorf("%s: %+v", name, m)
		}
		changed = false
		w.loader.put("b", "digest-b", offering("2", 2, "NEAR"))
		if err := again(w); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if m := w.module(t); m.Version != "2" || m.Ref != "b" || m.Notice != "" {
			t.Errorf("%s: %+v", name, m)
		}
	}
}
