package spec

import (
	"fmt"
	"slices"
	"strings"
)

// Selector picks apps by their labels. The zero value picks all.
type Selector struct {
	terms []selectorTerm // all must hold
}

// selectorTerm asks for a label: that it is there, and what it is.
type selectorTerm struct {
	key    string
	match  matchKind
	values []string
}

// matchKind is what a term asks of the label's value.
type matchKind uint8

const (
	matchAny matchKind = iota
	matchIn
	matchNotIn
)

// Matches tells whether the labels satisfy every term. A term never holds for a
// label that is not there, not even "!=" and "notin".
func (s Selector) Matches(labels map[string]string) bool {
	for _, t := range s.terms {
		value, ok := labels[t.key]
		if !ok || t.match != matchAny && slices.Contains(t.values, value) != (t.match == matchIn) {
			return false
		}
	}
	return true
}

// ParseSelector reads a label selector:
//
//	selector = [ term { "," term } ]
//	term     = word [ ("==" | "!=") word | ("in" | "notin") "(" [ word { "," word } ] ")" ]
//	word     = one or more of A-Z a-z 0-9 - _ . or a backslash and any character
func ParseSelector(text string) (Selector, error) {
	p := &selectorParser{rest: text}
	selector, err := p.selector()
	if err != nil {
		return Selector{}, fmt.Errorf("Can not parse label selector %s. Reason: %w", text, err) // the API's text
	}
	return selector, nil
}

// selectorParser takes the text apart from the left.
type selectorParser struct{ rest string }

func (p *selectorParser) selector() (Selector, error) {
	var s Selector
	if p.skipSpace(); p.rest == "" {
		return s, nil
	}
	for {
		t, err := p.term()
		if err != nil {
			return s, err
		}
		s.terms = append(s.terms, t)
		if p.rest == "" {
			return s, nil
		}
		if !p.accept(",") {
			return s, p.expected("',' or the end")
		}
	}
}

// term reads a key and what is asked of its value. The words "in" and "notin"
// are keys where a key stands.
func (p *selectorParser) term() (selectorTerm, error) {
	key, err := p.word()
	if err != nil {
		return selectorTerm{}, err
	}
	t := selectorTerm{key: key}
	switch {
	case p.accept("=="):
		t.match = matchIn
	case p.accept("!="):
		t.match = matchNotIn
	case p.accept("in"):
		t.match, err = matchIn, p.set(&t.values)
		return t, err
	case p.accept("notin"):
		t.match, err = matchNotIn, p.set(&t.values)
		return t, err
	default:
		return t, nil
	}
	value, err := p.word()
	t.values = []string{value}
	return t, err
}

// set reads words in parentheses; none is legal.
func (p *selectorParser) set(values *[]string) error {
	if !p.accept("(") {
		return p.expected("'('")
	}
	if p.accept(")") {
		return nil
	}
	for {
		value, err := p.word()
		if err != nil {
			return err
		}
		*values = append(*values, value)
		if p.accept(")") {
			return nil
		}
		if !p.accept(",") {
			return p.expected("',' or ')'")
		}
	}
}

// word reads the longest word and the space after it.
func (p *selectorParser) word() (string, error) {
	var word strings.Builder
	for p.rest != "" {
		size := 1
		if p.rest[0] == '\\' {
			p.rest = p.rest[1:]
			for size < len(p.rest) && p.rest[size]&0xC0 == 0x80 { // the rest of one UTF-8 character
				size++
			}
		} else if !wordByte(p.rest[0]) {
			break
		}
		if p.rest == "" {
			return "", p.expected("a character after the backslash")
		}
		word.WriteString(p.rest[:size])
		p.rest = p.rest[size:]
	}
	if word.Len() == 0 {
		return "", p.expected("a word")
	}
	p.skipSpace()
	return word.String(), nil
}

func wordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}

// accept takes the token when it is next, with the space after it.
func (p *selectorParser) accept(token string) bool {
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
		p.skipSpace()
	}
	return ok
}

func (p *selectorParser) skipSpace() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *selectorParser) expected(what string) error {
	if p.rest == "" {
		return fmt.Errorf("expected %s but the text ends", what)
	}
	return fmt.Errorf("expected %s at '%s'", what, p.rest)
}
