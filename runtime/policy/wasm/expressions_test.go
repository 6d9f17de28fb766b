//go:build !race

package wasm

import (
	"fmt"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// writer writes regular expressions that have everything in them that RE2's syntax
// knows, and, when it is careless, much that it does not.
type writer struct {
	*rand.Rand
	strings.Builder
	careless bool
}

// anyExpression is the expression of a seed.
func anyExpression(seed uint64) string {
	w := &writer{Rand: rand.New(rand.NewPCG(seed, 1)), careless: seed%3 == 0}
	for w.Len() == 0 {
		w.alternatives(3)
	}
	if w.careless && w.in(30) {
		w.WriteByte('\\')
	}
	if text := []rune(w.String()); w.careless && len(text) > 0 && w.in(3) {
		return string(w.spoil(text))
	}
	return w.String()
}

// in tells once in n times.
func (w *writer) in(n int) bool { return w.IntN(n) == 0 }

// one writes one of the texts.
func (w *writer) one(texts ...string) { w.WriteString(texts[w.IntN(len(texts))]) }

// oneOf writes one of the good texts; one that is careless writes a bad one now and then.
func (w *writer) oneOf(good, bad []string) {
	if w.careless && w.in(6) {
		good = bad
	}
	w.one(good...)
}

// spoil drops a rune, adds one, or puts one in the place of another.
func (w *writer) spoil(text []rune) []rune {
	const signs = `()[]{}*+?|\^$.-:=<>!,019PkiQEé`
	at := w.IntN(len(text))
	added := []rune(signs)[w.IntN(utf8.RuneCountInString(signs))]
	switch w.IntN(3) {
	case 0:
		return slices.Delete(text, at, at+1)
	case 1:
		return slices.Insert(text, at, added)
	default:
		text[at] = added
		return text
	}
}

func (w *writer) alternatives(depth int) {
	for {
		for range w.IntN(4) {
			w.atom(depth)
			w.repetition()
		}
		if !w.in(4) {
			return
		}
		w.WriteByte('|')
	}
}

func (w *writer) atom(depth int) {
	switch n := w.IntN(20); {
	case n < 6:
		w.rune()
	case n < 8:
		w.escape()
	case n < 9:
		w.one(".", ".", "^", "$", `\A`, `\z`, `\b`, `\B`)
	case n < 10:
		w.one(`\d`, `\D`, `\s`, `\S`, `\w`, `\W`)
	case n < 13:
		w.class()
	case n < 14:
		w.oneOf([]string{"(?i)", "(?i)", "(?s)", "(?m)", "(?U)", "(?-i)", "(?im-s)", "(?)", "(?s-i)"},
			[]string{"(?-)", "(?i-)", "(?--i)", "(?x)", "(?i", "(?", "(?ims-imsU)", "(*)"})
	case n < 15:
		w.one(`\Qab\E`, `\Qa.b\E`, `\Q\E`, `\Q*\\E`, `\Qk+`, `\Q[(\E`)
	case depth > 0:
		w.group(depth)
	}
}

func (w *writer) rune() {
	w.one("a", "b", "c", "A", "k", "K", "s", "S", "z", "0", "1", "9", "_", "-", ",", ":", " ", "a", "b", "c", "a", "b",
		"ü", "Ü", "ſ", "\u212a", "σ", "€", "東", "😀", "\ufffd", "]", "}", "{", "\n", "\x00", "!", "=", "<", "P")
}

func (w *writer) escape() {
	w.oneOf(
		[]string{
			`\a`, `\f`, `\n`, `\r`, `\t`, `\v`, `\.`, `\*`, `\\`, `\[`, `\]`, `\_`, `\-`, `\/`, `\ `, `\x41`, `\x6B`, `\x{6b}`, `\x{000061}`, `\x{fc}`,
			`\x{17f}`, `\x{212A}`, `\x{1F600}`, `\x{10ffff}`, `\x{d800}`, `\x{dfff}`, `\x{e000}`, `\0`, `\07`, `\012`, `\101`, `\1012`, `\141`, `\377`, `\777`,
		},
		[]string{
			`\1`, `\8`, `\18`, `\k`, `\k<n>`, `\y`, `\E`, `\Z`, `\C`, `\é`, `\x`, `\x6`, `\xg1`, `\x6é`, `\x{}`, `\x{110000}`, `\x{12g}`, `\x{7`, `\x{`,
			`\pL`, `\PN`, `\p{Greek}`, `\P{^Lu}`, `\p{Foo}`, `\p`, `\p{`, `\x{ffffffffff}`,
		})
}

func (w *writer) class() {
	w.one("[", "[", "[^")
	if w.in(8) {
		w.one("]", "-", "]-a", "-z")
	}
	for range 1 + w.IntN(3) {
		switch w.IntN(8) {
		case 0:
			w.one(`\d`, `\D`, `\s`, `\S`, `\w`, `\W`)
		case 1:
			w.posix()
		case 2:
			w.one("a-c", "A-C", "0-9", "a-z", "j-l", "R-T", "+--", "Z-a", " -~", "!-ü", `\x00-\x{10ffff}`, `\x00-k`, `a-\x{1e942}`, `A-\x{1e943}`, `\n-\r`,
				`\x{d7ff}-\x{e000}`, "ä-ü", "€-東", "a-a", "--/", "😀-😂")
		case 3:
			w.escape()
		default:
			w.rune()
		}
	}
	if w.careless && w.in(6) {
		w.one(`b-a`, `a-\d`, `[:nope:]`, `[:^^alpha:]`, `[::]`, `[:alpha`, `\pL`, `a-\pL`, `\b`, `\Q`, `z-\x41`)
	}
	if w.in(12) {
		w.WriteByte('-')
	}
	if !w.careless || !w.in(12) {
		w.WriteByte(']')
	}
}

func (w *writer) posix() {
	w.one("[:", "[:^")
	w.one("alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word", "xdigit")
	w.WriteString(":]")
}

func (w *writer) group(depth int) {
	w.oneOf([]string{"(", "(?:", "(?P<n>", "(?<n_1>", "(?i:", "(?i:", "(?s:", "(?m:", "(?U:", "(?im-s:", "(?-i:", "(?s-i:"},
		[]string{
			"(?P<>", "(?<n", "(?P<n", "(?P<", "(?<", "(?P=n", "(?P<n-m>", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?x:", "(?-:", "(?i-:", "(?#", "(?'n'", "(?P>n", "(?<é>",
		})
	w.alternatives(depth - 1)
	if !w.careless || !w.in(12) {
		w.WriteByte(')')
	}
}

func (w *writer) repetition() {
	for again := w.in(3); again; again = w.careless && w.in(8) {
		switch n := w.IntN(10); {
		case n < 4:
			w.one("*", "+", "?", "*?", "+?", "??")
		case n < 8:
			w.counted()
		case w.careless:
			w.one("{01}", "{1,02}", "{00}", "{,2}", "{2", "{2,", "{", "{}", "{a}", "{1 }", "{-1}", "{2,1}", "{1001}", "{1,1001}", "{1001,}", "{99999999999}",
				"{1000000}", "{0000001}", "{1,1000000000000000000000}", "{4294967297}", "{100000000,1}", "{1001}?", "*{1001}", "*+", "+*", "{2}*", "*?+", "*+?", "+(?i)*", `*\Q\E+`)
		}
	}
}

func (w *writer) counted() {
	number := func() int {
		if w.in(30) {
			return []int{10, 31, 32, 33, 100, 333, 334, 500, 501, 1000}[w.IntN(10)]
		}
		return w.IntN(4)
	}
	switch least := number(); w.IntN(3) {
	case 0:
		fmt.Fprintf(w, "{%d}", least)
	case 1:
		fmt.Fprintf(w, "{%d,}", least)
	default:
		fmt.Fprintf(w, "{%d,%d}", least, min(least+number(), 1000))
	}
	if w.in(5) {
		w.WriteByte('?')
	}
}

// mostSample is how long a text of a sampler becomes, in bytes.
const mostSample = 200

// sampler writes texts that an expression matches, unless an assertion in it says no.
type sampler struct {
	*rand.Rand
	strings.Builder
}

// anyTexts are texts that the expression matches or nearly does, and others; none twice.
func anyTexts(seed uint64, expression string) []string {
	random := rand.New(rand.NewPCG(seed, 2))
	texts := []string{"a", "ab", "k", "S", "\u212a", "ſ", "ü", "_", "0", " ", "\n", "a\nb", "{", "a{01}", "😀", "aaaa"}
	if parsed, err := syntax.Parse(expression, syntax.Perl); err == nil {
		for range 6 {
			s := &sampler{Rand: random}
			s.sample(parsed)
			texts = append(texts, s.String())
			if text := []rune(s.String()); len(text) > 0 {
				w := writer{Rand: random}
				texts = append(texts, string(w.spoil(text)), s.otherCase())
			}
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

// otherCase is the text with one of its runes in another case.
func (s *sampler) otherCase() string {
	text := []rune(s.String())
	at := s.IntN(len(text))
	text[at] = unicode.SimpleFold(text[at])
	return string(text)
}

func (s *sampler) sample(re *syntax.Regexp) {
	if s.Len() > mostSample {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			for n := s.IntN(4); n > 0 && re.Flags&syntax.FoldCase != 0; n-- {
				r = unicode.SimpleFold(r)
			}
			s.WriteRune(r)
		}
	case syntax.OpCharClass:
		if n := len(re.Rune) / 2; n > 0 {
			i := s.IntN(n)
			low, high := re.Rune[2*i], re.Rune[2*i+1]
			s.WriteRune(low + s.Int32N(min(high-low, 300)+1))
		}
	case syntax.OpAnyCharNotNL, syntax.OpAnyChar:
		s.WriteRune([]rune("aZ0 ü😀\n")[s.IntN(7)])
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		s.repeat(re)
	case syntax.OpAlternate:
		s.sample(re.Sub[s.IntN(len(re.Sub))])
	case syntax.OpBeginLine, syntax.OpEndLine:
		if s.IntN(3) == 0 {
			s.WriteByte('\n')
		}
	default:
		for _, sub := range re.Sub {
			s.sample(sub)
		}
	}
}

func (s *sampler) repeat(re *syntax.Regexp) {
	least, most := re.Min, re.Max
	switch re.Op {
	case syntax.OpStar:
		least, most = 0, -1
	case syntax.OpPlus:
		least, most = 1, -1
	case syntax.OpQuest:
		least, most = 0, 1
	}
	if most < 0 {
		most = least + 3
	}
	for range least + s.IntN(most-least+1) {
		s.sample(re.Sub[0])
	}
}
