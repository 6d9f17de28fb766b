package wire_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// page is what is written about the ABI.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/policy-abi.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// dumps are the messages that the page shows byte by byte.
func dumps() map[string][]byte {
	app := sdk.AppFacts{ID: "/web", Version: "2026-01-02T03:04:05.006Z", Instances: 6, Role: "*", Labels: map[string]string{"team": "a"}}
	spec := sdk.ConstraintSpec{Field: "rack_id", Operator: "RACK_EVEN", Value: "2", HasValue: true, App: app}
	input := sdk.ConstraintInput{Values: []string{"", "r1", "rack-2"}, Placed: []uint32{0, 2, 1}, First: 1, Instances: 6}
	answer := sdk.ConstraintAnswer{Quota: []uint32{0, 0, sdk.Unlimited}, Flags: sdk.Volatile, Reason: "full"}
	return map[string][]byte{
		"Description":        wire.AppendDescription(nil, wire.Description{Minor: 1, Name: "rack-even", Version: "1.0.0", Operators: []string{"RACK_EVEN"}}),
		"HostInfo":           wire.AppendHostInfo(nil, wire.HostInfo{Minor: 1, Settings: `{"per":2}`}),
		"ConstraintSpec":     wire.AppendSpec(nil, spec),
		"PreparedConstraint": wire.AppendPrepared(nil, wire.Prepared{Handle: 7, Traits: sdk.Stateful}),
		"ConstraintInput":    wire.AppendInput(nil, input),
		"ConstraintAnswer":   wire.AppendAnswer(nil, answer),
		"Error":              wire.AppendError(nil, wire.Error{Code: wire.Invalid, Reason: "a number"}),
		"HealthInput": wire.AppendHealthInput(nil, []sdk.HealthHistory{
			{AgeMillis: 60000, HealthRecord: sdk.HealthRecord{ConsecutiveFailures: 1, Recent: 0b110, Results: 3, LastFailureCause: "503"}},
		}),
		"UpgradeStep": wire.AppendUpgradeStep(nil, sdk.UpgradeStep{Start: 2, Kill: 1, AskAfterMillis: 30000, Memory: []byte{1}}),
	}
}

// TestPageDumps compares the dumps of the page with what this package writes.
func TestPageDumps(t *testing.T) {
	found := map[string][]byte{}
	for _, m := range regexp.MustCompile("(?ms)^```hex (\\w+)\n(.*?)^```").FindAllStringSubmatch(page(t), -1) {
		digits := regexp.MustCompile(`(?m)^ *((?:[0-9a-f]{2} ?)+)(?: .*)?$`).ReplaceAllString(m[2], "$1")
		b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
		if err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
		found[m[1]] = b
	}
	for name, want := range dumps() {
		if got := found[name]; string(got) != string(want) {
			t.Errorf("%s is\n% x\non the page, want\n% x", name, got, want)
		}
		delete(found, name)
	}
	for name := range found {
		t.Errorf("%s is not tested", name)
	}
}

// TestPageFields: every field of every message is on the page, with its number and
// wire type, and no other.
func TestPageFields(t *testing.T) {
	text := page(t)
	messages := idl(t).Messages()
	for i := range messages.Len() {
		m := messages.Get(i)
		if m.Fields().Len() == 0 {
			continue
		}
		_, rest, ok := strings.Cut(text, "**"+string(m.Name())+"**\n\n")
		table, _, _ := strings.Cut(rest, "\n\n")
		if lines := strings.Count(table, "\n") - 1; !ok || lines != m.Fields().Len() {
			t.Errorf("%s has %d fields on the page, want %d", m.Name(), lines, m.Fields().Len())
		}
		for j := range m.Fields().Len() {
			f := m.Fields().Get(j)
			if row := fmt.Sprintf("| %d | %s | `%s` |", f.Number(), wireType(f), f.Name()); !strings.Contains(table, row) {
				t.Errorf("%s: no row %s", m.Name(), row)
			}
		}
	}
}

func wireType(f protoreflect.FieldDescriptor) string {
	switch f.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return "bytes"
	case protoreflect.DoubleKind, protoreflect.Fixed64Kind:
		return "fixed64"
	case protoreflect.Fixed32Kind:
		return "bytes" // all of them are packed lists
	default:
		return "varint"
	}
}
