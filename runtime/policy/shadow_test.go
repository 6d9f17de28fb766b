package policy_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/recording"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// withShadow is the world with a candidate "n" at ref "b" for its module.
func withShadow(t *testing.T, candidate func() (*fakeModule, error)) *world {
	return newWorld(t, offering("1", 1, "NEAR"), func(c *policy.Config) {
		c.Modules = append(c.Modules, policy.ModuleConfig{Name: "n", Ref: policy.Ref{Ref: "b"}, Mode: policy.Shadow, Of: "m"})
		c.Loader.(*fakeLoader).put("b", "digest-b", candidate)
	})
}

// compared waits until so many answers were compared.
func (w *world) compared(t *testing.T, n uint64) policy.ShadowCounts {
	t.Helper()
	for {
		m, err := w.Module("n")
		if err != nil || m.Compared == nil {
			t.Fatalf("%+v, %v", m, err)
		}
		if m.Compared.Compared >= n {
			return *m.Compared
		}
		select {
		case <-time.After(time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("not compared")
		}
	}
}

// values is an input with one value.
func values(value string) sdk.ConstraintInput {
	return sdk.ConstraintInput{Values: []string{"", value}, Placed: []uint32{0, 0}, First: -1}
}

func (w *world) ask(t *testing.T, inputs ...string) {
	t.Helper()
	p := w.near(t)
	defer p.Close()
	for _, value := range inputs {
		if answer, err := p.Evaluate(t.Context(), values(value)); err != nil || answer.Quota[1] != 1 {
			t.Errorf("%v, %v", answer, err)
		}
	}
}

func TestShadowAgrees(t *testing.T) {
	w := withShadow(t, offering("2", 1, "NEAR"))
	before := w.near(t)
	defer before.Close()
	w.ask(t, "a", "b", "a")
	if counts := w.compared(t, 3); counts.Disagreements != 0 || counts.Dropped != 0 || counts.FuelRatio == 0 || counts.TimeRatio <= 0 {
		t.Errorf("%+v", counts)
	}
	if m, err := w.Module("n"); err != nil || m.State != policy.Shadowing || m.Of != "m" || m.Version != "2" {
		t.Errorf("%+v, %v", m, err)
	}
	if cases, err := w.Disagreements("n"); err != nil || len(cases) != 0 {
		t.Errorf("%v, %v", cases, err)
	}
}

// What differs is counted, and kept once for each input; a candidate that fails
// bothers nobody.
func TestShadowDisagrees(t *testing.T) {
	for _, tt := range []struct {
		name      string
		candidate func() (*fakeModule, error)
		cause     string
		faults    uint64
	}{
		{"another answer", offering("2", 5, "NEAR"), "", 0},
		{"a fault", failing("2", "NEAR"), "out of order", 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := withShadow(t, tt.candidate)
			w.ask(t, "a", "b", "a", "a")
			counts := w.compared(t, 4)
			if counts.Disagreements != 4 || counts.Distinct != 2 || counts.Faults != tt.faults {
				t.Errorf("%+v", counts)
			}
			cases, err := w.Disagreements("n")
			if err != nil || len(cases) != 2 {
				t.Fatalf("%+v, %v", cases, err)
			}
			d := cases[1]
			spec, err := wire.DecodeSpec(d.Spec)
			if err != nil || spec.Operator != "NEAR" || d.Kind != "constraint" || d.Call != "ask" || d.Items != 2 || d.CandidateCause != tt.cause {
				t.Errorf("%+v, %v", d, err)
			}
			if want := wire.AppendInput(nil, values("b")); !bytes.Equal(d.Input, want) {
				t.Errorf("input %x, want %x", d.Input, want)
			}
			if m := w.module(t); m.Faults != 0 || m.State != policy.Active {
				t.Errorf("%+v", m)
			}
		})
	}
}

// A candidate that does not keep up is left behind; nobody waits for it.
func TestSlowShadow(t *testing.T) {
	release := make(chan struct{})
	w := withShadow(t, func() (*fakeModule, error) {
		m, err := offering("2", 1, "NEAR")()
		m.ask = func(remote.Kind) error { <-release; return nil }
		return m, err
	})
	p := w.near(t)
	for range 300 { // more than may wait
		quota(t, p)
	}
	p.Close()
	close(release)
	counts := w.compared(t, 256)
	if counts.Dropped < 43 || counts.Dropped > 44 { // one was being compared, or not yet
		t.Errorf("%+v", counts)
	}
}

func TestPromote(t *testing.T) {
	w := withShadow(t, offering("2", 2, "NEAR", "FAR"))
	old := w.near(t)
	defer old.Close()
	if err := w.Promote(t.Context(), "n"); err != nil {
		t.Fatal(err)
	}
	p := w.near(t)
	defer p.Close()
	if !stale(old) || quota(t, old) != 1 || quota(t, p) != 2 {
		t.Error("the candidate is not in use")
	}
	m, err := w.Module("n")
	if got := w.module(t); err != nil || got.Version != "2" || got.Rollback != "digest-a" || got.Notice != "promoted from n" || m.State != policy.Disabled {
		t.Errorf("%+v %+v, %v", got, m, err)
	}
	var wrong *policy.WrongState
	if err := w.Promote(t.Context(), "n"); !errors.As(err, &wrong) || err.Error() != "the policy module n is off, not a shadow" {
		t.Errorf("error %v", err)
	}
	// It reloads from where the candidate came from, and may be compared with another.
	w.loader.put("b", "digest-c", offering("3", 3, "NEAR"))
	if err := w.Reload(t.Context(), "m"); err != nil || w.module(t).Version != "3" {
		t.Errorf("%v, %+v", err, w.module(t))
	}
	if err := w.Shadow(t.Context(), "n", ""); err != nil {
		t.Error(err)
	}
	if err := w.Shadow(t.Context(), "n", ""); !errors.As(err, &wrong) || err.Error() != "the policy module n is shadow; it has to be off" {
		t.Errorf("error %v", err)
	}
	if _, err := w.Disagreements("m"); !errors.As(err, &wrong) {
		t.Errorf("error %v", err)
	}
}

// A promoted module that fails goes back to the one before.
func TestPromotedFails(t *testing.T) {
	w := withShadow(t, failing("2", "NEAR"))
	if err := w.Promote(t.Context(), "n"); err != nil {
		t.Fatal(err)
	}
	p := w.near(t)
	defer p.Close()
	for range 5 {
		causeOf(t, p)
	}
	if m := w.module(t); m.Version != "1" || m.State != policy.Active {
		t.Errorf("%+v", m)
	}
}

// started tells when something is written.
type started struct {
	io.Writer
	first chan struct{}
	told  bool
}

func (s *started) Write(b []byte) (int, error) {
	if !s.told {
		s.told = true
		defer close(s.first)
	}
	return s.Writer.Write(b)
}

// A recording has all that passes, what is prepared in front of what is asked.
func TestRecord(t *testing.T) {
	w := newWorld(t, offering("1", 1, "NEAR"))
	before := w.near(t) // the recording does not see that
	var file bytes.Buffer
	to := &started{Writer: &file, first: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	type result struct {
		recorded policy.Recorded
		err      error
	}
	done := make(chan result)
	go func() {
		r, err := w.Record(ctx, "m", to, 1<<20)
		done <- result{r, err}
	}()
	<-to.first
	for !stale(before) { // it listens
		<-time.After(time.Millisecond)
	}
	quota(t, before)
	before.Close()
	w.ask(t, "a", "b")
	cancel()
	r := <-done
	got := framesOf(t, &file)
	want := []string{"prepare 1", "ask 1", "release 1", "prepare 2", "ask 2", "ask 2", "release 2"}
	if diff := cmp.Diff(want, got); diff != "" || r.err != nil || r.recorded.Calls != len(got) || r.recorded.Full {
		t.Errorf("%+v %s", r, diff)
	}
}

// framesOf are the frames of a recording.
func framesOf(t *testing.T, file io.Reader) (frames []string) {
	t.Helper()
	reader, err := recording.NewReader(file)
	if err != nil || reader.Header.Module != "m" || reader.Header.Digest != "digest-a" {
		t.Fatalf("%+v, %v", reader, err)
	}
	for {
		c, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, c.Op.String()+" "+string('0'+rune(c.Prepared)))
		if c.Op == recording.Ask && (len(c.Input) == 0 || len(c.Answer) == 0 || c.Items != 2 || c.Fuel != 1000) {
			t.Errorf("%+v", c)
		}
	}
}

func TestRecordEnds(t *testing.T) {
	w := newWorld(t, offering("1", 1, "NEAR"))
	if r, err := w.Record(t.Context(), "m", io.Discard, 10); !errors.Is(err, recording.ErrFull) {
		t.Errorf("%+v, %v", r, err)
	}
	if err := w.Disable(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	var wrong *policy.WrongState
	if _, err := w.Record(t.Context(), "m", io.Discard, 1000); !errors.As(err, &wrong) || err.Error() != "the policy module m is off: it is not asked" {
		t.Errorf("error %v", err)
	}
	if _, err := w.Record(t.Context(), "builtin-constraint", io.Discard, 1000); !errors.As(err, &wrong) {
		t.Errorf("error %v", err)
	}
}
