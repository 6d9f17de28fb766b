package spec

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const messageNUL = "must not contain NUL characters"

// checkUTF8 refuses bytes that are no text. The JSON package takes them for
// U+FFFD, and something else would be started than what was asked for.
func checkUTF8(data []byte) error {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return &SyntaxError{Detail: "invalid UTF-8 at " + position(data, i)}
		}
		i += size
	}
	return nil
}

// checkEscapes refuses \u escapes that are one half of a character, for the same
// reason. data is valid JSON.
func checkEscapes(data []byte) error {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		first, ok := escape(data[i:])
		if !ok {
			i++ // what is escaped may be a backslash
			continue
		}
		if utf16.IsSurrogate(first) {
			second, _ := escape(data[i+6:])
			if utf16.DecodeRune(first, second) == utf8.RuneError {
				return &SyntaxError{Detail: "unpaired surrogate " + string(data[i:i+6]) + " at " + position(data, i)}
			}
			i += 6
		}
		i += 5
	}
	return nil
}

// escape reads the \uXXXX at the beginning of data; ok is false when it is none.
func escape(data []byte) (r rune, ok bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return rune(n), err == nil
}

// position is where the byte is, for people: bytes from 0, lines and their
// characters from 1.
func position(data []byte, i int) string {
	line := data[bytes.LastIndexByte(data[:i], '\n')+1 : i]
	return fmt.Sprintf("byte %d (line %d, column %d)", i, 1+bytes.Count(data[:i], []byte{'\n'}), 1+utf8.RuneCount(line))
}

// hasNUL tells whether a text of a request has a NUL, which ends a string for the
// kernel: no process can be started with one.
func (r *reading) hasNUL(s string) bool { return !r.stored && strings.IndexByte(s, 0) >= 0 }
