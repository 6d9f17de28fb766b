package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/spec"
)

// TestLeaderWithoutAModule: a node whose copy of a module is broken may come to lead.
// Its term begins, apps that need the module wait and say why, and others are placed.
func TestLeaderWithoutAModule(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "near.wasm"), []byte("\x00asm and nothing else"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := loadPolicies(t.Context(), policyConfig{dir: dir}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	p.awaitLoaded(t.Context(), slog.New(slog.DiscardHandler))
	m, err := p.Module("near")
	if err != nil || m.State != policy.Failed || m.Error == "" {
		t.Fatalf("%+v %v", m, err)
	}
	near := &spec.App{ID: "/near", Role: "*", CPUs: 1, Mem: 1, Instances: 1, Constraints: []spec.Constraint{{Field: "rack", Operator: "NEAR"}}}
	other := &spec.App{ID: "/other", Role: "*", CPUs: 1, Mem: 1, Instances: 1, Constraints: []spec.Constraint{{Field: "hostname", Operator: "UNIQUE"}}}
	pinned, done := p.Pin()
	defer done()
	offer := &placement.Offer{ID: "o", Role: "*", Agent: &placement.Agent{ID: "a", Hostname: "h"}, Shares: make([]placement.Share, 1)}
	offer.Shares[0].Scalars[placement.CPUs], offer.Shares[0].Scalars[placement.Mem] = placement.MilliOf(4), placement.MilliOf(100)
	r := placement.Request{
		Offers: []*placement.Offer{offer}, Agents: []*placement.Agent{offer.Agent},
		Wanted: []placement.Wanted{{App: near, Count: 1}, {App: other, Count: 1}},
	}
	var matcher placement.Matcher
	result := matcher.Match(t.Context(), r, func(app *spec.App) []placement.Rule {
		c := app.Constraints[0]
		prepared, err := pinned.Prepare(t.Context(), driver.ConstraintSpec(app, c))
		if err != nil {
			return []placement.Rule{{Constraint: c, Err: err}}
		}
		return []placement.Rule{{Constraint: c, Prepared: prepared}}
	})
	if len(result.Placements) != 1 || result.Placements[0].App != other {
		t.Errorf("placements %+v, want one of /other", result.Placements)
	}
	waits := result.Refusals[0]
	if waits.Fault == nil || waits.Unused() != 0 || !strings.Contains(waits.Fault.Error(), "the policy module near.wasm could not be loaded: "+m.Error) {
		t.Errorf("%+v, want the cause by name and no offer declined", waits)
	}
	if text := p.summary(); !strings.Contains(text, "1 failed to load (see /pacer/v1/policies)") {
		t.Errorf("summary %s", text)
	}
}
