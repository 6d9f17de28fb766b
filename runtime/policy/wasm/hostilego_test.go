package wasm

import "testing"

// Go programs fail in their own ways; each is one line for a person.
func TestHostileGo(t *testing.T) {
	tests := map[string]string{
		"panic":     "panic: boom",
		"nil":       "panic: runtime error: invalid memory address or nil pointer dereference",
		"deadlock":  "",
		"memory":    "",
		"recursion": "",
		"sleep":     "fuel exhausted",
		"exit":      "exited with code 3",
	}
	limits := DefaultLimits()
	limits.Instances = 1
	m := loadAuthor(t, Options{Limits: limits})
	for name, cause := range tests {
		bad := prepare(t, m, "HOSTILE", name)
		fuel := m.FuelUsed()
		_, err := bad.Evaluate(t.Context(), two())
		t.Logf("%s: %v", name, err)
		wantFault(t, err, cause)
		if used, budget := m.FuelUsed()-fuel, limits.BaseFuel+2*limits.ItemFuel; used > budget {
			t.Errorf("%s: used %d units, the budget is %d", name, used, budget)
		}
		wantCalls(t, prepare(t, m, "HOSTILE", ""), 1)
	}
	_, err := prepare(t, m, "HOSTILE", "error").Evaluate(t.Context(), two())
	wantFault(t, err, "out of ideas")
}
