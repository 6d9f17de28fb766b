package jsonvalue

import (
	"math/bits"
	"unsafe"
)

// The functions of this file walk a text that is valid. They return where in it they
// have come to.

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// word is the eight bytes from there on. There have to be as many. The compiler makes one
// instruction of it, where it would load bytes one by one for encoding/binary.
func word(s string, at int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), at))
}

// space is the first place from there on where no white space is.
func space(s string, at int) int {
	for at < len(s) && s[at] <= ' ' && (s[at] == ' ' || s[at] == '\n' || s[at] == '\t' || s[at] == '\r') {
		at++
	}
	return at
}

// quoted is the place behind a string that begins there, and whether it has escapes.
func quoted(s string, at int) (end int, escapes bool) {
	for at++; ; {
		for at+8 <= len(s) {
			w := word(s, at)
			// The lowest byte that is marked is one that was looked for.
			marks := (((w ^ ones*'"') - ones) | ((w ^ ones*'\\') - ones)) & ^w & highs
			if marks != 0 {
				at += bits.TrailingZeros64(marks) / 8
				break
			}
			at += 8
		}
		switch s[at] {
		case '"':
			return at + 1, escapes
		case '\\':
			escapes = true
			at++
		}
		at++
	}
}

// end is the place behind the value that begins there.
func end(s string, at int) int {
	switch s[at] {
	case '"':
		at, _ = quoted(s, at)
		return at
	case '{', '[':
		return closed(s, at)
	}
	for at < len(s) && s[at] > ' ' && s[at] != ',' && s[at]|0x20 != '}' {
		at++
	}
	return at
}

// closed is the place behind the object or array that begins there.
func closed(s string, at int) int {
	for depth := 0; ; {
		switch s[at] {
		case '"':
			at, _ = quoted(s, at)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1
			}
		}
		at++
	}
}

// member is one of an object.
type member struct {
	key, keyEnd int // the name, in quotes
	escapes     bool
	from, to    int // the value
}

// firstMember is that of the object that begins there; ok is false when it has none.
func firstMember(s string, at int) (m member, ok bool) { return memberAt(s, space(s, at+1)) }

// next is the one behind it.
func (m member) next(s string) (next member, ok bool) {
	at := space(s, m.to)
	if s[at] == ',' {
		at = space(s, at+1)
	}
	return memberAt(s, at)
}

func memberAt(s string, at int) (m member, ok bool) {
	if s[at] == '}' {
		return m, false
	}
	m.key = at
	m.keyEnd, m.escapes = quoted(s, at)
	m.from = space(s, space(s, m.keyEnd)+1) // behind the colon
	m.to = end(s, m.from)
	return m, true
}

// name is its name.
func (m *member) name(s string) string {
	raw := s[m.key+1 : m.keyEnd-1]
	if m.escapes {
		return unescaped(raw)
	}
	return raw
}

// find is where the value at the path is, as far as there is one: depth is how many names
// of the path it took.
func find(s string, path []string) (from, to, depth int) {
	to = len(s)
	for _, name := range path {
		if from >= to || s[from] != '{' {
			break
		}
		found := false
		start := from
		for m, ok := firstMember(s, start); ok; m, ok = m.next(s) {
			if m.escapes && unescaped(s[m.key+1:m.keyEnd-1]) == name || !m.escapes && s[m.key+1:m.keyEnd-1] == name {
				from, to, found = m.from, m.to, true
			}
		}
		if !found {
			break
		}
		depth++
	}
	return from, to, depth
}
