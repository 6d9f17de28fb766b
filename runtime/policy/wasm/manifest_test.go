package wasm

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk/manifest"
)

// embed returns the module with the manifest, whatever it says.
func embed(t testing.TB, code []byte, m manifest.Manifest) []byte {
	t.Helper()
	code, err := manifest.Embed(code, &m)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// good is the manifest of the good fixture.
func good() manifest.Manifest {
	return manifest.Manifest{Name: "bad", Version: "1", ABI: "1.0", Kinds: map[string][]string{"constraint": {"BAD"}}}
}

// A manifest that says something else than the module is refused with what differs,
// and one that is no manifest with its fields.
func TestLyingManifest(t *testing.T) {
	tests := []struct {
		name  string
		lie   func(*manifest.Manifest)
		cause string // "" for none
	}{
		{"the truth", func(*manifest.Manifest) {}, ""},
		{"name", func(m *manifest.Manifest) { m.Name = "good" }, `the manifest lies: name is "good" there and "bad" here`},
		{"version", func(m *manifest.Manifest) { m.Version = "2" }, `version is "2" there and "1" here`},
		{"abi", func(m *manifest.Manifest) { m.ABI = "1.1" }, `abi is "1.1" there and "1.0" here`},
		{"major abi", func(m *manifest.Manifest) { m.ABI = "2.0" }, "its manifest says that it needs the ABI 2.0; this host speaks 1.1"},
		{
			"more names", func(m *manifest.Manifest) { m.Kinds["constraint"] = []string{"WORSE", "BAD"} },
			`constraint is "BAD WORSE" there and "BAD" here`,
		},
		{
			"all at once", func(m *manifest.Manifest) { m.Name, m.Version, m.Kinds["constraint"] = "good", "2", []string{"GOOD"} },
			`name is "good" there and "bad" here; version is "2" there and "1" here; constraint is "GOOD" there and "BAD" here`,
		},
		{
			"a kind without functions", func(m *manifest.Manifest) { m.Kinds["upgrade"] = []string{"slow"} },
			"its manifest lies: it names the upgrade policy slow, but the module does not export the function upgrade_next",
		},
	}
	for _, test := range tests {
		m := good()
		test.lie(&m)
		_, err := load(t, embed(t, fixture(t, "good"), m), tight())
		if text := ""; err != nil {
			if text = err.Error(); test.cause == "" || !strings.Contains(text, test.cause) {
				t.Errorf("%s: error %v, want %q in it", test.name, err, test.cause)
			}
		} else if test.cause != "" {
			t.Errorf("%s: loaded, want %q", test.name, test.cause)
		}
	}
	broken := bytes.Replace(embed(t, fixture(t, "good"), good()), []byte(`"name"`), []byte(`"nome"`), 1)
	if _, err := load(t, broken, tight()); err == nil || !strings.Contains(err.Error(), "manifest: /nome: no such field") {
		t.Errorf("broken: error %v", err)
	}
}

// Of each limit the smallest one counts: the host's, the operator's, the manifest's.
func TestSmallestLimitCounts(t *testing.T) {
	said := good()
	said.Limits = manifest.Limits{MemoryPages: 1 << 16, StartFuel: 1 << 40, BaseFuel: 5_000, ReplyBytes: 300}
	m, err := loadWith(t, embed(t, fixture(t, "good"), said), tight(), Options{Limits: Limits{BaseFuel: 6_000, ReplyBytes: 200, Calls: 7}})
	if err != nil {
		t.Fatal(err)
	}
	want := tight()
	want.BaseFuel, want.ReplyBytes, want.Calls = 5_000, 200, 7
	if m.limits != want {
		t.Errorf("limits %+v, want %+v", m.limits, want)
	}
	said.Limits = manifest.Limits{StartFuel: 1}
	if _, err := load(t, embed(t, fixture(t, "good"), said), tight()); err == nil || !strings.Contains(err.Error(), "fuel exhausted") {
		t.Errorf("start: error %v", err)
	}
	if m.Manifest().Name != "bad" {
		t.Errorf("manifest %+v", m.Manifest())
	}
}
