package jsonvalue

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

// cause is what is wrong with a text. The SDKs of other languages say the same.
type cause uint8

const (
	fine   cause = iota
	opened       // fine, and a value comes next: in an array or object that has just begun
	noValue
	noName
	noColon
	noEnd
	noMore
	noDigit
	noLiteral
	badEscape
	badCharacter
	badUTF8
	tooDeep
)

func (c cause) String() string {
	return [...]string{
		noValue:      "expected a value",
		noName:       "expected a name in quotes",
		noColon:      "expected a colon",
		noEnd:        "expected a comma or the end of the array or object",
		noMore:       "expected nothing behind the value",
		noDigit:      "expected a digit",
		noLiteral:    "expected true, false or null",
		badEscape:    "bad escape",
		badCharacter: "control character in a string",
		badUTF8:      "not UTF-8",
		tooDeep:      "nested deeper than 1024",
	}[c]
}

// wrong is the error at the place, or that the text ends there.
func wrong(s string, at int, c cause) error {
	if at >= len(s) {
		return &SyntaxError{len(s), "cut short"}
	}
	return &SyntaxError{at, c.String()}
}
