// Package policies_test builds the example policies as their authors would, and runs
// their vectors on the modules. A folder with a policy.yaml is tested by being there.
package policies_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/policy/author"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// envelope is Pacer's own rule about what an upgrade may do.
func envelope() author.Envelope {
	return author.Envelope{
		Bounds: func(instances int, minimumHealth, maximumOver float64, _ bool) (minHealthy, maxTotal int) {
			e := deployment.EnvelopeOf(&spec.App{Instances: instances, UpgradeStrategy: spec.UpgradeStrategy{
				MinimumHealthCapacity: minimumHealth, MaximumOverCapacity: maximumOver,
			}})
			return e.MinHealthy, e.MaxTotal
		},
		Cut: func(s *sdk.UpgradeState, step *sdk.UpgradeStep) author.Allowed {
			return author.Allowed(deployment.Cut(s, step))
		},
		Excess: deployment.Excess,
	}
}

func TestExamples(t *testing.T) {
	projects, err := filepath.Glob("*/" + author.ProjectFile)
	if err != nil || len(projects) == 0 {
		t.Fatalf("%d examples: %v", len(projects), err)
	}
	cache := t.TempDir()
	for _, project := range projects {
		dir := filepath.Dir(project)
		t.Run(dir, func(t *testing.T) {
			p := build(t, dir)
			source, err := author.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			options := author.LoadOptions{CacheDir: cache}
			if checkup := source.Check(t.Context(), options); !checkup.OK {
				t.Fatalf("%+v", checkup.Findings)
			}
			m, end, err := source.Load(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			defer end()
			runVectors(t, p, m)
		})
	}
}

// build runs what pacer policy build runs.
func build(t *testing.T, dir string) *author.Project {
	t.Helper()
	p, err := author.OpenProject(dir)
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	if _, err := p.Make(t.Context(), &said); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	return p
}

// runVectors asks the module all that is in the example's vectors. Every policy that it
// offers has to have some.
func runVectors(t *testing.T, p *author.Project, m remote.Module) {
	t.Helper()
	files, err := p.VectorFiles()
	if err != nil {
		t.Fatal(err)
	}
	var cases []author.Case
	for _, file := range files {
		some, err := author.ReadCases(file, envelope())
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, some...)
	}
	for kind := range remote.Kinds {
		for _, name := range remote.Names(m, kind) {
			if !slices.ContainsFunc(cases, func(c author.Case) bool { return c.Kind == kind && c.Name == name }) {
				t.Errorf("no vector is about the %s %s", kind, name)
			}
		}
	}
	for _, o := range author.Test(context.WithoutCancel(t.Context()), m, cases, nil).Cases {
		if o.Verdict != author.Pass {
			t.Errorf("%s:%d: %s\n%s", o.File, o.Line, o.Text, o.Cause)
		}
	}
}

// What OPA compiled is made of the policy that is beside it.
func TestRegoIsCompiled(t *testing.T) {
	source, err := os.ReadFile("rego/policy.rego")
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := os.ReadFile("rego/compiled.wasm")
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(source)
	if !bytes.HasSuffix(compiled, append([]byte("rego.source"), digest[:]...)) {
		t.Error("rego/compiled.wasm is of another policy.rego: run make -C examples/policies/rego compiled")
	}
}

// Each example says what it is for.
func TestExamplesHaveReadmes(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if text, err := os.ReadFile(filepath.Join(entry.Name(), "README.md")); err != nil || len(text) < 200 {
			t.Errorf("%s: %d bytes of README.md: %v", entry.Name(), len(text), err)
		}
	}
}
