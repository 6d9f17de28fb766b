package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/spec"
)

// TestCheckStrategy: users learn the strategies there are.
func TestCheckStrategy(t *testing.T) {
	p, err := loadPolicies(t.Context(), policyConfig{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	app := &spec.App{ID: "/a", Cmd: "x", Labels: map[string]string{spec.StrategyLabel: "batch"}}
	if err := p.checkStrategy(t.Context(), app); err != nil {
		t.Errorf("batch: %v", err)
	}
	app.Labels[spec.StrategyLabel] = "sideways"
	err = p.checkStrategy(t.Context(), app)
	if err == nil || !strings.Contains(err.Error(), "batch") || !strings.Contains(err.Error(), "rolling") {
		t.Errorf("sideways: %v", err)
	}
}
