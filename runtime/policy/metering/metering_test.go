package metering_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/metering"
)

const header = "\x00asm\x01\x00\x00\x00"

func read(t testing.TB, name string) []byte {
	t.Helper()
	code, err := os.ReadFile(filepath.Join("../wasm/testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestWhatAModuleIs(t *testing.T) {
	m, err := metering.Rewrite(read(t, "zoo"))
	if err != nil {
		t.Fatal(err)
	}
	const i32, i64 = metering.I32, metering.I64
	imports := []metering.Import{
		{Module: "wasi_snapshot_preview1", Name: "random_get", Type: metering.FuncType{Params: i32 + i32, Results: i32}},
		{Module: "policy_v1", Name: "log", Type: metering.FuncType{Params: i32 + i32 + i32}},
	}
	if diff := cmp.Diff(imports, m.Imports); diff != "" {
		t.Error(diff)
	}
	want := metering.Export{Kind: metering.KindFunction, Type: metering.FuncType{Params: i32 + i32, Results: i64}}
	if got := m.Exports["constraint_evaluate"]; got != want {
		t.Errorf("constraint_evaluate is %v, want %v", got, want)
	}
	if got := want.Type.String(); got != "(i32, i32) -> (i64)" {
		t.Errorf("type is written %s", got)
	}
	if m.MinPages != 1 || m.Exports["memory"].Kind != metering.KindMemory {
		t.Errorf("memory: %d pages, %v", m.MinPages, m.Exports["memory"])
	}
}

func TestRefused(t *testing.T) {
	module := func(sections ...string) string { return header + strings.Join(sections, "") }
	types := "\x01\x04\x01\x60\x00\x00"                                                   // () -> ()
	function := "\x03\x02\x01\x00"                                                        // one, of type 0
	body := func(code string) string { return "\x0a" + sized("\x01"+sized("\x00"+code)) } // no locals
	tests := map[string]struct{ code, cause string }{
		"empty":                {"", "magic number"},
		"version 2":            {"\x00asm\x02\x00\x00\x00", "magic number"},
		"section out of order": {module(function, types), "out of order"},
		"section twice":        {module(types, types), "doubled"},
		"exceptions":           {module("\x0d\x01\x00"), "unknown"},
		"cut in a section":     {header + "\x01\x7f\x00", "length beyond the end"},
		"lying count":          {module("\x01\x05\xff\xff\xff\xff\x0f"), "more than is allowed"},
		"type that is none":    {module("\x01\x04\x01\x61\x00\x00"), "not a function type"},
		"no code":              {module(types, function), "missing"},
		"tail call":            {module(types, function, body("\x12\x00\x0b")), "not of WebAssembly 2.0"},
		"atomics":              {module(types, function, body("\xfe\x03\x00\x0b")), "not of WebAssembly 2.0"},
		"relaxed vector":       {module(types, function, body("\xfd\x80\x02\x0b")), "not of WebAssembly 2.0"},
		"no end":               {module(types, function, body("\x01")), "does not end"},
		"code after the end":   {module(types, function, body("\x0b\x01")), "does not end"},
		"local that is none":   {module(types, function, body("\x20\x00\x1a\x0b")), "a local that does not exist"},
		"global that is none":  {module(types, function, body("\x23\x00\x1a\x0b")), "a global that does not exist"},
		"call of nothing":      {module(types, function, body("\x10\x07\x0b")), "a call of a function that does not exist"},
		"too many locals":      {module(types, function, "\x0a"+sized("\x01"+sized("\x01\xff\xff\x03\x7f\x0b"))), "more locals than are allowed"},
		"block of no type":     {module(types, function, body("\x02\x01\x0b\x0b")), "a type that does not exist"},
		"call of no type":      {module(types, function, body("\x11\x01\x00\x0b")), "a type that does not exist"},
		"local of no type":     {module(types, function, "\x0a"+sized("\x01"+sized("\x01\x01\x63\x70\x0b"))), "a type that is not of WebAssembly 2.0"},
		"parameter of no type": {module("\x01\x06\x01\x60\x02\x64\x00\x00"), "a type that is not of WebAssembly 2.0"},
		"select of no type":    {module(types, function, body("\x1c\x01\x63\x70\x0b")), "a type that is not of WebAssembly 2.0"},
		"select of two types":  {module(types, function, body("\x1c\x02\x7f\x7f\x0b")), "a select of other than one type"},
		"null of no type":      {module(types, function, body("\xd0\x00\x1a\x0b")), "a type that is not of WebAssembly 2.0"},
		"more than the types":  {module("\x01\x05\x01\x60\x00\x00\x60"), "bytes after the last type"},
		"more than the tables": {module("\x04\x05\x01\x70\x00\x01\x70"), "bytes after the last table"},
		"more than the start":  {module(types, function, "\x08\x02\x00\x00", body("\x0b")), "bytes after the last function"},
		// The second would be the counter, and the third swallow what is added.
		"more than the globals": {module("\x06" + sized("\x01\x7f\x01\x41\x00\x0b"+"\x7e\x01\x42\x07\x0b"+"\x7b\x01\xfd\x0c\x00\x00\x00\x00\x00")), "bytes after the last global"},
		"global from a counter": {module("\x06" + sized("\x01\x7e\x01\x23\x01\x0b")), "a global that is not imported"},
		"export of nothing":     {module(types, function, "\x07\x05\x01\x01a\x03\x00", body("\x0b")), "what does not exist"},
	}
	for name, test := range tests {
		if _, err := metering.Rewrite([]byte(test.code)); err == nil || !strings.Contains(err.Error(), test.cause) {
			t.Errorf("%s: error %v, want %q in it", name, err, test.cause)
		}
	}
	if _, err := metering.Rewrite([]byte(module(types, function, body("\x0b")))); err != nil {
		t.Errorf("a function that does nothing: %v", err)
	}
}

// Names of functions are left out: with 20 MiB of one, a trap took 2.4 GB.
func TestNamesAreLeftOut(t *testing.T) {
	name := "\x00" + sized("\x04name\x01"+sized("\x01\x00"+sized("a name")))
	module := header + "\x01\x04\x01\x60\x00\x00" + "\x03\x02\x01\x00" + "\x0a" + sized("\x01"+sized("\x00\x0b")) + name
	m, err := metering.Rewrite([]byte(module))
	if err != nil || strings.Contains(string(m.Code), "a name") {
		t.Errorf("%q, %v", m.Code, err)
	}
	if _, err := metering.Rewrite([]byte(module + "\x00\x02\x01\xff")); err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Errorf("a custom section without a name: %v", err)
	}
}

// sized is the text with its length, below 128, in front.
func sized(text string) string { return string(rune(len(text))) + text }

func FuzzRewrite(f *testing.F) {
	for _, name := range []string{"zoo", "calc", "good"} {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		m, err := metering.Rewrite(code)
		if err != nil {
			return
		}
		// What has the counters already must not get them again.
		if _, err := metering.Rewrite(m.Code); err == nil {
			t.Error("a metered module was taken once more")
		}
	})
}
