package wasm

import (
	"context"
	"errors"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

func loadHostKinds(t *testing.T) *Module {
	t.Helper()
	m, err := load(t, fixture(t, "kinds"), tight())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Answers of every kind that cannot be are faults, and end the instance.
func TestHostileKinds(t *testing.T) {
	m := loadHostKinds(t)
	tests := []struct {
		name, cause string
		ask         func(ctx context.Context) error
	}{
		{"fetch", "fetch_decide: malformed message", func(ctx context.Context) error {
			p, err := remote.Fetch(m).Prepare(ctx, sdk.FetchSpec{Policy: "f"})
			if err == nil {
				_, err = p.Decide(ctx, []sdk.FetchURI{{URI: "http://a"}})
			}
			return err
		}},
		{"upgrade", "upgrade_next: malformed message", func(ctx context.Context) error {
			p, err := remote.Upgrade(m).Prepare(ctx, sdk.UpgradeSpec{Strategy: "u"})
			if err == nil {
				_, err = p.Next(ctx, sdk.UpgradeState{})
			}
			return err
		}},
		{"health", "health_prepare: malformed message: traits of what is no constraint", func(ctx context.Context) error {
			_, err := remote.Health(m).Prepare(ctx, sdk.HealthSpec{Rule: "h"})
			return err
		}},
		{"constraint", "it has nothing to prepare of the kind constraint", func(ctx context.Context) error {
			_, err := remote.Constraint(m).Prepare(ctx, sdk.ConstraintSpec{Operator: "C"})
			return err
		}},
	}
	for _, test := range tests {
		wantFault(t, test.ask(t.Context()), test.cause)
	}
	_, err := remote.Admission(m).Review(t.Context(), sdk.AdmissionRequest{Policy: "a"})
	if invalid, ok := errors.AsType[*sdk.Invalid](err); !ok || invalid.Message != "bad" {
		t.Errorf("admission: error %v, want it invalid", err)
	}
	good, err := load(t, fixture(t, "good"), tight())
	if err != nil {
		t.Fatal(err)
	}
	_, err = remote.Admission(good).Review(t.Context(), sdk.AdmissionRequest{})
	wantFault(t, err, "it has no policy of the kind admission")
}

// What was prepared is released as what it was: the kinds have handles of their own.
func TestReleasesByKind(t *testing.T) {
	m := loadHostKinds(t)
	for range 2 {
		p, err := remote.Fetch(m).Prepare(t.Context(), sdk.FetchSpec{Policy: "f"})
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
		u, err := remote.Upgrade(m).Prepare(t.Context(), sdk.UpgradeSpec{Strategy: "u"})
		if err != nil {
			t.Fatal(err)
		}
		u.Close()
	}
	if _, err := remote.Fetch(m).Prepare(t.Context(), sdk.FetchSpec{Policy: "f"}); err != nil {
		t.Fatal(err)
	}
	err := m.pool.with(t.Context(), func(in *instance) error {
		if n := in.guest.ExportedGlobal("releases").Get(); n != 202 {
			t.Errorf("%d: released, want 2 fetches and 2 upgrades", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
