package author_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/policy/author"
	"github.com/pacer-run/pacer/runtime/policy/recording"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// recorded asks the policies that are built in of every kind, writes down what came,
// and returns the file.
func recorded(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cycles.rec")
	to, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	w, err := recording.NewWriter(to, 1<<20, recording.Header{Module: "builtin"})
	if err != nil {
		t.Fatal(err)
	}
	m := builtins().Module()
	app := sdk.AppFacts{ID: "/app", Instances: 3}
	rack := sdk.ConstraintSpec{Field: "rack", Operator: "LIKE", Value: "rack-[1-3]", HasValue: true, App: app}
	in := sdk.ConstraintInput{Values: []string{"", "rack-1", "rack-9"}, First: -1}
	recordCall(t, w, m, 1, remote.KindConstraint, wire.AppendSpec(nil, rack), wire.AppendInput(nil, in), 3)
	recordCall(t, w, m, 2, remote.KindFetch, wire.AppendFetchSpec(nil, sdk.FetchSpec{Policy: "schemes", Settings: "http", App: app}),
		wire.AppendFetchInput(nil, []sdk.FetchURI{{URI: "http://a"}, {URI: "https://a"}}), 2)
	recordCall(t, w, m, 3, remote.KindUpgrade, wire.AppendUpgradeSpec(nil, sdk.UpgradeSpec{Strategy: "rolling", App: app}),
		wire.AppendUpgradeState(nil, sdk.UpgradeState{Instances: 3, MinHealthy: 3, MaxTotal: 4, Old: 3, OldHealthy: 3}), 1)
	recordCall(t, w, m, 4, remote.KindHealth, wire.AppendHealthSpec(nil, sdk.HealthSpec{Rule: "consecutive", App: app, Checks: []sdk.HealthCheck{{Protocol: "HTTP"}}}),
		wire.AppendHealthInput(nil, []sdk.HealthHistory{{}}), 1)
	request := wire.AppendAdmissionRequest(nil, sdk.AdmissionRequest{
		Policy: "caps", Settings: "cpus=4", Verb: sdk.AdmissionCreate, Subject: sdk.AdmissionApp, ID: "/app", New: []byte(`{"id":"/app","cpus":8}`),
	})
	call := recording.Call{Op: recording.Review, Kind: remote.KindAdmission, Input: request, Items: 1}
	if err := m.Review(t.Context(), request, func(b []byte) error { call.Answer = append([]byte(nil), b...); return nil }); err != nil {
		t.Fatal(err)
	}
	put(t, w, call)
	bad := rack
	bad.Value = "["
	put(t, w, recording.Call{Op: recording.Prepare, Kind: remote.KindConstraint, Prepared: 5, Input: wire.AppendSpec(nil, bad), Failure: recording.Invalid, Cause: "other words"})
	put(t, w, recording.Call{Op: recording.Release, Kind: remote.KindConstraint, Prepared: 1})
	return path
}

func put(t *testing.T, w *recording.Writer, c recording.Call) {
	t.Helper()
	if err := w.Write(c); err != nil {
		t.Fatal(err)
	}
}

func recordCall(t *testing.T, w *recording.Writer, m remote.Module, id uint64, kind remote.Kind, spec, input []byte, items int) {
	t.Helper()
	p, err := m.Prepare(t.Context(), kind, spec)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	put(t, w, recording.Call{Op: recording.Prepare, Kind: kind, Prepared: id, Input: spec, Traits: uint32(p.Traits())})
	call := recording.Call{Op: recording.Ask, Kind: kind, Prepared: id, Input: input, Items: items, Fuel: 5}
	if err := p.Ask(t.Context(), input, items, func(b []byte) error { call.Answer = append([]byte(nil), b...); return nil }); err != nil {
		t.Fatal(err)
	}
	put(t, w, call)
}

func TestReplay(t *testing.T) {
	path := recorded(t)
	report, err := author.Replay(t.Context(), builtins().Module(), path)
	if err != nil {
		t.Fatal(err)
	}
	if report.Calls != 10 || report.Changed != 0 || report.Was.Fuel != 20 || report.Now.Faults != 0 || report.CutOff {
		t.Errorf("%+v", report)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cut, err := author.Replay(t.Context(), builtins().Module(), file(t, "cut.rec", string(whole[:len(whole)-1])))
	if err != nil || !cut.CutOff || cut.Changed != 0 {
		t.Errorf("cut off: %+v, %v", cut, err)
	}
	if _, err := author.Replay(t.Context(), builtins().Module(), file(t, "none.rec", "hello")); err == nil || !strings.Contains(err.Error(), "not a recording") {
		t.Errorf("%v", err)
	}
}

// under offers a constraint under the name of another.
type under struct {
	sdk.Constraint
	name, real string
}

func (u under) Operators() []string { return []string{u.name} }

func (u under) Prepare(ctx context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	c.Operator = u.real
	return u.Constraint.Prepare(ctx, c)
}

func TestDiff(t *testing.T) {
	other := builtins()
	other.Constraints = []sdk.Constraint{under{constraints.Unlike{}, "LIKE", "UNLIKE"}}
	other.Upgrades = nil
	report, err := author.Diff(t.Context(), builtins().Module(), other.Module(), recorded(t))
	if err != nil {
		t.Fatal(err)
	}
	const like, none = "rack LIKE rack-[1-3]", "fault: the module has no upgrade called rolling; it has none"
	want := []author.Change{
		{Kind: "constraint", Policy: like, App: "/app", Item: "(absent)", Was: "0", Now: "any", Count: 1},
		{Kind: "constraint", Policy: like, App: "/app", Item: "rack-1", Was: "any", Now: "0", Count: 1},
		{Kind: "constraint", Policy: like, App: "/app", Item: "rack-9", Was: "0", Now: "any", Count: 1},
		{Kind: "upgrade", Policy: "rolling", App: "/app", Item: "ask", Was: "accepted", Now: none, Count: 1},
		{Kind: "upgrade", Policy: "rolling", App: "/app", Item: "prepare", Was: "accepted", Now: none, Count: 1},
	}
	if diff := cmp.Diff(want, report.Changes); diff != "" {
		t.Error(diff)
	}
	if report.Changed != 3 || report.Was.Label != "builtin@0" {
		t.Errorf("%+v", report)
	}
}

// anyName takes every name, as a module may whose code does not look at it.
type anyName struct{ remote.Module }

func (anyName) Description() wire.Description { return wire.Description{Operators: []string{"OTHER"}} }

// What a module does not offer it has not answered, whatever its code made of it.
func TestReplayOfAnotherModule(t *testing.T) {
	report, err := author.Replay(t.Context(), anyName{builtins().Module()}, recorded(t))
	if err != nil || report.Changed != report.Calls || report.Now.Faults != report.Calls {
		t.Errorf("%+v, %v", report, err)
	}
}
