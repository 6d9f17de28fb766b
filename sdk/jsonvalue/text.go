package jsonvalue

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// hex is the value of a digit; more than 15 if it is none.
func hex(b byte) uint32 {
	switch {
	case '0' <= b && b <= '9':
		return uint32(b - '0')
	case 'a' <= b|0x20 && b|0x20 <= 'f':
		return uint32(b|0x20-'a') + 10
	default:
		return 16
	}
}

// unescaped is the content of a string; without escapes it is the same piece of text.
func unescaped(raw string) string {
	at := strings.IndexByte(raw, '\\')
	if at < 0 {
		return raw
	}
	text := make([]byte, 0, len(raw))
	for ; at >= 0; at = strings.IndexByte(raw, '\\') {
		text = append(text, raw[:at]...)
		switch b := raw[at+1]; b {
		case 'u':
			r, size := escaped(raw[at:])
			text = utf8.AppendRune(text, r)
			raw = raw[at+size:]
			continue
		case 'b':
			text = append(text, '\b')
		case 'f':
			text = append(text, '\f')
		case 'n':
			text = append(text, '\n')
		case 'r':
			text = append(text, '\r')
		case 't':
			text = append(text, '\t')
		default:
			text = append(text, b)
		}
		raw = raw[at+2:]
	}
	return string(append(text, raw...))
}

// escaped is the character of an escape with digits, and how many bytes it takes: two
// escapes, if they are a pair of surrogates. Half of a pair is U+FFFD.
func escaped(raw string) (r rune, size int) {
	r = unit(raw)
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' {
		if pair := utf16.DecodeRune(r, unit(raw[6:])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// unit is what the four digits of an escape stand for.
func unit(raw string) rune {
	return rune(hex(raw[2])<<12 | hex(raw[3])<<8 | hex(raw[4])<<4 | hex(raw[5]))
}

// Quote is the text as a string of JSON, in quotes.
func Quote(text string) string { return string(AppendQuoted(nil, text)) }

// AppendQuoted appends the text as a string of JSON, in quotes, to b. What is not UTF-8
// becomes U+FFFD.
func AppendQuoted(b []byte, text string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for at := 0; at < len(text); {
		c := text[at]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			at++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(text[at:]); r != utf8.RuneError || size > 1 {
				at += size
				continue
			}
		}
		b = append(b, text[from:at]...)
		switch {
		case c >= utf8.RuneSelf:
			b = utf8.AppendRune(b, utf8.RuneError)
		case c == '"', c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		at += size
		from = at
	}
	return append(append(b, text[from:]...), '"')
}
