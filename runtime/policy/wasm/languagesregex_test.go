package wasm

import (
	"context"
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// expressions are those that people have met, good ones and others.
func expressions() []string {
	return []string{
		"", "a|", "()", "a*", "a+b?", "(a|b)*c", "(ab|a)(c|bcd)", "(a*)*", "(a*)+b", "(a|b|)*", "a{2}", "a{0}", "a{2,}", "a{,2}", "a{1,3}b",
		"(ab){2,3}", "(a|b){0,2}c", "a{0,2}", "a{0,}b", "(a?){3}", "x{a}", "{", "a{2", "a{2,1}", "a{1001}", "[a-c]+", "[^a-c]+", "[]a]", "[^]a]", "[a-]",
		"[-a]", "[a\\]]+", "[b-a]", "[a", "[\\d_]+", "\\d+", "\\D+", "\\w+", "\\W", "\\s", "[[:alpha:]]+", "[[:^digit:]]+", "[[:nope:]]", "[[:alpha:]", "[\\s\\S]*",
		".", ".*", "(?s).*", "^a", "a$", "^$", "$^", "a^b", "(^a|b)c$", "\\Aa\\z", "\\ba\\b", "a\\Bb", "\\b", "(?m)^a$\n^b$", "(?i)aB", "(?i)[a-b]+", "(?i:a)b", "a(?i)b",
		"(?-i)a", "(?i)a(?-i)b", "(a(?i)b)c", "(?i)[^a]", "\\Qa.b\\Ec+", "\\Qab\\E*", "\\Q", "\\.", "\\_", "\\y", "\\", "\\x61", "\\x{fc}", "\\x{110000}", "\\x6", "\\101", "\\0", "\\8",
		"\\n", "(?P<n>a)b", "(?<n>a)b", "(?P<>a)", "(?:a|b)+", "(?x)a", "(?", "(a", "a)", "*", "+a", "a|*", "(*a)", "(?i)*", "^*a", "a*?", "a+?b", "a??", "a*?*", "a+*", "a{2}{3}", "a{2}*",
		"ü+", "[ä-ü]", "(ä|ö)*", "€", "a.c", "(a+)+$", "(a|a)*b", "[a-z]{2,4}-[0-9]{1,2}", "rack-(1[0-9]|[2-9])", "((((a))))", "a{1000}", "(a{1000}){1000}",
		"a{01}", "a{1,02}", "a{00}", "a{0}b", "a{2,", "a{", "a{}", "a{ 2}", "a{1001}?", "a{1,1001}", "a{1001,}", "a{1000000}", "a{99999999999}", "a{1,99999999999}",
		"a{4294967298}", "(a{100}){10}", "(a{100}){11}", "(a{2}|b{500}){2,}c", "((a{1000}){0}b){1000}", "(a{500}){1,}", "(a{1000})*", "a{500}(?i){3}", "a(?i)*b",
		"a\\Q\\E+", "a*(?i)*", "{1001}", "*{1001}", "a*{1001}", "a{2}{1001}", "a*+?", "(?-)a", "(?i-)a", "(?)a", "(?i)k", "(?i)[^k]", "(?i)\\W", "(?i)[[:^lower:]]",
		"(?i)[[:upper:]]+", "(?i)[[:^ascii:]]", "(?i)\\x41", "(?i)ü", "(?i)[ü]", "(?i)€", "(?i)[a-ü]", "(?i)[\\x00-\\x{10ffff}]", "\\x{d800}", "\\pL", "[\\p{Greek}]", "\\p",
		"(?P<", "(?<", "(?P<n", "(?<n-m>a)", "(?<=a)b>", "(?<!a", "\\xg1", "\\x{12g}", "\\x{}", "[a-\\d]", "[\\d-z]", "[--a]", "[]-a]", "[[:alpha]",
	}
}

func texts() []string {
	return []string{
		"", "a", "b", "ab", "abc", "abcd", "aa", "aaa", "aab", "ac", "c", "bbc", "aaaaaaaaaaaaaaaaaaaaaaaa", "A", "AB", "aB", "Ab", "ü", "üü", "ä", "ö", "€", "a\nb", "\n", "a.b",
		"a.bc", "a.bcc", "x{a}", "{", "a{,2}", "a{2", "]", "-", "_", "1", "12", "rack-12", "rack-2", "ab-1", "0", "a b", " ", "\t", "a-c", "a\x00", "aéc", "a{01}", "a{1,02}", "a{00}", "k", "K", "\u212a", "ſ", "Ü", "z",
	}
}

// engines are the regular expressions of the examples, beside the builtin one.
type engines struct {
	names   []string
	prepare []policytest.Prepare
	// What was met: kinds of refusals, and operations of expressions that were taken.
	kinds map[string]int
	ops   map[syntax.Op]int
	// Verdicts about values: matched, and not.
	yes, no int
}

// newEngines loads the examples in these languages, with fuel enough for the largest
// expressions.
func newEngines(t testing.TB, languages []language) *engines {
	e := &engines{kinds: map[string]int{}, ops: map[syntax.Op]int{}}
	limits := DefaultLimits()
	limits.ItemFuel, limits.CallFuel = 1e9, 1e12
	for _, l := range languages {
		m, err := load(t, l.example(t), limits)
		if err != nil {
			t.Fatal(err)
		}
		e.names = append(e.names, l.name)
		e.prepare = append(e.prepare, func(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
			spec.Operator = l.prefix + spec.Operator
			return remote.Constraint(m).Prepare(ctx, spec)
		})
	}
	return e
}

// once are the languages, each built one way.
func once() []language {
	return slices.DeleteFunc(languages(), func(l language) bool { return strings.Contains(l.name, " ") })
}

// verdict is what an engine says of an expression: why it is none, or which of the
// values it matches.
type verdict struct {
	Refused string
	Matches []string
}

// judge asks an engine.
func judge(t testing.TB, prepare policytest.Prepare, expression string, values []string) verdict {
	t.Helper()
	spec := sdk.ConstraintSpec{Field: "rack", Operator: "LIKE", Value: expression, HasValue: true}
	p, err := prepare(t.Context(), spec)
	if invalid := (*sdk.Invalid)(nil); errors.As(err, &invalid) {
		return verdict{Refused: line([]byte(invalid.Message))} // what a module says is made one line
	}
	if err != nil {
		t.Fatalf("%q: %v", expression, err)
	}
	defer p.Close()
	answer, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: append([]string{""}, values...), First: -1})
	if err != nil {
		t.Fatalf("%q: %v", expression, err)
	}
	v := verdict{Matches: []string{}}
	for slot, value := range values {
		if answer.Quota[slot+1] == sdk.Unlimited {
			v.Matches = append(v.Matches, value)
		}
	}
	return v
}

// compare asks all engines about the expression and the values. They say the same, but
// for expressions that the examples refuse because they have something in them that the
// README names.
func (e *engines) compare(t testing.TB, expression string, values []string) {
	t.Helper()
	want := judge(t, constraints.Like{}.Prepare, expression, values)
	e.note(expression, want, len(values))
	first := judge(t, e.prepare[0], expression, values)
	if kind := beyond(first.Refused); kind != "" && plausible(expression, kind) {
		e.kinds[kind]++
		want = first
	} else if diff := cmp.Diff(whole(expression, values), want.Matches); diff != "" {
		t.Errorf("%q: the builtin: %s", expression, diff)
	}
	for i, prepare := range e.prepare {
		if diff := cmp.Diff(want, judge(t, prepare, expression, values)); diff != "" {
			t.Errorf("%s: %q: %s", e.names[i], expression, diff)
		}
	}
}

// whole are the values of which the leftmost, longest match is the whole; nil when it is
// no expression.
func whole(expression string, values []string) []string {
	re, err := regexp.Compile(expression)
	if err != nil || expression == "" {
		return nil
	}
	re.Longest()
	matches := []string{}
	for _, value := range values {
		if at := re.FindStringIndex(value); at != nil && at[1]-at[0] == len(value) {
			matches = append(matches, value)
		}
	}
	return matches
}

// What the examples refuse, and the builtin takes.
const (
	beyondClasses = "classes of Unicode are not supported here"
	beyondRunes   = "surrogates are not supported here"
	beyondCase    = "(?i) is supported for ASCII only here"
	beyondSize    = "expression too large"
	beyondDepth   = "expression nests too deeply"
)

// beyond is which of them a refusal is about; "" for others.
func beyond(refusal string) string {
	_, cause, _ := strings.Cut(refusal, "is not a valid regular expression: ")
	for _, kind := range []string{beyondClasses, beyondRunes, beyondCase, beyondSize, beyondDepth} {
		if strings.HasPrefix(cause, kind+": ") {
			return kind
		}
	}
	return ""
}

// plausible tells whether the reason can be true of the expression.
func plausible(expression, kind string) bool {
	switch kind {
	case beyondClasses:
		return strings.Contains(strings.ToLower(expression), `\p`)
	case beyondRunes:
		return strings.Contains(strings.ToLower(expression), `\x{`)
	case beyondCase:
		return strings.Contains(expression, "i") && regexp.MustCompile(`[^\x00-\x7f]|\\x|\\[0-7]`).MatchString(expression)
	case beyondDepth:
		return strings.Count(expression, "(") > 100
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return len(expression) > 10
	}
	program, err := syntax.Compile(parsed.Simplify())
	return err != nil || len(program.Inst) > 2000
}

// note keeps account of what was met.
func (e *engines) note(expression string, v verdict, values int) {
	if v.Refused != "" {
		_, cause, _ := strings.Cut(v.Refused, "is not a valid regular expression: ")
		kind, _, _ := strings.Cut(cause+" ", ": ") // a part that is empty leaves its colon at the end
		e.kinds[kind]++
		return
	}
	e.yes += len(v.Matches)
	e.no += values - len(v.Matches)
	if parsed, err := syntax.Parse(expression, syntax.Perl); err == nil {
		e.noteOps(parsed)
	}
}

func (e *engines) noteOps(re *syntax.Regexp) {
	e.ops[re.Op]++
	for _, sub := range re.Sub {
		e.noteOps(sub)
	}
}

// A regular expression matches what it does natively, and is refused when it is there,
// with the same words.
func TestLanguagesRegex(t *testing.T) {
	e := newEngines(t, languages())
	for _, expression := range expressions() {
		e.compare(t, expression, texts())
	}
}
