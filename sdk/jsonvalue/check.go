package jsonvalue

import "strings"

// MaxDepth is how deep arrays and objects may be in each other.
const MaxDepth = 1024

// checker goes through a text once. Of what it is in it keeps one bit each: whether that
// is an object.
type checker struct {
	depth   int
	objects [MaxDepth / 64]uint64
	index   []member // of the outermost object; nil when it is none
}

// maxIndexed is how many members the outermost object may have for an index of them: an app
// has some 40.
const maxIndexed = 64

// check is where the value in the text begins and ends, or what is wrong with it.
func (c *checker) check(s string) (from, to int, err error) {
	from = space(s, 0)
	at, cause := c.begin(s, from)
	for ; cause == opened || cause == fine && c.depth > 0; at, cause = c.begin(s, at) {
		if cause == opened {
			continue
		}
		if at, cause = c.behind(s, at); cause != opened {
			break
		}
	}
	if cause != fine {
		return 0, 0, wrong(s, at, cause)
	}
	to = at
	if at = space(s, at); at < len(s) {
		return 0, 0, wrong(s, at, noMore)
	}
	return from, to, nil
}

// behind checks what is behind a value in an array or object, up to where the next one
// begins, or to the end of the outermost one.
func (c *checker) behind(s string, at int) (next int, cause cause) {
	for c.depth > 0 {
		if c.depth == 1 {
			c.indexEnd(at)
		}
		if at = space(s, at); at >= len(s) {
			return at, noEnd
		}
		if s[at] == ',' {
			return c.name(s, space(s, at+1))
		}
		if s[at] != c.closing() {
			return at, noEnd
		}
		c.depth--
		at++
	}
	return at, fine
}

// begin checks a value that begins there, up to its end if it is none of many parts, or
// if it has none; else it is open.
func (c *checker) begin(s string, at int) (next int, cause cause) {
	if at >= len(s) {
		return at, noValue
	}
	switch s[at] {
	case '"':
		return checkString(s, at)
	case '{', '[':
		return c.open(s, at)
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

func (c *checker) open(s string, at int) (next int, cause cause) {
	if c.depth == MaxDepth {
		return at, tooDeep
	}
	bit := uint64(1) << (c.depth % 64)
	if s[at] == '{' {
		c.objects[c.depth/64] |= bit
	} else {
		c.objects[c.depth/64] &^= bit
	}
	c.depth++
	if at = space(s, at+1); at < len(s) && s[at] == c.closing() {
		c.depth--
		return at + 1, fine
	}
	return c.name(s, at)
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
func (c *checker) name(s string, at int) (next int, cause cause) {
	if !c.object() {
		return at, opened
	}
	if at >= len(s) || s[at] != '"' {
		return at, noName
	}
	key := at
	if at, cause = checkString(s, at); cause != fine {
		return at, cause
	}
	keyEnd := at
	if at = space(s, at); at >= len(s) || s[at] != ':' {
		return at, noColon
	}
	at = space(s, at+1)
	if c.depth == 1 {
		c.indexMember(s, key, keyEnd, at)
	}
	return at, opened
}

// indexMember notes a member of the outermost object, and indexEnd where it ends. Of an
// object with too many nothing is noted in the end.
func (c *checker) indexMember(s string, key, keyEnd, from int) {
	if c.index == nil {
		c.index = make([]member, 0, 32)
	}
	if len(c.index) <= maxIndexed {
		escapes := strings.IndexByte(s[key:keyEnd], '\\') >= 0
		c.index = append(c.index, member{key: key, keyEnd: keyEnd, escapes: escapes, from: from})
	}
}

func (c *checker) indexEnd(at int) {
	if last := len(c.index) - 1; last >= 0 && last < maxIndexed {
		c.index[last].to = at
	}
}

func checkLiteral(s string, at int, literal string) (next int, cause cause) {
	for i := range len(literal) {
		if at+i >= len(s) || s[at+i] != literal[i] {
			return at + i, noLiteral
		}
	}
	return at + len(literal), fine
}

//go:noinline
func digits(s string, at int) int {
	for at < len(s) && s[at]-'0' <= 9 {
		at++
	}
	return at
}

func checkNumber(s string, at int) (next int, cause cause) {
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
	return next, fine
}
