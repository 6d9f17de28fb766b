package main

import (
	"context"
	"testing"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

// sent is a master that keeps the calls.
type sent struct{ calls []scheduler.Call }

func (s *sent) Send(_ context.Context, calls []scheduler.Call) { s.calls = append(s.calls, calls...) }

func TestPrefixOfVariables(t *testing.T) {
	m := &sent{}
	core := []scheduler.Call{scheduler.Revive{}, scheduler.Accept{Tasks: []launch.Task{{ID: "a"}, {ID: "b"}}}}
	prefixed{m, "PACER_", "corp"}.Send(t.Context(), core)
	for _, task := range m.calls[1].(scheduler.Accept).Tasks {
		if task.EnvPrefix != "PACER_" {
			t.Errorf("task %s has the prefix %q, want PACER_", task.ID, task.EnvPrefix)
		}
		if task.BridgeName != "corp" {
			t.Errorf("task %s has the bridge %q, want corp", task.ID, task.BridgeName)
		}
	}
	if core[1].(scheduler.Accept).Tasks[0].EnvPrefix != "" {
		t.Error("the core's own task was changed")
	}
}
