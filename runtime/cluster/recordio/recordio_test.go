package recordio_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/cluster/recordio"
)

func readAll(t *testing.T, in io.Reader, limit int) ([]string, error) {
	t.Helper()
	r := recordio.NewReader(in, limit)
	var got []string
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got = append(got, string(rec))
	}
}

func TestRead(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for _, tc := range []struct {
		name, in string
		limit    int
		want     []string
		err      error
	}{
		{name: "nothing"},
		{name: "two records", in: "3\nabc1\n\n", want: []string{"abc", "\n"}},
		{name: "empty record", in: "0\n1\nx", want: []string{"", "x"}},
		{name: "over several buffers", in: "204800\n" + long, want: []string{long}},
		{name: "cut in the record", in: "3\nab", err: io.ErrUnexpectedEOF},
		{name: "cut in the length", in: "3", err: io.ErrUnexpectedEOF},
		{name: "over the limit", in: "5\nabcde", limit: 4, err: recordio.ErrTooLong},
		{name: "absurd length", in: strings.Repeat("9", 40), err: recordio.ErrTooLong},
		{name: "lie about the length", in: "9000000000000000000\nabc", err: io.ErrUnexpectedEOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := readAll(t, strings.NewReader(tc.in), tc.limit)
			if !errors.Is(err, tc.err) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if tc.err == nil {
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Fatal(diff)
				}
			}
		})
	}
	for _, in := range []string{"\nabc", "-1\n", "x\n", "1 \na"} {
		if _, err := readAll(t, strings.NewReader(in), 0); err == nil {
			t.Errorf("%q: no error", in)
		}
	}
}

// FuzzRead checks that no input makes the reader panic, and that what it accepts is framed again to the same bytes.
func FuzzRead(f *testing.F) {
	f.Add([]byte("3\nabc1\n\n"))
	f.Add([]byte("20\n{\"type\":\"HEARTBEAT\"}"))
	f.Add([]byte("2\n\x08\x08"))
	f.Add([]byte("007\nabcdefg"))
	f.Add([]byte("99999999999999999999999\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := recordio.NewReader(bytes.NewReader(in), 1<<20)
		var out []byte
		for {
			rec, err := r.Read()
			if err != nil {
				break
			}
			out = recordio.Append(out, rec)
		}
		again := recordio.NewReader(bytes.NewReader(out), 0)
		for {
			if _, err := again.Read(); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				t.Fatalf("own frames are refused: %v", err)
			}
		}
	})
}
