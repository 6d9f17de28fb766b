//go:build !race

package wasm

import (
	"maps"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
)

// The engines of the examples decide as Go's does, about expressions of everything that
// there is in them and values that nearly fit; and what is tried has everything in it.
func TestLanguagesDifferential(t *testing.T) {
	e := newEngines(t, once())
	const expressions = 4000
	for seed := range uint64(expressions) {
		expression := anyExpression(seed)
		e.compare(t, expression, anyTexts(seed, expression))
	}
	t.Logf("%d values matched, %d did not; refused: %v; operations: %v", e.yes, e.no, e.kinds, e.ops)
	for _, kind := range []string{
		"invalid character class range", "invalid escape sequence", "invalid named capture", "invalid or unsupported Perl syntax",
		"invalid nested repetition operator", "invalid repeat count", "missing closing ]", "missing closing )", "unexpected )",
		"missing argument to repetition operator", "trailing backslash at end of expression", beyondClasses, beyondRunes, beyondCase, beyondSize,
		"look-around is not supported (the syntax is RE2's)", "atomic groups are not supported (the syntax is RE2's)",
		"possessive quantifiers are not supported (the syntax is RE2's)", "back-references are not supported (the syntax is RE2's)",
	} {
		if e.kinds[kind] == 0 {
			t.Errorf("no expression was refused for %s", kind)
		}
	}
	for op := syntax.OpEmptyMatch; op <= syntax.OpAlternate; op++ {
		if e.ops[op] == 0 {
			t.Errorf("no expression that was taken has a %v: %v", op, slices.Sorted(maps.Keys(e.ops)))
		}
	}
	if share := e.yes * 10 / (e.yes + e.no); share < 1 {
		t.Errorf("%d values matched, %d did not", e.yes, e.no)
	}
}

// FuzzLanguagesRegex looks for an expression about which the examples and Go differ: one
// of a seed or, where there is a text, that one.
func FuzzLanguagesRegex(f *testing.F) {
	e := newEngines(f, once())
	for seed := range uint64(100) {
		f.Add(seed, "", "a")
	}
	for i, expression := range expressions() {
		f.Add(uint64(i), expression, "ab")
	}
	f.Fuzz(func(t *testing.T, seed uint64, expression, value string) {
		if expression == "" {
			expression = anyExpression(seed)
		}
		expression = strings.ToValidUTF8(expression[:min(len(expression), 300)], "?")
		values := append(anyTexts(seed, expression), strings.ToValidUTF8(value[:min(len(value), 300)], "?"))
		slices.Sort(values)
		e.compare(t, expression, slices.Compact(values))
	})
}
