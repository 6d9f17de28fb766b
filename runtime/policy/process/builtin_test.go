package process

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/plugins/fetchers"
	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
	"github.com/pacer-run/pacer/sdk/wire"
)

const plugins = "../../../plugins"

// builtin is the module of all policies that are built in, built with the tool chain
// that is in the path, which is the test's own.
func builtin(t testing.TB, args ...string) Config {
	t.Helper()
	file := filepath.Join(os.Getenv("PACER_TEST_SCRATCH"), "builtin-process")
	if _, err := os.Stat(file); err != nil {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", file, ".")
		cmd.Dir = plugins + "/cmd/builtin-process"
		cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
		if message, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, message)
		}
	}
	config := Config{Command: append([]string{file}, args...), Dir: shortDir(t), Limits: patient()}
	config.Limits.DataBytes = 0 // as by default
	return config
}

func read[V any](t *testing.T, path string, read func(*os.File) ([]V, error)) []V {
	t.Helper()
	file, err := os.Open(filepath.Join(plugins, path))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	vectors, err := read(file)
	if err != nil || len(vectors) == 0 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	return vectors
}

func vectors(t *testing.T) []policytest.Vector {
	return read(t, "constraints/testdata/vectors.txt", func(f *os.File) ([]policytest.Vector, error) { return policytest.Read(f) })
}

// The policies that are built in keep, as a process, all that their vectors say.
func TestBuiltinVectors(t *testing.T) {
	m := start(t, builtin(t))
	t.Run("constraint", func(t *testing.T) {
		policytest.Run(t, remote.Constraint(m).Prepare, vectors(t))
	})
	t.Run("fetch", func(t *testing.T) {
		list := read(t, "fetchers/testdata/vectors.txt", func(f *os.File) ([]policytest.FetchVector, error) { return policytest.ReadFetch(f) })
		policytest.RunFetch(t, []sdk.Fetch{remote.Fetch(m)}, list)
	})
	t.Run("health", func(t *testing.T) { policytest.RunHealth(t, remote.Health(m)) })
}

// The bytes of each answer are those of the operator in this process.
func TestBuiltinBytes(t *testing.T) {
	m := start(t, builtin(t))
	compared := 0
	for _, v := range vectors(t) {
		native, err := nativeConstraint(t.Context(), v.Spec)
		spec := wire.AppendSpec(nil, v.Spec)
		p, other := m.Prepare(t.Context(), remote.KindConstraint, spec)
		if err != nil || other != nil {
			if diff := cmp.Diff(err, other); diff != "" {
				t.Errorf("%s\n%s", v.Text, diff)
			}
			continue
		}
		in := v.Input
		if native.Traits()&sdk.Stateful == 0 {
			in.Placed, in.First = nil, -1
		}
		answer, err := native.Evaluate(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		want := wire.AppendAnswer(nil, answer)
		err = p.Ask(t.Context(), wire.AppendInput(nil, in), len(in.Values), func(got []byte) error {
			if !bytes.Equal(want, got) || p.Traits() != native.Traits() {
				t.Errorf("%s\ntraits %d: % x, natively %d: % x", v.Text, p.Traits(), got, native.Traits(), want)
			}
			compared++
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		p.Close()
	}
	if compared < 50 {
		t.Errorf("only %d answers compared", compared)
	}
}

func nativeConstraint(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	for _, c := range constraints.All() {
		if slices.Contains(c.Operators(), spec.Operator) {
			return c.Prepare(ctx, spec)
		}
	}
	return nil, &sdk.Invalid{Message: "there is no " + spec.Operator}
}

// The strategies step alike from every state of an upgrade of three.
func TestBuiltinUpgrades(t *testing.T) {
	m := start(t, builtin(t))
	for _, policy := range upgrades.All() {
		for _, strategy := range policy.Strategies() {
			spec := sdk.UpgradeSpec{Strategy: strategy, App: sdk.AppFacts{ID: "/a", Instances: 3}, MinimumHealthCapacity: 0.5, MaximumOverCapacity: 1}
			native, err := policy.Prepare(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			p, err := remote.Upgrade(m).Prepare(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			for i := range uint32(4 * 4 * 4) {
				s := sdk.UpgradeState{
					Instances: 3, MinimumHealthCapacity: 0.5, MaximumOverCapacity: 1, MinHealthy: 2, MaxTotal: 6,
					Old: i % 4, OldHealthy: i % 4, New: i / 4 % 4, NewHealthy: i / 4 % 4, NewReady: min(i/4%4, i/16),
				}
				want, err := native.Next(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				got, err := p.Next(t.Context(), s)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("%s %+v: %v %s", strategy, s, err, diff)
				}
			}
			p.Close()
			native.Close()
		}
	}
}

// With a prefix, the names can stand beside those that are built in.
func TestBuiltinPrefix(t *testing.T) {
	m := start(t, builtin(t, "-prefix", "p-"))
	d := m.Description()
	if len(d.Operators) != len(constraints.All()) || len(d.Fetchers) != len(fetchers.All()) || len(d.Rules) != len(health.All()) {
		t.Errorf("%+v", d)
	}
	if !slices.Contains(d.Operators, "P_LIKE") || !slices.Contains(d.Strategies, "p-rolling") {
		t.Errorf("%+v", d)
	}
	spec := sdk.ConstraintSpec{Field: "f", Operator: "P_LIKE", Value: "a", HasValue: true}
	p, err := remote.Constraint(m).Prepare(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
}
