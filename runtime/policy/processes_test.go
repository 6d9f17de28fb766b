package policy_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/process"
)

// The test binary is also a module that is a process, when it is started with this
// argument.
const asProcess = "as-process"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == asProcess {
		process.Serve(process.Module{Name: "teller", Version: "1.0.0", Admission: teller{}})
		return
	}
	os.Exit(m.Run())
}

// teller says what it finds around it.
type teller struct{}

func (teller) Policies() []string { return []string{"tell"} }

func (teller) Review(context.Context, sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	var told []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "PACER_") && !strings.HasPrefix(variable, "PLUGIN_") {
			told = append(told, variable)
		}
	}
	slices.Sort(told)
	return sdk.AdmissionReview{Warnings: append(told, fmt.Sprint("pid ", os.Getpid()))}, nil
}

// tell asks a catalog's teller.
func tell(t *testing.T, c *policy.Catalog) []string {
	t.Helper()
	got, err := c.Admit(t.Context(), sdk.AdmissionRequest{Verb: sdk.AdmissionCreate, Subject: sdk.AdmissionApp, ID: "/a", New: []byte("{}")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range got.Warnings {
		got.Warnings[i] = strings.TrimPrefix(text, "admission policy tell: ")
	}
	return got.Warnings
}

// processConfig is the test binary as a module.
func processConfig(t *testing.T, env ...policy.Variable) policy.ModuleConfig {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return policy.ModuleConfig{
		Name: "teller", Ref: policy.Ref{Ref: "file:" + self}, Backend: policy.BackendProcess, Args: []string{asProcess}, Env: env,
	}
}

// A process has the variables that it is given and no others, the API's side sees
// their names alone, and other ones are another process.
func TestEnvironmentOfAProcess(t *testing.T) {
	t.Setenv("TELL_TOKEN", "secret")
	t.Setenv("TELL_OTHER", "not granted")
	list, changed := []policy.ModuleConfig{processConfig(t, policy.Variable{Name: "LANG", Value: "C"}, policy.Variable{Name: "TELL_TOKEN", Inherit: true})}, false
	backends, err := policy.NewBackends(wasm.DefaultLimits(), "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c, err := policy.Open(t.Context(), policy.Config{
		Modules: list, Loader: backends, Admitting: []policy.AdmissionStep{{Policy: "tell"}},
		Reread: func() ([]policy.ModuleConfig, bool, error) { return list, changed, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	if err := c.Required(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := tell(t, c)
	if diff := cmp.Diff([]string{"LANG=C", "TELL_TOKEN=secret"}, before[:len(before)-1]); diff != "" {
		t.Error(diff)
	}
	m, err := c.Module("teller")
	if err != nil || !slices.Equal(m.Env, []string{"LANG", "TELL_TOKEN"}) || strings.Contains(fmt.Sprintf("%+v", m), "secret") {
		t.Errorf("%+v, %v", m, err)
	}

	list, changed = []policy.ModuleConfig{processConfig(t, policy.Variable{Name: "LANG", Value: "C.UTF-8"})}, true
	c.Look(t.Context())
	after := tell(t, c)
	if diff := cmp.Diff([]string{"LANG=C.UTF-8"}, after[:len(after)-1]); diff != "" || after[len(after)-1] == before[len(before)-1] {
		t.Errorf("%v, before %v", after, before)
	}

	list = []policy.ModuleConfig{processConfig(t, policy.Variable{Name: "TELL_NONE", Inherit: true})}
	c.Look(t.Context())
	if m, err = c.Module("teller"); err != nil || !strings.Contains(m.Notice, "env.TELL_NONE: it has no value, and Pacer's own environment has no such variable") {
		t.Errorf("%q, %v", m.Notice, err)
	}
	if again := tell(t, c); !slices.Equal(again, after) {
		t.Errorf("the process in use did not go on: %v", again)
	}
}
