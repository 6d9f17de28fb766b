package jsonvalue

import (
	"math/bits"
	"slices"
	"unsafe"
)

// The functions of this file walk a text that is valid. They return where in it they
// have come to. Loops over bytes are functions of their own, which are not inlined: in
// WASM, each turn of a loop costs the more the larger the function is that it is in.

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
	if at < len(s) && s[at] > ' ' {
		return at
	}
	return spaces(s, at)
}

//go:noinline
func spaces(s string, at int) int {
	for at < len(s) && (s[at] == ' ' || s[at] == '\n' || s[at] == '\t' || s[at] == '\r') {
		at++
	}
	return at
}

// unmarked is the first place from there on with a quotation mark or a backslash, of which
// there has to be one.
//
//go:noinline
func unmarked(s string, at int) int {
	for ; at+8 <= len(s); at += 8 {
		w := word(s, at)
		if marks := (((w ^ ones*'"') - ones) | ((w ^ ones*'\\') - ones)) & ^w & highs; marks != 0 {
			return at + bits.TrailingZeros64(marks)/8 // the lowest one is never a mistake
		}
	}
	for s[at] != '"' && s[at] != '\\' {
		at++
	}
	return at
}

// quoted is the place behind a string that begins there, and whether it has escapes.
func quoted(s string, at int) (end int, escapes bool) {
	if at = unmarked(s, at+1); s[at] == '"' {
		return at + 1, false
	}
	return escaping(s, at), true
}

//go:noinline
func escaping(s string, at int) int {
	for s[at] == '\\' {
		at = unmarked(s, at+2)
	}
	return at + 1
}

// end is the place behind the value that begins there.
func end(s string, at int) int {
	switch s[at] {
	case '"':
		at, _ = quoted(s, at)
		return at
	case '{', '[':
		return closed(s, at)
	default:
		return scalar(s, at)
	}
}

// scalar is the place behind the number, true, false or null that begins there.
//
//go:noinline
func scalar(s string, at int) int {
	for at < len(s) && s[at] > ' ' && s[at] != ',' && s[at]|0x20 != '}' {
		at++
	}
	return at
}

// closed is the place behind the object or array that begins there.
//
//go:noinline
func closed(s string, at int) int {
	for depth := 0; ; {
		switch at = special(s, at); s[at] {
		case '"':
			if at = unmarked(s, at+1); s[at] == '\\' {
				at = escaping(s, at) - 1
			}
		case '{', '[':
			depth++
		default:
			if depth--; depth == 0 {
				return at + 1
			}
		}
		at++
	}
}

// special is the first place from there on with a quotation mark or a bracket, of which
// there has to be one.
//
//go:noinline
func special(s string, at int) int {
	for s[at] != '"' && s[at]|0x20 != '{' && s[at]|0x20 != '}' {
		at++
	}
	return at
}

// member is one of an object.
type member struct {
	key, keyEnd int // the name, in quotes
	escapes     bool
	from, to    int // the value
}

// before is where the members begin of the object that begins there: next goes to the
// first one.
func before(at int) member { return member{to: at + 1} }

// next goes to the member behind this one, if there is one.
//
//go:noinline
func (m *member) next(s string) bool {
	at := space(s, m.to)
	if s[at] == ',' {
		at = space(s, at+1)
	}
	if s[at] == '}' {
		return false
	}
	m.key = at
	m.keyEnd, m.escapes = quoted(s, at)
	at = space(s, m.keyEnd)
	m.from = space(s, at+1) // behind the colon
	m.to = end(s, m.from)
	return true
}

// name is its name.
func (m *member) name(s string) string {
	raw := s[m.key+1 : m.keyEnd-1]
	if m.escapes {
		return unescaped(raw)
	}
	return raw
}

// is tells whether it has this name.
func (m *member) is(s, name string) bool {
	if m.escapes {
		return unescaped(s[m.key+1:m.keyEnd-1]) == name
	}
	return m.keyEnd-m.key-2 == len(name) && s[m.key+1:m.keyEnd-1] == name
}

// find is where the value at the path is, as far as there is one: depth is how many names
// of the path it took.
func (v Value) find(path []string) (from, to, depth int) {
	to = len(v.text)
	for _, name := range path {
		var last member
		switch {
		case from >= to || v.text[from] != '{':
		case depth == 0 && v.index != nil:
			last = v.index.last(v.text, name)
		default:
			last = lastOf(v.text, from, name)
		}
		if last.to == 0 {
			return from, to, depth
		}
		from, to = last.from, last.to
		depth++
	}
	return from, to, depth
}

// lastOf is the last member of that name of the object that begins there; its end is 0 when
// there is none.
func lastOf(s string, at int, name string) (last member) {
	for m := before(at); m.next(s); {
		if m.is(s, name) {
			last = m
		}
	}
	return last
}

// last is what lastOf is of the object with the index.
func (x *index) last(s, name string) (last member) {
	for _, m := range slices.Backward(x.members) {
		m.key, m.keyEnd, m.from, m.to = m.key-x.offset, m.keyEnd-x.offset, m.from-x.offset, m.to-x.offset
		if m.is(s, name) {
			return m
		}
	}
	return member{}
}
