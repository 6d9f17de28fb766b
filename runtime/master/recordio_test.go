package master_test

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/master"
)

// allRecords reads a stream to its end.
func allRecords(in io.Reader, limit int) (records []string, err error) {
	next := master.NewRecords(in, limit)
	for {
		record, err := next()
		if err != nil {
			return records, err
		}
		records = append(records, string(record))
	}
}

func TestRecords(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	cases := []struct {
		stream  string
		records []string
		end     string
	}{
		{"", nil, "EOF"},
		{"3\nabc1\n\n", []string{"abc", "\n"}, "EOF"},
		{"200000\n" + long + "1\na", []string{long, "a"}, "EOF"},
		{"003\nabc", []string{"abc"}, "EOF"},
		{"0\n1\na", []string{"", "a"}, "EOF"},
		{"3\nab", nil, "unexpected EOF"},
		{"3", nil, "unexpected EOF"},
		{"3\n", nil, "unexpected EOF"},
		{"\n", nil, `record length: found byte '\n', expected digits and a line feed`},
		{"-3\nabc", nil, `record length: found byte '-', expected digits and a line feed`},
		{"1\na3\r\n", []string{"a"}, `record length: found byte '\r', expected digits and a line feed`},
		{"200001\n", nil, "record is too long: at least 200001 bytes, the limit is 200000"},
		{"18446744073709551617\n", nil, "record is too long: at least 1844674 bytes, the limit is 200000"},
		{strings.Repeat("0", 30), nil, "record is too long: its length has more than 20 digits"},
	}
	for _, c := range cases {
		for name, in := range map[string]io.Reader{
			"whole": strings.NewReader(c.stream), "bytes": iotest.OneByteReader(strings.NewReader(c.stream)),
		} {
			records, err := allRecords(in, 200_000)
			if diff := cmp.Diff(c.records, records); diff != "" || err.Error() != c.end {
				t.Errorf("%.30q by %s: ended with %q, want %q; records %s", c.stream, name, err, c.end, diff)
			}
		}
	}
}

// FuzzRecords wants the records of any stream back from the frames made of them.
func FuzzRecords(f *testing.F) {
	f.Add([]byte("3\nabc0\n"))
	f.Add([]byte("99999999999999999999\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		records, _ := allRecords(bytes.NewReader(stream), 1<<20)
		var again strings.Builder
		for _, r := range records {
			again.WriteString(strconv.Itoa(len(r)) + "\n" + r)
		}
		same, err := allRecords(strings.NewReader(again.String()), 1<<20)
		if diff := cmp.Diff(records, same); diff != "" || err != io.EOF {
			t.Errorf("ended with %v: %s", err, diff)
		}
	})
}
