package remote_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk/wire"
)

func TestDecodeDescription(t *testing.T) {
	good := wire.Description{
		Minor: wire.Minor, Name: "a-1", Version: "1.0.0-rc.1+b", Operators: []string{"A_1"}, Fetchers: []string{"mirror"},
		Strategies: []string{"a-b"}, Rules: []string{"r"}, Admission: []string{"quota"},
	}
	got, err := remote.DecodeDescription(wire.AppendDescription(nil, good))
	if diff := cmp.Diff(good, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	tests := []struct {
		change func(*wire.Description)
		want   string
	}{
		{func(d *wire.Description) { d.Minor = wire.Minor + 1 }, "the module needs version 1.2 of the ABI; this host speaks 1.1"},
		{func(d *wire.Description) { d.Name = "A" }, `name "A": lower-case`},
		{func(d *wire.Description) { d.Name = strings.Repeat("a", 64) }, "lower-case letters, digits and dashes expected"},
		{func(d *wire.Description) { d.Version = "" }, `version "": letters`},
		{func(d *wire.Description) { d.Operators = []string{"like"} }, `operator "like": an upper-case letter`},
		{func(d *wire.Description) { d.Operators = []string{"A", "A"} }, "operator A: named twice"},
		{func(d *wire.Description) { d.Fetchers = []string{"Mirror"} }, `fetch policy "Mirror": a lower-case letter`},
		{func(d *wire.Description) { d.Rules = make([]string, 65) }, "65 policies of the kind health: 64 at most"},
		{func(d *wire.Description) { *d = wire.Description{Name: "n", Version: "1"} }, "the module offers nothing"},
	}
	for _, test := range tests {
		d := good
		test.change(&d)
		if _, err := remote.DecodeDescription(wire.AppendDescription(nil, d)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v; want %q in it", err, test.want)
		}
	}
	if _, err := remote.DecodeDescription([]byte{1}); err == nil {
		t.Error("malformed bytes were taken")
	}
}
