package wasm

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/pacer-run/pacer/runtime/policy/metering"
)

// outcome is what one call did, as far as the caller can see.
type outcome struct {
	Result uint64
	Trap   string
	Memory string
}

// replay calls every function of the module with many numbers and returns what
// they did and the fuel that each took; a module that is not metered takes none.
func replay(t *testing.T, code []byte) (outcomes []outcome, fuel []int64) {
	t.Helper()
	config := wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2)
	runtime := wazero.NewRuntimeWithConfig(t.Context(), config)
	defer runtime.Close(context.WithoutCancel(t.Context()))
	guest, err := runtime.InstantiateWithConfig(t.Context(), code, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	counter, _ := guest.ExportedGlobal(metering.FuelGlobal).(api.MutableGlobal)
	if counter != nil {
		counter.Set(math.MaxInt64)
	}
	if start := guest.ExportedFunction(metering.StartExport); start != nil {
		if _, err := start.Call(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"sum", "fib", "switch", "indirect", "bulk", "values", "vector", "float", "trap"} {
		for n := uint64(0); n < 1000; n += 37 {
			if counter != nil {
				counter.Set(math.MaxInt64)
			}
			results, err := guest.ExportedFunction(name).Call(t.Context(), n)
			o := outcome{}
			if err != nil {
				o.Trap, _, _ = strings.Cut(err.Error(), "\n")
			} else {
				o.Result = results[0]
			}
			b, _ := guest.Memory().Read(0, 10_000)
			o.Memory = string(b)
			outcomes = append(outcomes, o)
			if counter != nil {
				fuel = append(fuel, math.MaxInt64-int64(counter.Get()))
			}
		}
	}
	return outcomes, fuel
}

// A metered module does what the module did, and takes the same fuel each time.
func TestMeteredIsTheSame(t *testing.T) {
	code := fixture(t, "calc")
	metered, err := metering.Rewrite(code)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := replay(t, code)
	got, fuel := replay(t, metered.Code)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, again := replay(t, metered.Code)
	if !slices.Equal(fuel, again) {
		t.Errorf("fuel differs from run to run:\n%v\n%v", fuel, again)
	}
	for i, used := range fuel {
		// The function that trapped keeps what it has used to itself.
		if used == 0 && want[i].Trap == "" {
			t.Errorf("call %d was free", i)
		}
	}
}

// The fuel of a loop grows with its turns and covers its instructions.
func TestFuelCoversWork(t *testing.T) {
	metered, err := metering.Rewrite(fixture(t, "calc"))
	if err != nil {
		t.Fatal(err)
	}
	_, fuel := replay(t, metered.Code)
	const inOneTurn = 11 // instructions of $sum's loop that are not free
	for i := range 27 {
		if n := int64(i * 37); fuel[i] < n*inOneTurn || fuel[i] > (n+1)*inOneTurn*2+20 {
			t.Errorf("sum of %d numbers took %d units", n, fuel[i])
		}
	}
}

// Rewriting is the same for the same input, so that the compilation cache works.
func TestRewriteIsDeterministic(t *testing.T) {
	for _, name := range []string{"calc", "zoo"} {
		one, err := metering.Rewrite(fixture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		two, err := metering.Rewrite(fixture(t, name))
		if err != nil || string(one.Code) != string(two.Code) {
			t.Errorf("%s: differs, %v", name, err)
		}
	}
}

// A module that was not valid does not become valid by being metered: that is
// what keeps the guest from the counters without validating twice.
func FuzzMetered(f *testing.F) {
	for _, name := range []string{"calc", "zoo", "good", "refused-reach-fuel", "refused-start-loop"} {
		f.Add(fixture(f, name))
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		metered, err := metering.Rewrite(code)
		if err != nil {
			return
		}
		if valid(metered.Code) && !valid(code) {
			t.Error("metering made an invalid module valid")
		}
	})
}

// valid uses the interpreter, which checks the same and compiles nothing.
func valid(code []byte) bool {
	ctx := context.Background()
	config := wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2)
	runtime := wazero.NewRuntimeWithConfig(ctx, config)
	defer runtime.Close(ctx)
	_, err := runtime.CompileModule(ctx, code)
	return err == nil
}
