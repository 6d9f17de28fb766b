package wasm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk/wire"
)

// What a module calls itself and its policies has a form.
func TestForms(t *testing.T) {
	long := strings.Repeat("a", 63)
	tests := []struct {
		d    wire.Description
		fits bool
	}{
		{wire.Description{Name: "a", Version: "1", Operators: []string{"A"}}, true},
		{wire.Description{Name: "rack-spread2", Version: "1.0.0-rc.1+x", Fetchers: []string{"a-1"}, Rules: []string{"b"}}, true},
		{wire.Description{Name: long, Version: long + "1", Admission: []string{long + "1"}, Strategies: []string{"a"}}, true},
		{wire.Description{Name: long + "a", Version: "1", Operators: []string{"A"}}, false},
		{wire.Description{Name: "a", Version: long + "12", Operators: []string{"A"}}, false},
		{wire.Description{Name: "a", Version: "1", Rules: []string{long + "12"}}, false},
		{wire.Description{Name: "-a", Version: "1", Operators: []string{"A"}}, false},
		{wire.Description{Name: "a-", Version: "1", Operators: []string{"A"}}, false},
		{wire.Description{Name: "a_b", Version: "1", Operators: []string{"A"}}, false},
		{wire.Description{Version: "1", Operators: []string{"A"}}, false},
		{wire.Description{Name: "a", Operators: []string{"A"}}, false},
		{wire.Description{Name: "a", Version: "1", Operators: []string{"1A"}}, false},
		{wire.Description{Name: "a", Version: "1", Operators: []string{"_A"}}, false},
		{wire.Description{Name: "a", Version: "1", Operators: []string{"A_1"}}, true},
		{wire.Description{Name: "a", Version: "1", Operators: []string{"A", "A"}}, false},
		{wire.Description{Name: "a", Version: "1", Fetchers: []string{"-a"}}, false},
		{wire.Description{Name: "a", Version: "1", Fetchers: []string{"a_b"}}, false},
		{wire.Description{Name: "a", Version: "1", Strategies: names(64)}, true},
		{wire.Description{Name: "a", Version: "1", Strategies: names(65)}, false},
		{wire.Description{Name: "a", Version: "1"}, false},
	}
	for _, test := range tests {
		if _, err := decodeDescription(wire.AppendDescription(nil, test.d)); (err == nil) != test.fits {
			t.Errorf("%+v: error %v, want one: %v", test.d, err, !test.fits)
		}
	}
}

func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("n%d", i)
	}
	return list
}
