package jsonvalue

import (
	"math/bits"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may be in each other.
const MaxDepth = 1024

// SyntaxError says why a text is no JSON.
type SyntaxError struct {
	Offset int    // of the byte that is wrong; the length of the text when more is expected
	Cause  string // such as "expected a colon"
}

// Error tells the place and the cause.
func (e *SyntaxError) Error() string {
	return "not JSON: byte " + decimal(e.Offset) + ": " + e.Cause
}

// decimal is a number of 0 or more in digits. It is all that would be needed of strconv.
func decimal(n int) string {
	var digits [20]byte
	at := len(digits)
	for {
		at--
		digits[at] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(digits[at:])
		}
	}
}

// What is wrong with a text. The SDKs of other languages say the same.
const (
	cutShort     = "cut short"
	noValue      = "expected a value"
	noName       = "expected a name in quotes"
	noColon      = "expected a colon"
	noEnd        = "expected a comma or the end of the array or object"
	noMore       = "expected nothing behind the value"
	noDigit      = "expected a digit"
	noLiteral    = "expected true, false or null"
	badEscape    = "bad escape"
	badCharacter = "control character in a string"
	badUTF8      = "not UTF-8"
	tooDeep      = "nested deeper than 1024"
)

// checker goes through a text once. Of what it is in it keeps one bit each: whether that
// is an object.
type checker struct {
	depth   int
	objects [MaxDepth / 64]uint64
}

// wrong is the error at the place, or that the text ends there.
func wrong(s string, at int, cause string) error {
	if at >= len(s) {
		return &SyntaxError{len(s), cutShort}
	}
	return &SyntaxError{at, cause}
}

// check tells what is wrong with the text, if anything is.
func check(s string) error {
	var c checker
	at := space(s, 0)
	for {
		next, cause := c.begin(s, at)
		for cause == "" && c.depth > 0 { // a value ended: what is behind it?
			if next = space(s, next); next >= len(s) {
				return wrong(s, next, cutShort)
			}
			if s[next] == ',' {
				next, cause = c.name(s, space(s, next+1))
				break
			}
			if s[next] != c.closing() {
				return wrong(s, next, noEnd)
			}
			c.depth--
			next++
		}
		switch {
		case cause == opened:
		case cause != "":
			return wrong(s, next, cause)
		case c.depth == 0:
			if at = space(s, next); at < len(s) {
				return wrong(s, at, noMore)
			}
			return nil
		}
		at = next
	}
}

// opened is the cause to go on with a value in an array or object that has just begun.
const opened = "opened"

// begin checks a value that begins there, up to its end if it is none of many parts, or
// if it has none; else it is open, and its first value comes next.
func (c *checker) begin(s string, at int) (next int, cause string) {
	if at >= len(s) {
		return at, cutShort
	}
	switch b := s[at]; b {
	case '"':
		return checkString(s, at)
	case '{', '[':
		return c.open(s, at, b == '{')
	case 't':
		return checkLiteral(s, at, "true")
	case 'f':
		return checkLiteral(s, at, "false")
	case 'n':
		return checkLiteral(s, at, "null")
	default:
		return checkNumber(s, at)
	}
}

func (c *checker) open(s string, at int, object bool) (next int, cause string) {
	if c.depth == MaxDepth {
		return at, tooDeep
	}
	bit := uint64(1) << (c.depth % 64)
	if object {
		c.objects[c.depth/64] |= bit
	} else {
		c.objects[c.depth/64] &^= bit
	}
	c.depth++
	if at = space(s, at+1); at < len(s) && s[at] == c.closing() {
		c.depth--
		return at + 1, ""
	}
	if at, cause = c.name(s, at); cause == "" {
		cause = opened
	}
	return at, cause
}

// object tells whether the innermost one is.
func (c *checker) object() bool { return c.objects[(c.depth-1)/64]>>((c.depth-1)%64)&1 != 0 }

func (c *checker) closing() byte {
	if c.object() {
		return '}'
	}
	return ']'
}

// name checks what has to be before a value: in an object its name and a colon.
func (c *checker) name(s string, at int) (next int, cause string) {
	if !c.object() {
		return at, ""
	}
	if at >= len(s) || s[at] != '"' {
		return at, noName
	}
	if at, cause = checkString(s, at); cause != "" {
		return at, cause
	}
	if at = space(s, at); at >= len(s) || s[at] != ':' {
		return at, noColon
	}
	return space(s, at+1), ""
}

func checkLiteral(s string, at int, literal string) (next int, cause string) {
	for i := range len(literal) {
		if at+i >= len(s) || s[at+i] != literal[i] {
			return at + i, noLiteral
		}
	}
	return at + len(literal), ""
}

func digits(s string, at int) int {
	for at < len(s) && s[at]-'0' <= 9 {
		at++
	}
	return at
}

func checkNumber(s string, at int) (next int, cause string) {
	cause = noValue
	if s[at] == '-' {
		at++
		cause = noDigit
	}
	switch next = digits(s, at); {
	case next == at:
		return at, cause
	case s[at] == '0':
		next = at + 1 // what is behind it is no part of the number
	}
	if next < len(s) && s[next] == '.' {
		at = next + 1
		if next = digits(s, at); next == at {
			return at, noDigit
		}
	}
	if next < len(s) && s[next]|0x20 == 'e' {
		if at = next + 1; at < len(s) && (s[at] == '+' || s[at] == '-') {
			at++
		}
		if next = digits(s, at); next == at {
			return at, noDigit
		}
	}
	return next, ""
}

// checkString checks a string that begins there, eight bytes at a time where there is
// nothing to look at.
func checkString(s string, at int) (next int, cause string) {
	for at++; at < len(s); {
		for at+8 <= len(s) {
			w := word(s, at)
			marks := (((w ^ ones*'"') - ones) | ((w ^ ones*'\\') - ones) | (w - ones*' ') | w) & highs
			if marks != 0 {
				at += bits.TrailingZeros64(marks) / 8 // the lowest one is never a mistake
				break
			}
			at += 8
		}
		if at >= len(s) {
			break
		}
		switch b := s[at]; {
		case b == '"':
			return at + 1, ""
		case b == '\\':
			if at, cause = checkEscape(s, at+1); cause != "" {
				return at, cause
			}
		case b < ' ':
			return at, badCharacter
		case b < utf8.RuneSelf:
			at++
		default:
			r, size := utf8.DecodeRuneInString(s[at:])
			if r == utf8.RuneError && size == 1 {
				return at, badUTF8
			}
			at += size
		}
	}
	return at, cutShort
}

// checkEscape checks what is behind a backslash.
func checkEscape(s string, at int) (next int, cause string) {
	if at >= len(s) {
		return at, cutShort
	}
	switch s[at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 1, ""
	case 'u':
		for range 4 {
			if at++; at >= len(s) || hex(s[at]) > 15 {
				return at, badEscape
			}
		}
		return at + 1, ""
	default:
		return at, badEscape
	}
}
