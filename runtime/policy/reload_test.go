package policy_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// What a version prepared goes on with it; what is prepared later has the new one.
// The version before is kept to go back to, the one before that is closed.
func TestReload(t *testing.T) {
	w := newWorld(t, offering("1", 1, "NEAR"))
	first, before := w.near(t), w.Generation()
	w.loader.put("a", "digest-b", offering("2", 2, "NEAR", "FAR"))
	if err := w.Reload(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	if !stale(first) || w.Generation() == before || quota(t, first) != 1 {
		t.Error("what was prepared before is not stale, or asks the new version")
	}
	second := w.near(t)
	if stale(second) || quota(t, second) != 2 || !slices.Equal(w.Operators(), []string{"NEAR", "FAR"}) {
		t.Errorf("quota %d, operators %v", quota(t, second), w.Operators())
	}
	if m := w.module(t); m.Version != "2" || m.Digest != "digest-b" || m.Rollback != "digest-a" || m.Reloads != 1 || m.Signer != "team" {
		t.Errorf("%+v", m)
	}
	w.loader.put("a", "digest-c", offering("3", 3, "NEAR"))
	if err := w.Reload(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	if quota(t, first) != 1 || quota(t, second) != 2 || len(w.loader.open()) != 3 {
		t.Error("a version was closed that is in use")
	}
	first.Close()
	second.Close()
	if err := w.Close(t.Context()); err != nil || len(w.loader.open()) != 0 {
		t.Errorf("%v, %d modules are open", err, len(w.loader.open()))
	}
}

// A version that cannot be loaded changes nothing.
func TestReloadFails(t *testing.T) {
	w := newWorld(t, offering("1", 1, "NEAR"), func(c *policy.Config) {
		c.Builtins = []sdk.Constraint{named("EVEN")}
	})
	p := w.near(t)
	defer p.Close()
	for _, tt := range []struct {
		make func() (*fakeModule, error)
		want string
	}{
		{func() (*fakeModule, error) { return nil, errors.New("not a module") }, "reload failed: not a module"},
		{offering("2", 2, "NEAR", "EVEN"), "reload failed: the operator EVEN is built in"},
	} {
		w.loader.put("a", "digest-x", tt.make)
		err := w.Reload(t.Context(), "m")
		if _, ok := errors.AsType[*policy.WrongState](err); !ok {
			t.Errorf("error %v", err)
		}
		if m := w.module(t); m.State != policy.Active || m.Version != "1" || m.Notice != tt.want || m.Reloads != 0 {
			t.Errorf("%+v", m)
		}
	}
	if stale(p) || quota(t, p) != 1 || len(w.loader.made) != 2 {
		t.Error("the version in use was touched")
	}
	var unknown *policy.Unknown
	if err := w.Reload(t.Context(), "n"); !errors.As(err, &unknown) || err.Error() != "there is no policy module n" {
		t.Errorf("error %v", err)
	}
	var wrong *policy.WrongState
	if err := w.Reload(t.Context(), "builtin-constraint"); !errors.As(err, &wrong) {
		t.Errorf("error %v", err)
	}
}

// No evaluation fails, whatever is reloaded meanwhile, and no version is left over.
func TestReloadsWhileInUse(t *testing.T) {
	const reloads = 100
	w := newWorld(t, offering("0", 7, "NEAR"))
	done := make(chan struct{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { useUntil(t, w, done) })
	}
	group.Go(func() {
		for len(w.Modules()) == 2 {
			select {
			case <-done:
				return
			default:
				w.Look(t.Context())
			}
		}
		t.Error("a module is missing")
	})
	for i := range reloads {
		w.loader.put("a", strconv.Itoa(i), offering(strconv.Itoa(i), 7, "NEAR"))
		if err := w.Reload(t.Context(), "m"); err != nil {
			t.Error(err)
		}
	}
	close(done)
	group.Wait()
	if m := w.module(t); m.Faults != 0 || m.Reloads < reloads || m.Version != strconv.Itoa(reloads-1) {
		t.Errorf("%+v", m)
	}
	if err := w.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for _, m := range w.loader.made {
		if !m.closed.Load() || m.prepared.Load() != 0 {
			t.Errorf("version %s: closed %v, %d prepared", m.description.Version, m.closed.Load(), m.prepared.Load())
		}
	}
}

// useUntil is what a matcher does until it is told to stop.
func useUntil(t *testing.T, w *world, done <-chan struct{}) {
	spec := sdk.ConstraintSpec{Field: "f", Operator: "NEAR"}
	for {
		select {
		case <-done:
			return
		default:
		}
		p, err := w.Prepare(t.Context(), spec)
		if err != nil {
			t.Error(err)
			return
		}
		for n := 0; n < 50 && !stale(p); n++ {
			if answer, err := p.Evaluate(t.Context(), placed()); err != nil || answer.Quota[1] != 7 {
				t.Errorf("%v, %v", answer, err)
			}
		}
		p.Close()
	}
}

// Versions that nobody uses are closed at once: two are open at most.
func TestReloadsLeaveNothing(t *testing.T) {
	w := newWorld(t, offering("0", 1, "NEAR"))
	for i := range 50 {
		w.near(t).Close()
		if err := w.Reload(t.Context(), "m"); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := w.Disable(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.loader.open()); n != 0 {
		t.Errorf("%d modules are open", n)
	}
}

// Files are looked at: what changed is reloaded once, whether that works or not.
func TestLook(t *testing.T) {
	w := newWorld(t, offering("1", 1, "NEAR"))
	w.Look(t.Context())
	w.loader.put("a", "digest-b", func() (*fakeModule, error) { return nil, errors.New("half a file") })
	w.Look(t.Context())
	w.Look(t.Context())
	if m := w.module(t); w.loader.loads != 2 || m.Version != "1" || !strings.Contains(m.Notice, "half a file") {
		t.Errorf("%d loads, %+v", w.loader.loads, m)
	}
	w.loader.put("a", "digest-c", offering("2", 1, "NEAR"))
	w.Look(t.Context())
	w.Look(t.Context())
	if m := w.module(t); w.loader.loads != 3 || m.Version != "2" || m.Notice != "" {
		t.Errorf("%d loads, %+v", w.loader.loads, m)
	}
	w.loader.touched("a") // the same bytes
	w.Look(t.Context())
	if m := w.module(t); w.loader.loads != 4 || m.Reloads != 1 {
		t.Errorf("%d loads, %+v", w.loader.loads, m)
	}
}

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

// Loading the same version once more leaves the one before it as that to go back to.
func TestReloadOfTheSame(t *testing.T) {
	w := newWorld(t, offering("1", 1, "NEAR"))
	w.loader.put("a", "digest-b", offering("2", 2, "NEAR"))
	for range 2 {
		if err := w.Reload(t.Context(), "m"); err != nil {
			t.Fatal(err)
		}
		if m := w.module(t); m.Digest != "digest-b" || m.Rollback != "digest-a" {
			t.Errorf("%+v", m)
		}
	}
	if err := w.Close(t.Context()); err != nil || len(w.loader.open()) != 0 {
		t.Errorf("%v, %d modules are open", err, len(w.loader.open()))
	}
}

func TestDisableAndEnable(t *testing.T) {
	w := newWorld(t, offering("1", 1, "NEAR"))
	p := w.near(t)
	if err := w.Disable(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	if m := w.module(t); m.State != policy.Disabled || !stale(p) || quota(t, p) != 1 {
		t.Errorf("%+v", m)
	}
	p.Close()
	var invalid *sdk.Invalid
	if _, err := w.Prepare(t.Context(), sdk.ConstraintSpec{Operator: "NEAR"}); !errors.As(err, &invalid) {
		t.Errorf("error %v", err)
	}
	var wrong *policy.WrongState
	if err := w.Disable(t.Context(), "m"); !errors.As(err, &wrong) || err.Error() != "the policy module m is off already" {
		t.Errorf("error %v", err)
	}
	if err := w.Reload(t.Context(), "m"); !errors.As(err, &wrong) || err.Error() != "the policy module m is off; it can be enabled" {
		t.Errorf("error %v", err)
	}
	if err := w.Enable(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	w.near(t).Close()
	if err := w.Enable(t.Context(), "m"); !errors.As(err, &wrong) || err.Error() != "the policy module m is active already" {
		t.Errorf("error %v", err)
	}
	want := []string{"m  loading", "m 1 active", "m 1 off", "m 1 active"}
	if diff := cmp.Diff(want, w.events.states()); diff != "" {
		t.Error(diff)
	}
}

// The modules that have to be there are named, each with what is wrong with it.
func TestRequired(t *testing.T) {
	w := newWorld(t, offering("1", 1, "NEAR"), func(c *policy.Config) {
		c.Modules = append(c.Modules,
			policy.ModuleConfig{Name: "n", Ref: policy.Ref{Ref: "nowhere"}},
			policy.ModuleConfig{Name: "o", Ref: policy.Ref{Ref: "nowhere"}, Optional: true},
			policy.ModuleConfig{Name: "p", Ref: policy.Ref{Ref: "a"}},
			policy.ModuleConfig{Name: "q", Ref: policy.Ref{Ref: "nowhere"}, Mode: policy.Off},
			policy.ModuleConfig{Name: "r", Ref: policy.Ref{Ref: "r"}, OnFailure: policy.Hold},
		)
		c.Loader.(*fakeLoader).put("r", "digest-r", offering("1", 1, "FAR"))
	})
	want := "the policy module n: there is nothing at nowhere\n" +
		"the policy module p: the operator NEAR is offered already by fake@1 (m)\n" +
		"the policy module r: onFailure: hold is not for the kind constraint, whose failures can be closed or static"
	if err := w.Required(t.Context()); err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
}

// One module may offer several kinds.
func TestModuleOfSeveralKinds(t *testing.T) {
	w := newWorld(t, func() (*fakeModule, error) {
		return &fakeModule{quota: 3, description: wire.Description{
			Name: "all", Version: "1.0.0", Operators: []string{"NEAR"}, Strategies: []string{"careful"}, Rules: []string{"mild"}, Fetchers: []string{"local"},
			Admission: []string{"limits"},
		}}, nil
	})
	u, err := w.PrepareUpgrade(t.Context(), sdk.UpgradeSpec{Strategy: "careful"})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if step, err := u.Next(t.Context(), sdk.UpgradeState{}); err != nil || step.Start != 3 {
		t.Errorf("%+v, %v", step, err)
	}
	h, err := w.PrepareHealth(t.Context(), sdk.HealthSpec{Rule: "mild"})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if verdicts, err := h.Judge(t.Context(), make([]sdk.HealthHistory, 2)); err != nil || len(verdicts) != 2 {
		t.Errorf("%+v, %v", verdicts, err)
	}
	m := w.module(t)
	want := map[string]string{"constraint": "closed", "fetch": "closed", "upgrade": "hold", "health": "static", "admission": "closed"}
	if diff := cmp.Diff(want, m.OnFailure); diff != "" || len(m.Kinds) != 5 || m.Calls != 4 || m.Fuel != 2000 || m.Cost.FuelP99 < 800 {
		t.Errorf("%+v %s", m, diff)
	}
	if m.Cost.TimeP99 <= 0 || m.Cost.TimeP99 > time.Hour {
		t.Errorf("time %v", m.Cost.TimeP99)
	}
}
