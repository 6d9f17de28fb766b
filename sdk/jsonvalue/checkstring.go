package jsonvalue

import (
	"math/bits"
	"unicode/utf8"
)

// checkString checks a string that begins there.
func checkString(s string, at int) (next int, cause cause) {
	if at = plain(s, at+1); at < len(s) && s[at] == '"' {
		return at + 1, fine
	}
	return checkRest(s, at)
}

// plain is the first place from there on with anything but printable ASCII, or with a
// quotation mark or a backslash.
//
//go:noinline
func plain(s string, at int) int {
	for ; at+8 <= len(s); at += 8 {
		w := word(s, at)
		if marks := (((w ^ ones*'"') - ones) | ((w ^ ones*'\\') - ones) | (w - ones*' ') | w) & highs; marks != 0 {
			return at + bits.TrailingZeros64(marks)/8 // the lowest one is never a mistake
		}
	}
	for at < len(s) && s[at] != '"' && s[at] != '\\' && s[at] >= ' ' && s[at] < utf8.RuneSelf {
		at++
	}
	return at
}

// checkRest checks the rest of a string from a place that plain found.
func checkRest(s string, at int) (next int, cause cause) {
	for ; at < len(s); at = plain(s, at) {
		switch b := s[at]; {
		case b == '"':
			return at + 1, fine
		case b == '\\':
			if at, cause = checkEscape(s, at+1); cause != fine {
				return at, cause
			}
		case b < ' ':
			return at, badCharacter
		default:
			r, size := utf8.DecodeRuneInString(s[at:])
			if r == utf8.RuneError && size == 1 {
				return at, badUTF8
			}
			at += size
		}
	}
	return at, noEnd
}

// checkEscape checks what is behind a backslash.
//
//go:noinline
func checkEscape(s string, at int) (next int, cause cause) {
	if at >= len(s) {
		return at, badEscape
	}
	switch s[at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 1, fine
	case 'u':
		for range 4 {
			if at++; at >= len(s) || hex(s[at]) > 15 {
				return at, badEscape
			}
		}
		return at + 1, fine
	default:
		return at, badEscape
	}
}
