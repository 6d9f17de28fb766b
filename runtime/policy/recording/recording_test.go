package recording_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/recording"
	"github.com/pacer-run/pacer/runtime/policy/remote"
)

func header() recording.Header {
	return recording.Header{Module: "spread", Digest: "ab", Description: []byte{1}, Settings: "{}", BeganMillis: 1_700_000_000_000}
}

func calls() []recording.Call {
	return []recording.Call{
		{Op: recording.Prepare, Kind: remote.KindConstraint, Prepared: 1, Input: []byte("spec"), Traits: 2},
		{
			Op: recording.Ask, Kind: remote.KindConstraint, Prepared: 1, Items: 3, Input: []byte("in"), Answer: []byte("out"), Fuel: 400, Nanos: 1 << 40,
			AtMillis: 1_700_000_000_001,
		},
		{Op: recording.Review, Kind: remote.KindAdmission, Input: []byte("request"), Failure: recording.Fault, Cause: "fuel exhausted"},
		{Op: recording.Release, Kind: remote.KindConstraint, Prepared: 1},
	}
}

// write makes a recording and returns it with where each frame ends.
func write(t *testing.T) (data []byte, ends []int) {
	t.Helper()
	var b bytes.Buffer
	w, err := recording.NewWriter(&b, 1<<20, header())
	if err != nil {
		t.Fatal(err)
	}
	ends = append(ends, b.Len())
	for _, c := range calls() {
		if err := w.Write(c); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, b.Len())
	}
	if n := w.End(); n != len(calls()) {
		t.Errorf("%d calls", n)
	}
	if err := w.Write(calls()[0]); !errors.Is(err, recording.ErrFull) {
		t.Errorf("after the end: %v", err)
	}
	return b.Bytes(), ends
}

// read returns the calls up to the error.
func read(data []byte) (list []recording.Call, err error) {
	r, err := recording.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	for {
		c, err := r.Next()
		if err != nil {
			return list, err
		}
		list = append(list, c)
	}
}

func TestRoundTrip(t *testing.T) {
	data, _ := write(t)
	r, err := recording.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(header(), r.Header); diff != "" {
		t.Error(diff)
	}
	got, err := read(data)
	if diff := cmp.Diff(calls(), got); diff != "" || !errors.Is(err, io.EOF) {
		t.Errorf("%v %s", err, diff)
	}
}

// Cut off anywhere, a recording is good up to the last whole frame.
func TestCutOff(t *testing.T) {
	data, ends := write(t)
	for n := ends[0]; n < len(data); n++ {
		whole := 0
		for whole < len(ends)-1 && ends[whole+1] <= n {
			whole++
		}
		want := io.ErrUnexpectedEOF
		if ends[whole] == n {
			want = io.EOF
		}
		if got, err := read(data[:n]); len(got) != whole || !errors.Is(err, want) {
			t.Fatalf("%d bytes: %d calls, %v, want %d, %v", n, len(got), err, whole, want)
		}
	}
}

func TestLimit(t *testing.T) {
	_, ends := write(t)
	var b bytes.Buffer
	w, err := recording.NewWriter(&b, int64(ends[2]+1), header())
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range calls() {
		if err := w.Write(c); (i >= 2) != errors.Is(err, recording.ErrFull) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if b.Len() != ends[2] || w.End() != 2 {
		t.Errorf("%d bytes, %d calls", b.Len(), w.End())
	}
	if _, err := recording.NewWriter(&b, 3, header()); !errors.Is(err, recording.ErrFull) {
		t.Errorf("without room: %v", err)
	}
}

func TestNoRecording(t *testing.T) {
	data, ends := write(t)
	broken := bytes.Clone(data)
	broken[ends[0]+2] = 99 // the op of the first call
	for _, tt := range []struct{ data, want string }{
		{"", "not a recording"},
		{"PACERREX" + string(data[8:]), "not a recording"},
		{"PACERREC", "the recording is cut off in its header"},
		{"PACERREC\x02\x08\x02", "a recording of format 2; format 1 is known"},
		{"PACERREC\x01\xff", "the recording's header: a frame is malformed"},
		{"PACERREC\xff\xff\xff\xff\x7f", "bytes long; the limit is"},
		{string(broken), "frame 2 of the recording: a frame is malformed"},
	} {
		if _, err := read([]byte(tt.data)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.data, err, tt.want)
		}
	}
}

// FuzzReader: whatever the bytes, there is an end, and no panic.
func FuzzReader(f *testing.F) {
	f.Add([]byte("PACERREC\x02\x08\x01\x02\x08\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if list, err := read(data); err == nil || len(list) > len(data) {
			t.Errorf("%d calls, %v", len(list), err)
		}
	})
}
