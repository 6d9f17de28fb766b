package policy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// causeOf asks what was prepared, which fails, and returns the cause.
func causeOf(t *testing.T, p sdk.PreparedConstraint) string {
	t.Helper()
	_, err := p.Evaluate(t.Context(), placed())
	var fault *sdk.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("error %v, want a fault", err)
	}
	return fault.Cause
}

// An app that waits alone for a module that always fails asks less and less often; five
// faults in a row are a quarantine all the same.
func TestQuarantineOfWhatNeverWorks(t *testing.T) {
	w := newWorld(t, func() (*fakeModule, error) {
		m, err := offering("1", 1, "NEAR")()
		m.ask = func(remote.Kind) error { return &sdk.Fault{Module: "fake@1", Cause: "out of order"} }
		return m, err
	})
	p := w.near(t)
	defer p.Close()
	for range 5 {
		if state := w.module(t).State; state != policy.Active {
			t.Fatalf("state %v, want active", state)
		}
		causeOf(t, p)
		w.clock.pass(80 * time.Second)
	}
	if state := w.module(t).State; state != policy.Quarantined {
		t.Errorf("state %v after five faults in a row, want quarantined", state)
	}
}

// Five faults in a minute, and nobody waits for the module any more; now and then
// one call tries it, less and less often.
func TestQuarantine(t *testing.T) {
	broken := true
	w := newWorld(t, func() (*fakeModule, error) {
		m, err := offering("1", 1, "NEAR")()
		m.ask = func(remote.Kind) error {
			if broken {
				return &sdk.Fault{Module: "fake@1", Cause: "out of order"}
			}
			return nil
		}
		return m, err
	})
	p := w.near(t)
	defer p.Close()
	for range 4 { // the first one is too old in the end
		causeOf(t, p)
		broken = false
		quota(t, p)
		broken = true
		w.clock.pass(16 * time.Second)
	}
	for range 2 {
		if cause := causeOf(t, p); cause != "out of order" {
			t.Fatalf("cause %s", cause)
		}
	}
	for _, tt := range []struct {
		pass time.Duration
		want string
	}{
		{0, "quarantined after 5 faults; next try in 30s (out of order)"},
		{29500 * time.Millisecond, "quarantined after 5 faults; next try in 1s (out of order)"},
		{500 * time.Millisecond, "out of order"}, // tried
		{0, "quarantined after 5 faults; next try in 1m0s (out of order)"},
		{time.Minute, "out of order"},
		{time.Minute, "quarantined after 5 faults; next try in 1m0s (out of order)"},
	} {
		w.clock.pass(tt.pass)
		if cause := causeOf(t, p); cause != tt.want {
			t.Errorf("cause %s, want %s", cause, tt.want)
		}
	}
	if m := w.module(t); m.State != policy.Quarantined || m.Faults != 8 || m.Refused != 4 || m.NextTry.IsZero() || m.Last.App != "/web" {
		t.Errorf("%+v", m)
	}
	broken = false
	w.clock.pass(time.Minute)
	for range 2 {
		if quota(t, p) != 1 {
			t.Error("it is still refused")
		}
	}
	if m := w.module(t); m.State != policy.Active || !m.NextTry.IsZero() {
		t.Errorf("%+v", m)
	}
	want := []string{"m  loading", "m 1 active", "m 1 quarantined", "m 1 active"}
	if diff := cmp.Diff(want, w.events.states()); diff != "" {
		t.Error(diff)
	}
}

// A module that fails goes back to the version that was there before, once.
func TestRollback(t *testing.T) {
	w := newWorld(t, offering("1", 1, "NEAR"))
	w.loader.put("a", "digest-b", failing("2", "NEAR"))
	if err := w.Reload(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	p := w.near(t)
	defer p.Close()
	for range 5 {
		causeOf(t, p)
	}
	m := w.module(t)
	if m.State != policy.Active || m.Version != "1" || m.Rollback != "" || m.Notice != "rolled back from fake@2 (digest-b) after too many faults: out of order" {
		t.Errorf("%+v", m)
	}
	if !stale(p) {
		t.Error("what the bad version prepared is not stale")
	}
	good := w.near(t)
	defer good.Close()
	if quota(t, good) != 1 {
		t.Error("the version before is not in use")
	}
	w.Look(t.Context()) // the file is still that of the bad version
	if m := w.module(t); m.Version != "1" {
		t.Errorf("%+v", m)
	}
	w.loader.touched("a") // and has the same bytes
	w.Look(t.Context())
	if m := w.module(t); m.Version != "1" || !strings.HasPrefix(m.Notice, "rolled back") {
		t.Errorf("%+v", m)
	}
	if cause := causeOf(t, p); !strings.HasPrefix(cause, "quarantined after 5 faults") {
		t.Errorf("cause %s", cause)
	}
	if err := w.Reload(t.Context(), "m"); err != nil || w.module(t).Version != "2" { // somebody wants it
		t.Errorf("%v, %+v", err, w.module(t))
	}
}

// The operator may name the version to go back to.
func TestNamedRollback(t *testing.T) {
	back := make(chan struct{})
	w := newWorld(t, failing("2", "NEAR"), func(c *policy.Config) {
		c.Modules[0].Rollback = policy.Ref{Ref: "old", Digest: "digest-old"}
		c.Loader.(*fakeLoader).put("old", "digest-old", offering("1", 1, "NEAR"))
		notify := c.Notify
		c.Notify = func(e policy.Event) {
			if notify(e); strings.HasPrefix(e.Cause, "rolled back") {
				close(back)
			}
		}
	})
	if m := w.module(t); m.Rollback != "digest-old" {
		t.Errorf("rollback %q", m.Rollback)
	}
	p := w.near(t)
	defer p.Close()
	for range 5 {
		causeOf(t, p)
	}
	<-back
	if m := w.module(t); m.State != policy.Active || m.Version != "1" || m.Digest != "digest-old" {
		t.Errorf("%+v", m)
	}
	good := w.near(t)
	defer good.Close()
	if quota(t, good) != 1 {
		t.Error("the old version is not in use")
	}
}

// What an app's author has to change, and callers that give up, are no faults; and
// what is built in is never kept from its users.
func TestNoQuarantine(t *testing.T) {
	w := newWorld(t, func() (*fakeModule, error) {
		m, err := offering("1", 1, "NEAR")()
		m.ask = func(remote.Kind) error { return &sdk.Invalid{Message: "wrong"} }
		return m, err
	}, func(c *policy.Config) { c.Builtins = []sdk.Constraint{&even{fail: errors.New("broken")}} })
	p := w.near(t)
	defer p.Close()
	b, err := w.Prepare(t.Context(), sdk.ConstraintSpec{Operator: "EVEN"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for range 10 {
		if _, err := p.Evaluate(t.Context(), placed()); err == nil || err.Error() != "wrong" {
			t.Fatalf("error %v", err)
		}
		if cause := causeOf(t, b); cause != "broken" {
			t.Fatalf("cause %s", cause)
		}
	}
	if m := w.module(t); m.State != policy.Active {
		t.Errorf("%+v", m)
	}
}

// Who looks at an app that waits for a failing module, as often as they like, does not
// take the module away from others, nor try it for them.
func TestLookingIsNoReasonForQuarantine(t *testing.T) {
	w := newWorld(t, failing("1", "NEAR"))
	p := w.near(t)
	defer p.Close()
	look := func() string {
		_, err := p.Evaluate(policy.Unjudged(t.Context()), placed())
		if err == nil {
			t.Fatal("it works")
		}
		return err.Error()
	}
	for range 20 {
		look()
	}
	if m := w.module(t); m.State != policy.Active || m.Faults != 20 || m.Last == nil {
		t.Errorf("%+v", m)
	}
	for range 5 {
		causeOf(t, p)
	}
	w.clock.pass(time.Hour)
	if got, want := look(), "policy module fake@1: quarantined after 5 faults; it is tried with the next call (out of order)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := causeOf(t, p); got != "out of order" {
		t.Errorf("the next call is not made: %s", got)
	}
}

// A version in quarantine that is replaced is none to go back to.
func TestNobodyGoesBackToQuarantine(t *testing.T) {
	w := newWorld(t, failing("1", "NEAR"))
	p := w.near(t)
	for range 5 {
		causeOf(t, p)
	}
	p.Close()
	w.loader.put("a", "digest-b", offering("2", 2, "NEAR"))
	if err := w.Reload(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	if m := w.module(t); m.Version != "2" || m.State != policy.Active || m.Rollback != "" {
		t.Errorf("%+v", m)
	}
}
