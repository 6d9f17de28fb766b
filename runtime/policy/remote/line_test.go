package remote

import (
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	long := strings.Repeat("a", maxReason)
	for text, want := range map[string]string{
		"": "", " ": "", "a": "a", "a b": "a b", " a": "a", "a ": "a", "a  b": "a b", "a\nb": "a b", "a\tb\r\n": "a b", "ä b": "ä b", "ä\u00a0b": "ä b",
		"\x7f": "\x7f", long: long, long + "b": long + "…", strings.Repeat("a", maxReason-1) + "ä": strings.Repeat("a", maxReason-1) + "…",
	} {
		if got := line(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	const plain = "is not \"rack-07\""
	if n := testing.AllocsPerRun(100, func() { _ = line(plain) }); n != 0 {
		t.Errorf("%v allocations for a text that is a line already, want none", n)
	}
}
