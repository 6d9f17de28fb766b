package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module builds a policy module with the Go tool alone.
func module(t *testing.T, source, target string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-buildmode=c-shared", "-ldflags=-s -w", "-o", target, source)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", source, err, out)
	}
}

// TestPolicyModules runs a server with a module that works, one that is broken
// and one that loops for ever.
func TestPolicyModules(t *testing.T) {
	policies := t.TempDir()
	module(t, "../examples/policies/rack-spread", filepath.Join(policies, "rack-spread.wasm"))
	module(t, "./testdata/loop", filepath.Join(policies, "loop.wasm"))
	if err := os.WriteFile(filepath.Join(policies, "broken.wasm"), []byte("\x00asm and nothing else"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, a := dev(t, dataDir(t), "--policy-dir", policies)

	t.Run("a module places an app", func(t *testing.T) {
		a.must(t, "POST", "/v2/apps", withConstraint("/spread", 6, `"rack_id","RACK_SPREAD","2"`))
		placed := map[string]int{}
		for _, task := range a.running(t, "/spread", 6).Tasks {
			placed[task.SlaveID]++
		}
		for agent, n := range placed {
			if n != 2 {
				t.Errorf("%d instances on %s, want 2 on each of 3 agents", n, agent)
			}
		}
	})
	t.Run("it refuses what is too much", func(t *testing.T) {
		a.must(t, "POST", "/v2/apps", withConstraint("/toomany", 7, `"rack_id","RACK_SPREAD","2"`))
		until(t, "six of seven run", func() bool { x, ok := a.app(t, "/toomany"); return ok && x.TasksRunning == 6 })
		a.must(t, "POST", "/v2/apps", withConstraint("/after", 1, `"rack_id","LIKE","rack-[12]"`))
		a.running(t, "/after", 1)
		if x, _ := a.app(t, "/toomany"); x.TasksRunning != 6 {
			t.Errorf("%d instances run, want 6", x.TasksRunning)
		}
	})
	t.Run("an unknown operator", func(t *testing.T) {
		refused(t, a, `"rack_id","SPREAD_OUT","2"`, "/constraints(0)", "UNIQUE", "RACK_SPREAD", "broken.wasm")
	})
	t.Run("a value that the module refuses", func(t *testing.T) {
		refused(t, a, `"rack_id","RACK_SPREAD","many"`, "/constraints(0)", "RACK_SPREAD requires a number")
	})
	t.Run("a module that loops for ever", func(t *testing.T) {
		a.must(t, "POST", "/v2/apps", withConstraint("/loops", 1, `"rack_id","FOREVER"`))
		until(t, "the fault is told", func() bool {
			text := a.must(t, "GET", "/v2/queue", "")
			return strings.Contains(text, "constraint rack_id:FOREVER: policy module loop@1.0.0: constraint_evaluate: fuel exhausted")
		})
		if text := a.must(t, "GET", "/pacer/v1/policies", ""); !strings.Contains(text, `"error":"constraint_evaluate: fuel exhausted"`) {
			t.Errorf("the modules tell of no fault: %s", text)
		}
		a.must(t, "POST", "/v2/apps", withConstraint("/other", 3, `"rack_id","UNIQUE"`))
		a.running(t, "/other", 3)
		if x, _ := a.app(t, "/loops"); x.TasksRunning != 0 {
			t.Errorf("%d instances of the app run, want none", x.TasksRunning)
		}
	})
	t.Run("the modules are listed", func(t *testing.T) {
		text := a.must(t, "GET", "/pacer/v1/policies", "")
		for _, want := range []string{`"rack-spread"`, `"LIKE"`, `"broken.wasm"`, `"loaded":false`, `"FOREVER"`} {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in %s", want, text)
			}
		}
	})
}

// withConstraint is a small app with one constraint.
func withConstraint(id string, instances int, constraint string) string {
	return fmt.Sprintf(`{"id":%q,"cmd":"exec sleep 100000","cpus":0.1,"mem":16,"instances":%d,"constraints":[[%s]]}`, id, instances, constraint)
}

// refused submits an app whose constraint is wrong and looks for texts in the
// answer.
func refused(t *testing.T, a api, constraint string, want ...string) {
	t.Helper()
	status, text := a.try(t, "POST", "/v2/apps", withConstraint("/refused", 1, constraint))
	if status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s, want 422", status, text)
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in %s", w, text)
		}
	}
}
