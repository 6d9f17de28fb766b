package policy_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
)

// A fault is logged with all that its reader needs; one that goes on is not
// logged at every call.
func TestFaultsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c, err := policy.Open(t.Context(), policy.Config{
			Builtins: []sdk.Constraint{&even{fail: errors.New("broken")}},
			Log:      slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close(context.Background()) }()
		p, err := c.Prepare(t.Context(), sdk.ConstraintSpec{Operator: "EVEN", App: sdk.AppFacts{ID: "/web"}})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		for range 25 { // 24 s
			if _, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: []string{"", "bb"}}); err == nil {
				t.Fatal("no fault")
			}
			time.Sleep(time.Second) // of the bubble
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 3 {
			t.Fatalf("%d lines in %v, want one in 10 s:\n%s", len(lines), time.Since(begin), &log)
		}
		want := `level=WARN msg="policy module failed" module=builtin kind=constraint app=/web cause=broken digest="" trap=false faults=`
		for i, faults := range []string{"1", "11", "21"} {
			if !strings.HasSuffix(lines[i], want+faults) {
				t.Errorf("line %s, want %s%s", lines[i], want, faults)
			}
		}
	})
}

// One fault of each kind is told in ten seconds: whoever waits for one kind of policy
// must not hear of another one alone.
func TestFaultsOfEachKindAreTold(t *testing.T) {
	w := newWorld(t, everything(trapped))
	p := w.near(t)
	defer p.Close()
	h, err := w.PrepareHealth(t.Context(), sdk.HealthSpec{Rule: "calm"})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for range 2 {
		causeOf(t, p)
		if _, err := h.Judge(t.Context(), sick()); err == nil {
			t.Fatal("it works")
		}
	}
	var kinds []string
	for _, e := range w.events.list {
		if e.Name == policy.EventFault {
			kinds = append(kinds, e.Kind)
		}
	}
	if !slices.Equal(kinds, []string{"constraint", "health"}) {
		t.Errorf("faults of %v were told", kinds)
	}
}
