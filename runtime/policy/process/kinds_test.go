package process

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

func TestKinds(t *testing.T) {
	m := start(t, as(t, "zoo"))
	if d := m.Description(); d.Name != "zoo" || d.Version != "1.2.3" || !cmp.Equal(d.Operators, []string{"LIKE"}) || len(d.Strategies) == 0 {
		t.Errorf("description %+v", d)
	}
	t.Run("constraint", func(t *testing.T) { constraintKind(t, remote.Constraint(m)) })
	t.Run("fetch", func(t *testing.T) {
		p, err := remote.Fetch(m).Prepare(t.Context(), sdk.FetchSpec{Policy: "zoo", Settings: "some"})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		got, err := p.Decide(t.Context(), []sdk.FetchURI{{URI: "http://a"}, {URI: "http://b"}})
		want := []sdk.FetchDecision{sdk.DenyFetch("not http://a"), sdk.DenyFetch("not http://b")}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
	})
	t.Run("upgrade", func(t *testing.T) {
		if got, err := step(t, m, "pid"); got.Start != 1 || err != nil {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("health", func(t *testing.T) {
		p, err := remote.Health(m).Prepare(t.Context(), sdk.HealthSpec{Rule: "zoo"})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		histories := make([]sdk.HealthHistory, 600) // more than go into one call
		histories[599] = sdk.HealthHistory{Check: 1, HealthRecord: sdk.HealthRecord{LastFailureCause: "so"}}
		got, err := p.Judge(t.Context(), histories)
		if err != nil || len(got) != 600 || got[0].Replace || got[599] != (sdk.HealthVerdict{State: sdk.Unhealthy, Replace: true, Reason: "so"}) {
			t.Errorf("%d verdicts, %v", len(got), err)
		}
	})
	t.Run("admission", func(t *testing.T) {
		request := sdk.AdmissionRequest{Policy: "zoo", Verb: sdk.AdmissionUpdate, ID: "/a", New: []byte("{}")}
		got, err := remote.Admission(m).Review(t.Context(), request)
		want := sdk.AdmissionReview{Reason: "update", Amended: []byte("{}"), Warnings: []string{"/a"}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		request.User = "nobody"
		_, err = remote.Admission(m).Review(t.Context(), request)
		wantInvalid(t, err, "no user")
	})
}

func constraintKind(t *testing.T, policy sdk.Constraint) {
	p, err := policy.Prepare(t.Context(), sdk.ConstraintSpec{Field: "rack", Operator: "LIKE", Value: "r.", HasValue: true})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: []string{"", "r1", "s1"}, First: -1})
	if diff := cmp.Diff([]uint32{0, sdk.Unlimited, 0}, got.Quota); diff != "" || err != nil || p.Traits() != sdk.PurePerValue {
		t.Errorf("traits %d, %v %s", p.Traits(), err, diff)
	}
	_, err = policy.Prepare(t.Context(), sdk.ConstraintSpec{Operator: "LIKE", Value: "(", HasValue: true})
	if invalid, ok := errors.AsType[*sdk.Invalid](err); !ok || invalid.Message == "" {
		t.Errorf("a bad expression: %v", err)
	}
}

// A handle that was released is forgotten by the process, and others are not.
func TestReleasedIsForgotten(t *testing.T) {
	m := start(t, as(t, "zoo"))
	prepare := func() *prepared {
		p, err := m.Prepare(t.Context(), remote.KindUpgrade, []byte("\x0a\x03pid"))
		if err != nil {
			t.Fatal(err)
		}
		return p.(*prepared)
	}
	kept, released := prepare(), prepare()
	stale := *released
	released.Close()
	take := func([]byte) error { return nil }
	for { // it is forgotten a moment later
		if err := stale.Ask(t.Context(), nil, 1, take); err != nil {
			wantFault(t, err, "no such handle")
			wantTrap(t, err, false)
			break
		}
	}
	if err := kept.Ask(t.Context(), nil, 1, take); err != nil {
		t.Error(err)
	}
}

func wantInvalid(t *testing.T, err error, text string) {
	t.Helper()
	if invalid, ok := errors.AsType[*sdk.Invalid](err); !ok || invalid.Message != text {
		t.Errorf("error %v; want it invalid with %q", err, text)
	}
}
