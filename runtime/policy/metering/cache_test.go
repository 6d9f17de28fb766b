package metering_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/metering"
)

func TestCache(t *testing.T) {
	code := read(t, "calc")
	want, err := metering.Rewrite(code)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "code")
	same := func(what string) {
		t.Helper()
		cache, err := metering.NewCache(dir)
		if err != nil {
			t.Fatal(err)
		}
		got, err := cache.Rewrite(code)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", what, err, diff)
		}
	}
	same("empty")
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v; want one", files, err)
	}
	entry, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	same("filled")
	for what, damaged := range map[string][]byte{"cut": entry[:len(entry)-1], "short": entry[:3], "none": nil, "sum alone": entry[:4]} {
		if err := os.WriteFile(files[0], damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		same(what)
		if healed, err := os.ReadFile(files[0]); err != nil || string(healed) != string(entry) {
			t.Errorf("%s: the entry was not made anew, %v", what, err)
		}
	}
	if _, err := (*metering.Cache)(nil).Rewrite(code); err != nil {
		t.Error(err)
	}
	if cache, err := metering.NewCache(dir); err != nil {
		t.Error(err)
	} else if _, err := cache.Rewrite([]byte("no module")); err == nil {
		t.Error("no module was taken")
	}
}

// The rewritten code of another module is not taken for that of this one.
func TestCacheApart(t *testing.T) {
	cache, err := metering.NewCache(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"calc", "good", "zoo", "calc"} {
		code := read(t, name)
		want, err := metering.Rewrite(code)
		if err != nil {
			t.Fatal(err)
		}
		got, err := cache.Rewrite(code)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}
