package policy_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// everything is a module of all kinds that fails when it should: with a trap, or
// with an error in good order.
func everything(fault func() *sdk.Fault) func() (*fakeModule, error) {
	return func() (*fakeModule, error) {
		m := &fakeModule{quota: 1, description: wire.Description{
			Name: "fake", Version: "1", Operators: []string{"NEAR"}, Strategies: []string{"slow"}, Rules: []string{"calm"},
			Admission: []string{"strict"}, Fetchers: []string{"mirror"},
		}}
		m.ask = func(remote.Kind) error {
			if f := fault(); f != nil {
				return f
			}
			return nil
		}
		return m, nil
	}
}

func trapped() *sdk.Fault { return &sdk.Fault{Module: "fake@1", Cause: "unreachable", Trap: true} }

// Traps are told apart from errors that a module answered in good order.
func TestTrapsAreCounted(t *testing.T) {
	fault := trapped()
	w := newWorld(t, everything(func() *sdk.Fault { return fault }))
	p := w.near(t)
	defer p.Close()
	if _, err := p.Evaluate(t.Context(), placed()); !cmp.Equal(err, error(&sdk.Fault{Module: "fake@1", Kind: "constraint", Cause: "unreachable", Trap: true})) {
		t.Errorf("error %#v", err)
	}
	fault = &sdk.Fault{Module: "fake@1", Cause: "sorry"}
	causeOf(t, p)
	m := w.module(t)
	if m.Faults != 2 || m.Traps != 1 || m.Last.Trap {
		t.Errorf("%+v", m)
	}
	w.events.mu.Lock()
	defer w.events.mu.Unlock()
	i := slices.IndexFunc(w.events.list, func(e policy.Event) bool { return e.Name == policy.EventFault })
	want := policy.Event{
		Name: policy.EventFault, Module: "m", Version: "1", Digest: "digest-a", Kind: "constraint", App: "/web", Cause: "unreachable", Trap: true, Faults: 1,
	}
	if diff := cmp.Diff(want, w.events.list[i]); diff != "" {
		t.Error(diff)
	}
}

// What the operator wants shows in what a fault says to who asked, and in the list.
func TestOnFailure(t *testing.T) {
	steps := []policy.AdmissionStep{{Policy: "strict"}}
	var fault *sdk.Fault
	open := func(way policy.OnFailure, more ...func(*policy.ModuleConfig)) *world {
		fault = nil
		return newWorld(t, everything(func() *sdk.Fault { return fault }), func(c *policy.Config) {
			c.Admitting = steps
			for kind := range remote.Kinds {
				if policy.CheckFailure(kind, way) == nil {
					c.Modules[0].FailureOf[kind] = way
				}
			}
			for _, f := range more {
				f(&c.Modules[0])
			}
		})
	}
	type word struct {
		Listed, Way string
		Staleness   time.Duration
	}
	ask := func(w *world) (words map[string]word) {
		fault = trapped()
		errs := map[string]error{}
		p := w.near(t)
		defer p.Close()
		_, errs["constraint"] = p.Evaluate(t.Context(), placed())
		u, err := w.PrepareUpgrade(t.Context(), sdk.UpgradeSpec{Strategy: "slow"})
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		_, errs["upgrade"] = u.Next(t.Context(), sdk.UpgradeState{})
		h, err := w.PrepareHealth(t.Context(), sdk.HealthSpec{Rule: "calm"})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		_, errs["health"] = h.Judge(t.Context(), sick())
		words = map[string]word{}
		listed := w.module(t).OnFailure
		for kind, err := range errs {
			if fault := (*sdk.Fault)(nil); !errors.As(err, &fault) || fault.Cause != "unreachable" || err.Error() != fault.Error() {
				t.Errorf("%s: error %v", kind, err)
			}
			x := word{Listed: listed[kind]}
			if f := (interface{ Static() bool })(nil); errors.As(err, &f) && f.Static() {
				x.Way = "static"
			}
			if f := (interface{ GivesUp() bool })(nil); errors.As(err, &f) && f.GivesUp() {
				x.Way = "gives up"
			}
			if f := (interface{ MaxStaleness() time.Duration })(nil); errors.As(err, &f) {
				x.Staleness = f.MaxStaleness()
			}
			words[kind] = x
		}
		return words
	}
	pure := func(w *world) *world {
		for _, m := range w.loader.open() {
			m.traits, m.quota = sdk.PurePerValue, 0
		}
		return w
	}
	stale := func(m *policy.ModuleConfig) { m.MaxStaleness = time.Minute }
	for _, tt := range []struct {
		name string
		w    *world
		want map[string]word
	}{
		{"by kind", pure(open(policy.ByKind)), map[string]word{"constraint": {Listed: "closed"}, "upgrade": {Listed: "hold"}, "health": {Listed: "static"}}},
		{"static", pure(open(policy.Static, stale)), map[string]word{
			"constraint": {Listed: "static", Way: "static"}, "upgrade": {Listed: "hold"}, "health": {Listed: "static", Staleness: time.Minute},
		}},
		{"static, not pure", open(policy.Static), map[string]word{"constraint": {Listed: "static"}, "upgrade": {Listed: "hold"}, "health": {Listed: "static"}}},
		{"closed", open(policy.Closed), map[string]word{
			"constraint": {Listed: "closed"}, "upgrade": {Listed: "closed", Way: "gives up"}, "health": {Listed: "static"},
		}},
		{"for all", open(policy.ByKind, func(m *policy.ModuleConfig) { m.OnFailure = policy.Closed }), map[string]word{
			"constraint": {Listed: "closed"}, "upgrade": {Listed: "closed", Way: "gives up"}, "health": {Listed: "static"},
		}},
	} {
		if diff := cmp.Diff(tt.want, ask(tt.w)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// A review that failed refuses the change or, where the operator wants it so, lets it
// through as it is, with a warning.
func TestAdmissionOpens(t *testing.T) {
	for _, way := range []policy.OnFailure{policy.ByKind, policy.LetPass} {
		var fault *sdk.Fault
		w := newWorld(t, everything(func() *sdk.Fault { return fault }), func(c *policy.Config) {
			c.Modules[0].OnFailure = way
			c.Admitting = []policy.AdmissionStep{{Policy: "strict"}}
		})
		if err := w.CheckAdmission(t.Context()); err != nil {
			t.Fatal(err)
		}
		fault = trapped()
		for range 7 { // in quarantine too
			review, err := w.Admit(t.Context(), sdk.AdmissionRequest{Verb: sdk.AdmissionCreate, ID: "/web", New: []byte("{}")}, nil)
			if way == policy.ByKind {
				if err == nil || !strings.Contains(err.Error(), "unreachable") {
					t.Errorf("error %v", err)
				}
				continue
			}
			if err != nil || review.Denied || review.Amended != nil || len(review.Warnings) != 1 ||
				!strings.HasPrefix(review.Warnings[0], "admission policy strict failed and was passed over: policy module fake@1: ") ||
				!strings.Contains(review.Warnings[0], "unreachable") {
				t.Errorf("%+v %v", review, err)
			}
		}
		m := w.module(t)
		if passed := map[policy.OnFailure]uint64{policy.LetPass: 7}[way]; m.PassedOver != passed || m.Traps != 5 || m.Refused != 2 || m.State != policy.Quarantined {
			t.Errorf("%+v", m)
		}
	}
}

// A module that is off, or cannot be loaded any more, fails as its operator wants it, too:
// to take one away that fails must not keep everybody from changing anything.
func TestAdmissionOpensWhileTheModuleIsOff(t *testing.T) {
	for _, way := range []policy.OnFailure{policy.ByKind, policy.LetPass} {
		w := newWorld(t, everything(func() *sdk.Fault { return nil }), func(c *policy.Config) {
			c.Modules[0].OnFailure = way
			c.Admitting = []policy.AdmissionStep{{Policy: "strict"}}
		})
		if err := w.Disable(t.Context(), "m"); err != nil {
			t.Fatal(err)
		}
		review, err := w.Admit(t.Context(), sdk.AdmissionRequest{Verb: sdk.AdmissionDelete, ID: "/web"}, nil)
		m := w.module(t)
		if way == policy.ByKind {
			if err == nil || !strings.Contains(err.Error(), "the policy module m (fake@1), which has strict, is off") || m.PassedOver != 0 {
				t.Errorf("error %v, %+v", err, m)
			}
			continue
		}
		if want := []string{"admission policy strict failed and was passed over: policy module fake@1: it is off"}; err != nil || !cmp.Equal(review.Warnings, want) || m.PassedOver != 1 {
			t.Errorf("%+v %v, %+v", review, err, m)
		}
		if err := w.CheckAdmission(t.Context()); err == nil {
			t.Error("a start is not told that the policy is not there")
		}
	}
}

// A strategy that is given up is not asked at every step until its upgrade is undone, nor
// at those of what undoes it: one app does not take the module away from all others.
func TestWhatIsGivenUpAsksOnce(t *testing.T) {
	var fault *sdk.Fault
	w := newWorld(t, everything(func() *sdk.Fault { return fault }), func(c *policy.Config) {
		c.Modules[0].FailureOf[remote.KindUpgrade] = policy.Closed
	})
	u, err := w.PrepareUpgrade(t.Context(), sdk.UpgradeSpec{Strategy: "slow"})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if _, err := u.Next(t.Context(), sdk.UpgradeState{Undoes: true}); err != nil {
		t.Fatal(err)
	}
	fault = trapped()
	for i := range 8 {
		_, err := u.Next(t.Context(), sdk.UpgradeState{Undoes: i > 3})
		var g interface{ GivesUp() bool }
		if !errors.As(err, &g) || !g.GivesUp() {
			t.Errorf("error %v", err)
		}
	}
	if m := w.module(t); m.State != policy.Active || m.Faults != 1 {
		t.Errorf("%+v", m)
	}
}

// What goes beyond what a module was told brings it into quarantine, too.
func TestBlameCounts(t *testing.T) {
	w := newWorld(t, everything(func() *sdk.Fault { return nil }))
	u, err := w.PrepareUpgrade(t.Context(), sdk.UpgradeSpec{Strategy: "slow"})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for range 5 {
		if _, err := u.Next(t.Context(), sdk.UpgradeState{}); err != nil {
			t.Fatal(err)
		}
		u.(interface{ Blame(string) *sdk.Fault }).Blame("too many")
	}
	if m := w.module(t); m.State != policy.Quarantined || m.Faults != 5 || m.Traps != 0 {
		t.Errorf("%+v", m)
	}
}

// A way that a module has not keeps it from being loaded.
func TestWrongOnFailure(t *testing.T) {
	for _, tt := range []struct {
		wrong func(*policy.ModuleConfig)
		want  string
	}{
		{func(m *policy.ModuleConfig) { m.OnFailure = policy.LetPass }, "onFailure: open is not for the kind constraint, whose failures can be closed or static"},
		{func(m *policy.ModuleConfig) { m.FailureOf[remote.KindUpgrade] = policy.Hold }, "onFailure.upgrade: the module offers nothing of that kind"},
		{func(m *policy.ModuleConfig) { m.MaxStaleness = time.Second }, "maxStaleness: the module offers nothing of the kind health"},
	} {
		w := newWorld(t, offering("1", 1, "NEAR"), func(c *policy.Config) { tt.wrong(&c.Modules[0]) })
		if m := w.module(t); m.State != policy.Failed || m.Error != tt.want {
			t.Errorf("%s %s, want %s", m.State, m.Error, tt.want)
		}
	}
}

// A module whose file is gone stays in use and says so, until the file is back.
func TestRemovedFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.wasm")
	write := func() {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write()
	w := newWorld(t, offering("1", 1, "NEAR"), func(c *policy.Config) {
		c.Dir, c.Modules = dir, nil
		c.Loader.(*fakeLoader).put("file:"+path, "digest-x", offering("1", 1, "NEAR"))
	})
	removed := func() bool {
		m, err := w.Module("x")
		if err != nil || m.State != policy.Active {
			t.Fatalf("%+v %v", m, err)
		}
		return m.Removed
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if w.Look(t.Context()); !removed() {
			t.Error("nothing tells that the file is gone")
		}
	}
	write()
	if w.Look(t.Context()); removed() {
		t.Error("the file is back")
	}
	w.events.mu.Lock()
	defer w.events.mu.Unlock()
	gone := 0
	for _, e := range w.events.list {
		if strings.HasPrefix(e.Cause, "its file x.wasm is gone") && e.State == "active" && e.Digest == "digest-x" {
			gone++
		}
	}
	if gone != 1 {
		t.Errorf("%d events, want 1: %+v", gone, w.events.list)
	}
}

// pureOf makes a version of a pure constraint that fails when it should.
func pureOf(version string, failing *bool) func() (*fakeModule, error) {
	return func() (*fakeModule, error) {
		m := &fakeModule{quota: sdk.Unlimited, traits: sdk.PurePerValue, description: wire.Description{Name: "fake", Version: version, Operators: []string{"NEAR"}}}
		m.ask = func(remote.Kind) error {
			if *failing {
				return &sdk.Fault{Module: m.label(), Cause: "unreachable", Trap: true}
			}
			return nil
		}
		return m, nil
	}
}

// What a pure constraint has answered outlives a reload of the same bytes with the same
// settings, so that with onFailure: static it holds when the module fails then. Of another
// version, and with other settings, nothing is known.
func TestStaticVerdictsOutliveAReload(t *testing.T) {
	var failing bool
	listed := policy.ModuleConfig{Name: "m", Ref: policy.Ref{Ref: "a"}, OnFailure: policy.Static}
	w := newWorld(t, pureOf("1", &failing), func(c *policy.Config) {
		c.Modules = []policy.ModuleConfig{listed}
		c.Reread = func() ([]policy.ModuleConfig, bool, error) { return []policy.ModuleConfig{listed}, true, nil }
	})
	ask := func(p sdk.PreparedConstraint, values ...string) error {
		answer, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: append([]string{""}, values...), First: -1})
		if err == nil && slices.Contains(answer.Quota, 0) {
			t.Errorf("quota %v", answer.Quota)
		}
		return err
	}
	// anew is the constraint after a change, as the driver prepares it.
	anew := func(before sdk.PreparedConstraint, change func() error) sdk.PreparedConstraint {
		t.Helper()
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if !stale(before) {
			t.Error("nothing was reloaded")
		}
		before.Close()
		return w.near(t)
	}
	reload := func() error { return w.Reload(t.Context(), "m") }
	p := w.near(t)
	if err := ask(p, "r1", "r2"); err != nil {
		t.Fatal(err)
	}
	p = anew(p, reload)
	failing = true
	if err := errors.Join(ask(p, "r1", "r2"), ask(p)); err != nil {
		t.Errorf("what was answered does not hold: %v", err)
	}
	if err := ask(p, "r3"); err == nil {
		t.Error("what was never answered holds")
	}
	failing = false
	for name, change := range map[string]func() error{
		"another version": func() error {
			w.loader.put("a", "digest-b", pureOf("2", &failing))
			return reload()
		},
		"other settings": func() error {
			listed.Settings = []byte(`{"per":2}`)
			return reload()
		},
	} {
		if err := ask(p, "r1"); err != nil {
			t.Fatal(err)
		}
		p = anew(p, change)
		failing = true
		if err := ask(p, "r1"); err == nil {
			t.Errorf("%s: an answer of before holds", name)
		}
		failing = false
	}
	p.Close()

	// That agents without the field are judged is an answer, too.
	if p = w.near(t); ask(p) != nil {
		t.Error("it fails")
	}
	p = anew(p, reload)
	failing = true
	if err := ask(p); err != nil {
		t.Errorf("what was answered does not hold: %v", err)
	}
	p.Close()
}
