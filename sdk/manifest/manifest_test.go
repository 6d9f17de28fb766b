package manifest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/sdk/manifest"
)

// full has every field.
const full = `{
	"name": "rack-spread", "version": "1.4.2", "abi": "1.1",
	"kinds": {"fetch": ["mirror"], "constraint": ["RACK_SPREAD", "RACK_PACK"]},
	"settings": {"schema": {"type": "object", "maxProperties": 1.50}, "defaults": {"b": "<", "a": 1}},
	"imports": ["metric", "log"],
	"limits": {"memoryPages": 256, "startFuel": 1, "prepareFuel": 2, "baseFuel": 3, "itemFuel": 4, "callFuel": 5, "replyBytes": 6},
	"metrics": [{"id": 2, "name": "late", "type": "histogram"}, {"id": 1, "name": "rejects", "type": "counter", "help": "Agents refused."}],
	"description": "Spreads\nover racks.", "license": "Apache-2.0", "source": "https://example.com/x"
}`

// small is what every manifest needs.
const small = `{"name":"a","version":"1","abi":"1.0","kinds":{"health":["x"]}}`

func TestParse(t *testing.T) {
	got, err := manifest.Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := &manifest.Manifest{
		Name: "rack-spread", Version: "1.4.2", ABI: "1.1",
		Kinds: map[string][]string{"constraint": {"RACK_PACK", "RACK_SPREAD"}, "fetch": {"mirror"}},
		Settings: &manifest.Settings{
			Schema:   json.RawMessage(`{"maxProperties":1.50,"type":"object"}`),
			Defaults: json.RawMessage(`{"a":1,"b":"<"}`),
		},
		Imports: []string{"log", "metric"},
		Limits:  manifest.Limits{MemoryPages: 256, StartFuel: 1, PrepareFuel: 2, BaseFuel: 3, ItemFuel: 4, CallFuel: 5, ReplyBytes: 6},
		Metrics: []manifest.Metric{
			{ID: 1, Name: "rejects", Type: "counter", Help: "Agents refused."},
			{ID: 2, Name: "late", Type: "histogram"},
		},
		Description: "Spreads\nover racks.", License: "Apache-2.0", Source: "https://example.com/x",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := manifest.Parse([]byte(small)); err != nil || string(got.Encode()) != small {
		t.Errorf("%s, %v", got.Encode(), err)
	}
}

// without is small with a field in another form.
func without(old, becomes string) string { return strings.Replace(small, old, becomes, 1) }

func TestParseNamesEachFault(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "expected an object"},
		{"[]", "expected an object"},
		{"{", "it is not JSON: EOF"},
		{`{"name":`, "/name: it is not JSON: EOF"},
		{small + "{}", "something follows the object"},
		{without(`"a"`, "\"\xff\""), "it is not UTF-8"},
		{without(`"a"`, `"A"`), `/name: "A": expected lower-case`},
		{without(`"a"`, `null`), "/name: expected a text"},
		{without(`"a"`, `"a","name":"b"`), "/name: given twice"},
		{without(`"a"`, `"a","Name":"b"`), "/Name: no such field"},
		{without(`"1"`, `"1 0"`), `/version: "1 0": expected`},
		{without(`"1.0"`, `"1"`), `/abi: "1": expected`},
		{without(`"1.0"`, `1.0`), `/abi: expected a text`},
		{without(`["x"]`, `[]`), "/kinds: expected one name at least"},
		{without(`["x"]`, `["X"]`), `/kinds/health/0: "X": expected a lower-case`},
		{without(`["x"]`, `["x","x"]`), `/kinds/health/1: "x" is there twice`},
		{without(`["x"]`, `["x",7]`), `/kinds/health/1: expected a text`},
		{without(`["x"]`, `"x"`), `/kinds/health: expected a list`},
		{without(`"health"`, `"constraint"`), `/kinds/constraint/0: "x": expected an upper-case`},
		{without(`"health"`, `"offer"`), `/kinds/offer: no such field`},
		{without(`["x"]}`, `["x"]},"imports":["net"]`), `/imports/0: "net": expected one of log, now`},
		{without(`["x"]}`, `["x"]},"settings":{"schema":true}`), `/settings/schema: expected an object`},
		{without(`["x"]}`, `["x"]},"settings":{"default":{}}`), `/settings/default: no such field`},
		{without(`["x"]}`, `["x"]},"limits":{"baseFuel":-1}`), `/limits/baseFuel: -1: expected`},
		{without(`["x"]}`, `["x"]},"limits":{"memoryPages":-1}`), `/limits/memoryPages: expected a whole number`},
		{without(`["x"]}`, `["x"]},"limits":{"memoryPages":65537}`), `/limits/memoryPages: 65537: at most`},
		{without(`["x"]}`, `["x"]},"limits":{"replyBytes":4294967296}`), `/limits/replyBytes: 4294967296: at most`},
		{without(`["x"]}`, `["x"]},"limits":{"baseFuel":1.5}`), `/limits/baseFuel: expected a whole number`},
		{without(`["x"]}`, `["x"]},"imports":["metric"],"metrics":[{"id":0,"name":"a","type":"counter"}]`), `/metrics/0/id: 0: expected`},
		{without(`["x"]}`, `["x"]},"imports":["metric"],"metrics":[{"id":1,"name":"a-b","type":"sum"}]`), `/metrics/0/type: "sum": expected counter`},
		{without(`["x"]}`, `["x"]},"metrics":[{"id":1,"name":"a","type":"gauge"}]`), `/metrics: they need "metric"`},
		{without(`["x"]}`, `["x"]},"description":"\u001b[2J"`), `/description: it has control characters`},
		{without(`["x"]}`, `["x"]},"license":"`+strings.Repeat("x", 2000)+`"`), `/license: 2000 bytes`},
		{strings.Repeat(" ", manifest.MaxSize) + small, "at most 262144 are allowed"},
	} {
		m, err := manifest.Parse([]byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.200q: %v, %v; want %q in the error", tt.text, m, err, tt.want)
		}
	}
}

func TestParseTellsAllFaultsAtOnce(t *testing.T) {
	_, err := manifest.Parse([]byte(`{"name":"A","version":"","abi":"x","kinds":{},"limits":{"baseFuel":-1}}`))
	faults, ok := errors.AsType[manifest.Faults](err)
	if !ok {
		t.Fatalf("%v is not Faults", err)
	}
	var at []string
	for _, f := range faults {
		at = append(at, f.Field)
	}
	if diff := cmp.Diff([]string{"/name", "/version", "/abi", "/kinds", "/limits/baseFuel"}, at); diff != "" {
		t.Error(diff)
	}
	_, err = manifest.Parse([]byte(`{"name":7,"kinds":{"x":[]},"limits":{"y":1}}`))
	if faults, _ := errors.AsType[manifest.Faults](err); len(faults) != 3 {
		t.Errorf("%v, want three faults", err)
	}
}

func TestEncodeHasOneForm(t *testing.T) {
	a, err := manifest.Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	b := *a
	b.Kinds = map[string][]string{"fetch": {"mirror"}, "constraint": {"RACK_SPREAD", "RACK_PACK"}, "health": nil}
	b.Imports = []string{"metric", "log"}
	b.Metrics = []manifest.Metric{a.Metrics[1], a.Metrics[0]}
	b.Settings = &manifest.Settings{Schema: a.Settings.Schema, Defaults: json.RawMessage(" {\"b\":\"<\", \"a\":1}\n")}
	if diff := cmp.Diff(string(a.Encode()), string(b.Encode())); diff != "" {
		t.Error(diff)
	}
	if b.Imports[0] != "metric" {
		t.Error("Encode changed the manifest")
	}
	b.Settings.Schema = json.RawMessage("{} {}")
	if _, err := manifest.Parse(b.Encode()); err == nil || !strings.Contains(err.Error(), "/settings/schema") {
		t.Errorf("a schema that is no JSON: %v", err)
	}
}

// module is a WASM module of these sections.
func module(sections ...string) []byte {
	return []byte("\x00asm\x01\x00\x00\x00" + strings.Join(sections, ""))
}

func TestEmbedAndExtract(t *testing.T) {
	m, err := manifest.Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	types, custom := "\x01\x01\x00", "\x00\x06\x04name\x07"
	plain := module(types, custom)
	if got, err := manifest.Extract(plain); got != nil || err != nil {
		t.Errorf("%v, %v of a module without", got, err)
	}
	with, err := manifest.Embed(plain, m)
	if err != nil || !bytes.HasPrefix(with, plain) {
		t.Fatalf("%q, %v", with, err)
	}
	if got, err := manifest.Extract(with); err != nil || !cmp.Equal(m, got) {
		t.Errorf("%v, %v", got, err)
	}
	other := *m
	other.Version = "2.0.0"
	again, err := manifest.Embed(with, &other)
	if got, extractErr := manifest.Extract(again); err != nil || extractErr != nil || got.Version != "2.0.0" {
		t.Errorf("%v, %v, %v", got, err, extractErr)
	}
	if back, err := manifest.Embed(again, m); err != nil || !bytes.Equal(back, with) {
		t.Errorf("there and back is another module: %v", err)
	}
	if _, err := manifest.Extract(append(bytes.Clone(with), with[len(plain):]...)); err == nil || !strings.Contains(err.Error(), "two sections") {
		t.Errorf("two manifests: %v", err)
	}
	if _, err := manifest.Embed(plain, &manifest.Manifest{}); err == nil {
		t.Error("an empty manifest was embedded")
	}
}

func TestMalformedModules(t *testing.T) {
	for _, code := range []string{
		"", "\x00asm", "\x00asm\x02\x00\x00\x00", "MZ\x00\x00\x00\x00\x00\x00",
		string(module("\x01")), string(module("\x01\x02\x00")), string(module("\x0e\x00")),
		string(module("\x00\x00")), string(module("\x00\x02\x05x")), string(module("\x00\x02\x01\xff")),
		string(module("\x01\x80\x80\x80\x80\x80\x00")), string(module("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
		string(module("\x00\x10\x0fpolicy.manifest")),
	} {
		if m, err := manifest.Extract([]byte(code)); err == nil {
			t.Errorf("%q: %v, want an error", code, m)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(small))
	f.Add([]byte(`{"kinds":{"fetch":[null]},"settings":{"schema":[]},"metrics":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := manifest.Parse(data)
		if err != nil {
			if _, ok := errors.AsType[manifest.Faults](err); !ok || m != nil {
				t.Fatalf("%v with %T", m, err)
			}
			return
		}
		text := m.Encode()
		again, err := manifest.Parse(text)
		if err != nil || !cmp.Equal(m, again) || !bytes.Equal(text, again.Encode()) {
			t.Fatalf("%s became %s: %v", text, again.Encode(), err)
		}
	})
}

func FuzzExtract(f *testing.F) {
	m, err := manifest.Parse([]byte(small))
	if err != nil {
		f.Fatal(err)
	}
	with, err := manifest.Embed(module("\x01\x01\x00"), m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(with)
	f.Add(module("\x00\x05\x04name"))
	f.Fuzz(func(t *testing.T, code []byte) {
		if _, err := manifest.Extract(code); err != nil {
			return
		}
		out, err := manifest.Embed(code, m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := manifest.Extract(out); err != nil || !cmp.Equal(m, got) {
			t.Fatalf("%v, %v", got, err)
		}
	})
}
