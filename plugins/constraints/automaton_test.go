package constraints

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk"
)

// alike fails unless the expression decides about the values as package regexp does.
func alike(t *testing.T, text string, values ...string) {
	t.Helper()
	e, err := compileWhole(sdk.ConstraintSpec{Operator: "LIKE", Value: text, HasValue: true})
	if err != nil {
		return
	}
	want, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		want = regexp.MustCompile(`\A(?:` + text + `\E)\z`)
	}
	for _, value := range values {
		if got := e.match(value); got != want.MatchString(value) {
			t.Errorf("%q of %q: %v", text, value, got)
		}
	}
}

func TestAutomaton(t *testing.T) {
	values := []string{
		"", "a", "b", "ab", "aab", "abc", "A", "AB", "a\n", "\n", "a b", "rack-07", "rack-7", "RACK-07", "rack-07-row2", "ä", "aä", "äa",
		"\xff", "a\xff", "K", "k", "\u212a", "ſ", "s", strings.Repeat("a", 40), strings.Repeat("ab", 40), "0", "00", "a)(b", "-", "]", "\x00", "\x7f",
	}
	for _, text := range []string{
		"a", "a|b", "a*", "(a|b)*", "a+b?c", ".", ".*", "(?s).*", "(?i)ab", "(?i)k", "(?i)s", "[a-c]+", "[^a]", "[^a]*", "^a$", "^$", "$^", "$", "^",
		"a^b", "a$b", "(^a|b$)*", `\Aa\z`, `\bab\b`, `a\B.`, "(?m)^a$", "(?m)a$.*", "(?U)a+", `\d+`, `\w*`, `\s`, `\S+`, "rack-[0-2][0-9]", `rack-\d+(-row\d)?`,
		".*a.{3}", ".*a.{9}", "(a|ab)(c|bcd)*", "a{0,40}", "(a{1,20}){1,20}", `\Qa)(b`, `\Qa`, "[[:alpha:]]+", `\pL+`, "ä", "[ä-ü]*a", "(|a)", "()*", "a**", "(?:)",
		`\x00`, "[\x00-\x7f]*", "(?i)[k-s]+", "x*", "a??b",
	} {
		alike(t, text, values...)
	}
}

// Expressions of random parts decide as package regexp does.
func TestAutomatonRandomly(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		text := randomExpression(random, 4)
		values := make([]string, 20)
		for i := range values {
			values[i] = randomText(random)
		}
		alike(t, text, values...)
	}
}

func randomExpression(r *rand.Rand, depth int) string {
	if depth == 0 {
		return pick(r, "a", "b", "c", ".", "[ab]", "[^b]", `\w`, `\d`, "^", "$", `\b`, "(?i)a", "\n", "ä", "")
	}
	part := func() string { return randomExpression(r, depth-1) }
	switch r.IntN(6) {
	case 0:
		return part() + "|" + part()
	case 1:
		return "(" + part() + ")" + pick(r, "*", "+", "?", "{2}", "{0,3}", "{1,}", "*?")
	case 2:
		return "(?:" + part() + ")"
	case 3:
		return part()
	}
	return part() + part()
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func randomText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(8) {
		b.WriteString(pick(r, "a", "b", "c", "A", "1", "\n", " ", "ä", "\x80"))
	}
	return b.String()
}

func FuzzAutomaton(f *testing.F) {
	f.Add("rack-[0-2][0-9]", "rack-07")
	f.Add("(^a|b$)*", "ab")
	f.Add("(?i)k.*", "K\n")
	f.Fuzz(func(t *testing.T, text, value string) { alike(t, text, value, value+value) })
}

// The states of an expression are bounded, whatever values come.
func TestAutomatonIsBounded(t *testing.T) {
	e, err := compileWhole(sdk.ConstraintSpec{Operator: "LIKE", Value: ".*a.{12}", HasValue: true})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		var b strings.Builder
		for range 40 {
			b.WriteByte("ab"[random.IntN(2)])
		}
		value := b.String()
		if got, want := e.match(value), len(value) > 12 && value[len(value)-13] == 'a'; got != want {
			t.Fatalf("%q: %v", value, got)
		}
	}
	if n := len(e.automaton.states); n != mostStates || e.regexp == nil {
		t.Errorf("%d states; want %d, and package regexp for the rest", n, mostStates)
	}
}

func BenchmarkLike(b *testing.B) {
	const text, value = `rack-[0-2][0-9]-row[0-5]`, "rack-17-row4"
	e, err := compileWhole(sdk.ConstraintSpec{Operator: "LIKE", Value: text, HasValue: true})
	if err != nil {
		b.Fatal(err)
	}
	re := regexp.MustCompile(`\A(?:` + text + `)\z`)
	b.Run("automaton", func(b *testing.B) {
		for b.Loop() {
			e.match(value)
		}
	})
	b.Run("regexp", func(b *testing.B) {
		for b.Loop() {
			re.MatchString(value)
		}
	})
	b.Run("prepare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := compileWhole(sdk.ConstraintSpec{Operator: "LIKE", Value: text, HasValue: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("prepare regexp", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			regexp.MustCompile(`\A(?:` + text + `)\z`)
		}
	})
}
