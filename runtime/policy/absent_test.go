package policy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
)

// refusal is the error of a name that nobody offers.
func refusal(t *testing.T, w *world, operator string) (text, module string) {
	t.Helper()
	_, err := w.Prepare(t.Context(), sdk.ConstraintSpec{Field: "f", Operator: operator})
	if _, ok := errors.AsType[*sdk.Invalid](err); !ok {
		t.Fatalf("error %v", err)
	}
	var absent interface{ Absent() (module, kind string) }
	if errors.As(err, &absent) {
		var kind string
		if module, kind = absent.Absent(); kind != "constraint" {
			t.Errorf("kind %q", kind)
		}
	}
	return err.Error(), module
}

// Who asks for what a module has that is off is told of the module, and no other is
// blamed.
func TestRefusalsNameTheModuleThatIsOff(t *testing.T) {
	listed := []policy.ModuleConfig{{Name: "m", Ref: policy.Ref{Ref: "a"}}}
	w := newWorld(t, offering("1", 1, "NEAR", "FAR"), func(c *policy.Config) {
		c.Builtins = []sdk.Constraint{named("EVEN")}
		c.Modules = append(listed, policy.ModuleConfig{Name: "broken", Ref: policy.Ref{Ref: "nowhere"}}, policy.ModuleConfig{Name: "resting", Mode: policy.Off})
		c.Reread = func() ([]policy.ModuleConfig, bool, error) { return listed, len(listed) == 0, nil }
	})
	if err := w.Disable(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	const names = "operator must be one of the following EVEN"
	if text, module := refusal(t, w, "NEAR"); text != names+"; the policy module m (fake@1), which has NEAR, is off" || module != "fake@1" {
		t.Errorf("%q by %q", text, module)
	}
	text, module := refusal(t, w, "NOWHERE")
	if module != "" || strings.Contains(text, "fake@1") || !strings.Contains(text, "broken could not be loaded: there is nothing at nowhere") ||
		!strings.Contains(text, "resting is off, and what it has is not known") {
		t.Errorf("%q by %q", text, module)
	}
	if err := w.Enable(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	w.near(t).Close()
	listed = nil
	w.Look(context.Background())
	if text, module := refusal(t, w, "FAR"); text != names+"; the policy module m (fake@1), which has FAR, is off: it is not in the list any more" || module != "fake@1" {
		t.Errorf("%q by %q", text, module)
	}
}
