package policy_test

import (
	"errors"
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
