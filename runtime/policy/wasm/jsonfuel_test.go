//go:build !race

package wasm

import "testing"

// What is in a text, and which byte of one is wrong, is the same in a module in Go.
func TestGoJSONVectors(t *testing.T) {
	m, err := load(t, buildGuest(t, "testdata/json-go"), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	checkJSON(t, m)
	checkReview(t, m)
}

// A review of an app costs so much fuel for each of its bytes, and fits well into what a
// module has by default: 512 KiB in AssemblyScript and 1 MiB in Go, Rust and C. docs/policies.md
// has these figures.
func TestFuelOfJSON(t *testing.T) {
	languages := append(jsonLanguages(), jsonLanguage{
		name: "go", fuel: 90, largest: 1024, build: func(t testing.TB) []byte { return buildGuest(t, "testdata/json-go") },
	})
	for _, l := range languages {
		m, err := load(t, l.build(t), DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		for _, kib := range []int{1, 16, 64, 256, l.largest} {
			read := reviewApp(t, m, kib<<10, "mirror.example/redis:7")
			amended := reviewApp(t, m, kib<<10, "redis:7")
			t.Logf("%s: an app of %d KiB: %d units for each byte, %d of one that is amended", l.name, kib, read, amended)
			if kib >= 16 && max(read, amended) > l.fuel { // a small one is dearer, for what is not its bytes
				t.Errorf("%s: %d and %d units for each byte, %d are allowed", l.name, read, amended, l.fuel)
			}
			if used := amended * int64(kib) << 10; used > DefaultLimits().CallFuel/3 {
				t.Errorf("%s: %d units for an app of %d KiB are not far from the limit", l.name, used, kib)
			}
		}
	}
}
