package policy_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/artifact/artifacttest"
	"github.com/pacer-run/pacer/runtime/policy/trust"
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
	if text, err := os.ReadFile("lib/a.txt"); err == nil {
		told = append(told, "file "+string(text))
	}
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
	c := openTeller(t, "", trust.Policy{}, list, func() ([]policy.ModuleConfig, bool, error) { return list, changed, nil })
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

// openTeller opens a catalog that has the module alone.
func openTeller(t *testing.T, dir string, policies trust.Policy, list []policy.ModuleConfig, reread func() ([]policy.ModuleConfig, bool, error)) *policy.Catalog {
	t.Helper()
	backends, err := policy.NewBackends(wasm.DefaultLimits(), "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := backends.Trust(dir, policies); err != nil {
		t.Fatal(err)
	}
	c, err := policy.Open(t.Context(), policy.Config{Modules: list, Loader: backends, Admitting: []policy.AdmissionStep{{Policy: "tell"}}, Reread: reread})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	<-c.Loaded()
	return c
}

// A script with its library is pinned and signed as a whole; what is used are the bytes
// that were verified. A change of a file alone is another version.
func TestFilesOfAProcess(t *testing.T) {
	dir := t.TempDir()
	self := processConfig(t)
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("teller.sh", "#!/bin/sh\nexec "+strings.TrimPrefix(self.Ref.Ref, "file:")+" "+asProcess+"\n", 0o700)
	write("a.txt", "hello", 0o600)
	m := policy.ModuleConfig{
		Name: "teller", Ref: policy.Ref{Ref: "file:teller.sh"}, Backend: policy.BackendProcess,
		Files: []artifact.AttachmentRef{{Name: "lib/a.txt", Path: "a.txt"}},
	}
	c := openTeller(t, dir, trust.Policy{}, []policy.ModuleConfig{m}, nil)
	if got := tell(t, c); !slices.Contains(got, "file hello") {
		t.Errorf("it says %v", got)
	}
	write("a.txt", "hello again", 0o600)
	c.Look(t.Context())
	if got := tell(t, c); !slices.Contains(got, "file hello again") {
		t.Errorf("after a change of the file it says %v", got)
	}

	ann, err := trust.GenerateKey(trust.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	required := trust.Policy{Require: true, Keys: []trust.Key{{Name: "ann", PEM: public(t, ann)}}}
	found, err := (&artifact.Store{Dir: dir}).Fetch(t.Context(), artifact.Ref{Path: "teller.sh"}, "", m.Files...)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := trust.Sign(ann, found, "teller", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	write("teller.sh.sig", string(envelope), 0o600)
	for _, tt := range []struct{ program, file, text, want string }{
		{found.Digest, "", "hello again", "file:teller.sh: file lib/a.txt: the digest is not pinned"},
		{found.Digest, artifact.Digest([]byte("hello again")), "hello again", ""},
		{found.Digest, artifact.Digest([]byte("hello again")), "hello there", "file lib/a.txt: the bytes are not as expected"},
		{found.Digest, artifact.Digest([]byte("hello there")), "hello there", "the module is not trusted: signed by nobody that is trusted; it needs 1 of the signatures of ann and has 0; " +
			"what ann has signed has other files beside it: lib/a.txt is another one"},
	} {
		write("a.txt", tt.text, 0o600)
		m.Digest, m.Files = tt.program, []artifact.AttachmentRef{{Name: "lib/a.txt", Path: "a.txt", Digest: tt.file}}
		c := openTeller(t, dir, required, []policy.ModuleConfig{m}, nil)
		got, err := c.Module("teller")
		if err != nil || !strings.Contains(got.Error, tt.want) || (tt.want == "") != (got.State == policy.Active) {
			t.Errorf("%+v, %v; want %s", got, err, tt.want)
		}
	}
}

// What is in a registry or a folder is started from there; what is for other machines
// is refused, as is a module of the other kind.
func TestProcessFromAFolder(t *testing.T) {
	dir := t.TempDir()
	self := processConfig(t)
	script, err := artifact.New([]byte("#!/bin/sh\nexec " + strings.TrimPrefix(self.Ref.Ref, "file:") + " " + asProcess + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	script.Files = []artifact.Attachment{{Name: "lib/a.txt", Bytes: []byte("from afar")}}
	push := func(m *artifact.Module, tag string) policy.Ref {
		t.Helper()
		ref, err := (&artifact.Store{Dir: dir}).Push(t.Context(), artifact.Ref{Place: artifact.Layout, Path: "layout", Tag: tag}, m)
		if err != nil {
			t.Fatal(err)
		}
		return policy.Ref{Ref: ref.String()}
	}
	foreign, err := artifact.New(artifacttest.Program(22, "")) // s390x
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := artifact.New(artifacttest.Module("m", "1.0.0", ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		m       *artifact.Module
		backend string
		want    string
	}{
		{script, policy.BackendProcess, ""},
		{foreign, policy.BackendProcess, "not for this machine: it is an executable for linux/s390x, and this is linux/" + runtime.GOARCH},
		{wasm, policy.BackendProcess, "it is a WASM module and no executable file; it needs backend: wasm"},
		{script, policy.BackendWASM, "not a WASM module; one that is a process needs backend: process"},
	} {
		c := openTeller(t, dir, trust.Policy{}, []policy.ModuleConfig{{Name: "teller", Ref: push(tt.m, "1"), Backend: tt.backend}}, nil)
		got, err := c.Module("teller")
		if err != nil || !strings.Contains(got.Error, tt.want) || (tt.want == "") != (got.State == policy.Active) {
			t.Errorf("%+v, %v; want %s", got, err, tt.want)
		}
		if tt.want == "" && !slices.Contains(tell(t, c), "file from afar") {
			t.Error("it does not find its file")
		}
	}
}
