package wire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

func TestRoundTrip(t *testing.T) {
	spec := sdk.ConstraintSpec{
		Field: "rack", Operator: "LIKE", Value: "", HasValue: true,
		App: sdk.AppFacts{ID: "/a/b", Version: "2020", Instances: 300, Role: "r", Labels: map[string]string{"a": "1", "": "x"}},
	}
	gotSpec, err := wire.DecodeSpec(wire.AppendSpec(nil, spec))
	if diff := cmp.Diff(spec, gotSpec); diff != "" || err != nil {
		t.Errorf("spec: %v %s", err, diff)
	}
	description := wire.Description{Minor: 3, Name: "n", Version: "1.0.0", Operators: []string{"A", "", "B"}}
	gotDescription, err := wire.DecodeDescription(wire.AppendDescription(nil, description))
	if diff := cmp.Diff(description, gotDescription); diff != "" || err != nil {
		t.Errorf("description: %v %s", err, diff)
	}
	prepared := wire.Prepared{Handle: 1 << 31, Traits: sdk.Stateful}
	if got, err := wire.DecodePrepared(wire.AppendPrepared(nil, prepared)); got != prepared || err != nil {
		t.Errorf("prepared: %v %v", got, err)
	}
	fault := wire.Error{Code: wire.Invalid, Reason: "no"}
	if got, err := wire.DecodeError(wire.AppendError(nil, fault)); got != fault || err != nil {
		t.Errorf("error: %v %v", got, err)
	}
	if got, err := wire.DecodeHostInfo(wire.AppendHostInfo(nil, wire.HostInfo{Minor: 7})); got.Minor != 7 || err != nil {
		t.Errorf("host info: %v %v", got, err)
	}
	answer := sdk.ConstraintAnswer{Quota: []uint32{0, 1, sdk.Unlimited}, Flags: sdk.Refill, Reason: "r"}
	gotAnswer, err := wire.DecodeAnswer(wire.AppendAnswer(nil, answer), 3)
	if diff := cmp.Diff(answer, gotAnswer); diff != "" || err != nil {
		t.Errorf("answer: %v %s", err, diff)
	}
}

// The decoder is used again and again; nothing of one input may show in the next.
func TestInputsInARow(t *testing.T) {
	long := make([]string, 500)
	for i := 1; i < len(long); i++ {
		long[i] = "a value that needs a length of two bytes in all"
	}
	inputs := []sdk.ConstraintInput{
		{Values: []string{"", "a", "", "bc"}, Placed: []uint32{0, 4, 1, 2}, First: 3, Instances: 12},
		{Values: long, First: -1},
		{Values: []string{""}, First: -1},
		{Values: []string{"", "z"}, Placed: []uint32{1, 0}, First: 0},
	}
	var decoder wire.InputDecoder
	for i, in := range inputs {
		got, err := decoder.Decode(wire.AppendInput(nil, in))
		if diff := cmp.Diff(in, got); diff != "" || err != nil {
			t.Errorf("input %d: %v %s", i, err, diff)
		}
	}
}

func TestRefused(t *testing.T) {
	column := func(b ...byte) []byte { return append([]byte{1<<3 | 2, byte(len(b))}, b...) }
	tests := map[string][]byte{
		"empty":                  {},
		"no absent slot":         column(3<<3|2, 4, 0, 0, 0, 0),
		"first value not empty":  column(2<<3|2, 1, 'a', 3<<3|2, 8, 0, 0, 0, 0, 1, 0, 0, 0),
		"offset beyond the data": column(3<<3|2, 12, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0),
		"length beyond the end":  {1<<3 | 2, 200, 1},
		"offsets cut short":      column(3<<3|2, 3, 0, 0, 0),
		"first beyond values":    append(column(3<<3|2, 8, 0, 0, 0, 0, 0, 0, 0, 0), 3<<3, 2),
		"placed too short":       append(column(3<<3|2, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 2<<3|2, 4, 1, 0, 0, 0),
		"group wire type":        {1<<3 | 3},
		"field 0":                {0, 0},
		"endless varint":         {3 << 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
	}
	for name, b := range tests {
		if _, err := new(wire.InputDecoder).Decode(b); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	answer := wire.AppendAnswer(nil, sdk.ConstraintAnswer{Quota: []uint32{1, 2}, Flags: 8})
	for _, values := range []int{1, 2, 3} {
		if _, err := wire.DecodeAnswer(answer, values); err == nil {
			t.Errorf("answer of 2 quotas and flag 8 for %d values: taken", values)
		}
	}
	if _, err := wire.DecodePrepared(wire.AppendPrepared(nil, wire.Prepared{Traits: 3})); err == nil {
		t.Error("pure and stateful: taken")
	}
}

// A decoder keeps what it can of the input before, and nothing of it shows in the next.
func TestSameInputs(t *testing.T) {
	var decoder wire.InputDecoder
	for i, values := range [][]string{{"", "ab", "c"}, {"", "ab", "c"}, {"", "a", "bc"}, {""}, {"", "", ""}, {"", "ab", "c"}, {"", "a", "bc", ""}} {
		want := sdk.ConstraintInput{Values: values, First: -1}
		wrong := wire.AppendInput(nil, want)
		wrong[len(wrong)-1] = 0xff // an offset beyond the values
		got, err := decoder.Decode(wire.AppendInput(nil, want))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("input %d: %v %s", i, err, diff)
		}
		if _, err := decoder.Decode(wrong); err == nil {
			t.Errorf("input %d: an offset beyond the values is taken", i)
		}
	}
	same := wire.AppendInput(nil, sdk.ConstraintInput{Values: []string{"", "a", "b"}, Placed: make([]uint32, 3)})
	if n := testing.AllocsPerRun(100, func() { _, _ = decoder.Decode(same) }); n > 5 {
		t.Errorf("%v allocations for the same values", n)
	}
}

// Whatever is taken comes out the same when written and read again.
func FuzzDecode(f *testing.F) {
	f.Add(wire.AppendInput(nil, sdk.ConstraintInput{Values: []string{"", "a"}, Placed: []uint32{0, 1}, First: 1}))
	f.Add(wire.AppendSpec(nil, sdk.ConstraintSpec{Field: "f", App: sdk.AppFacts{Labels: map[string]string{"a": "b"}}}))
	f.Add(wire.AppendAnswer(nil, sdk.ConstraintAnswer{Quota: []uint32{1}, Reason: "r"}))
	f.Add(wire.AppendDescription(nil, wire.Description{Name: "n", Operators: []string{"A"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if in, err := new(wire.InputDecoder).Decode(b); err == nil {
			again, err := new(wire.InputDecoder).Decode(wire.AppendInput(nil, in))
			if diff := cmp.Diff(in, again); diff != "" || err != nil {
				t.Fatalf("input: %v %s", err, diff)
			}
		}
		// What a decoder has read before does not show.
		var used wire.InputDecoder
		_, _ = used.Decode(wire.AppendInput(nil, sdk.ConstraintInput{Values: []string{"", "a"}}))
		for range 2 {
			fresh, errFresh := new(wire.InputDecoder).Decode(b)
			in, err := used.Decode(b)
			if (err == nil) != (errFresh == nil) || err == nil && cmp.Diff(fresh, in) != "" {
				t.Fatalf("input: %v %v, %v %v with a decoder that was used", fresh, errFresh, in, err)
			}
		}
		if spec, err := wire.DecodeSpec(b); err == nil {
			again, err := wire.DecodeSpec(wire.AppendSpec(nil, spec))
			if diff := cmp.Diff(spec, again); diff != "" || err != nil {
				t.Fatalf("spec: %v %s", err, diff)
			}
		}
		for values := range 3 {
			if answer, err := wire.DecodeAnswer(b, values); err == nil && len(answer.Quota) != values {
				t.Fatalf("%d quotas for %d values", len(answer.Quota), values)
			}
		}
		// These have no invariant but that they return.
		_, _ = wire.DecodeDescription(b)
		_, _ = wire.DecodePrepared(b)
		_, _ = wire.DecodeError(b)
		_, _ = wire.DecodeHostInfo(b)
	})
}

// A decoder that has read a reason before reads another one, and none, all the same.
func TestAnswerDecoder(t *testing.T) {
	var d wire.AnswerDecoder
	room := make([]uint32, 2)
	for _, reason := range []string{"one", "one", "other", "", "one"} {
		want := sdk.ConstraintAnswer{Quota: []uint32{0, sdk.Unlimited}, Reason: reason}
		got, err := d.Decode(room, wire.AppendAnswer(nil, want), 2)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if &got.Quota[0] != &room[0] {
			t.Error("the room was left empty")
		}
	}
	if got, err := d.Decode(room, wire.AppendAnswer(nil, sdk.ConstraintAnswer{Quota: []uint32{1, 2, 3}}), 3); err != nil || len(got.Quota) != 3 {
		t.Errorf("%v, %v; three quotas expected although the room has two", got, err)
	}
	if _, err := d.Decode(room, []byte{0x1a, 1, 0xff}, 2); err == nil {
		t.Error("a reason that is no UTF-8 was taken")
	}
}
