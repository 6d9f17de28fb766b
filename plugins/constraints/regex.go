package constraints

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// expression matches whole values.
type expression struct {
	text      string // wrapped, so that it matches whole values only
	automaton *automaton
	regexp    *regexp.Regexp // nil until the automaton is not sure
}

// compileWhole compiles the constraint's value to an expression that matches
// whole values only. The value is parsed by itself first: wrapped as text alone,
// "a)(b" would be taken.
func compileWhole(c sdk.ConstraintSpec) (*expression, error) {
	if c.Value == "" {
		return nil, &sdk.Invalid{Message: "LIKE and UNLIKE require a non-empty, regular expression value"}
	}
	if _, err := syntax.Parse(c.Value, syntax.Perl); err != nil {
		return nil, notRegex(c.Value, err)
	}
	e := &expression{text: `\A(?:` + closed(c.Value) + `)\z`}
	parsed, err := syntax.Parse(e.text, syntax.Perl)
	if err != nil {
		return nil, notRegex(c.Value, err)
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, notRegex(c.Value, err)
	}
	e.automaton = newAutomaton(prog)
	return e, nil
}

// match tells whether the whole value matches.
func (e *expression) match(value string) bool {
	if e.automaton != nil {
		if matches, sure := e.automaton.match(value); sure {
			return matches
		}
	}
	if e.regexp == nil {
		e.regexp = regexp.MustCompile(e.text) // it was parsed before
	}
	return e.regexp.MatchString(value)
}

// closed ends the quotation of a good expression that has one open at its end, such as
// `\Qa`, which would swallow what follows: there alone \E is no mistake. (The text
// that the parser makes of an expression would do, but where (?i) meets a large class it
// takes a thousand times as long as all the rest.)
func closed(expr string) string {
	if !strings.Contains(expr, `\Q`) {
		return expr
	}
	if _, err := syntax.Parse(expr+`\E`, syntax.Perl); err != nil {
		return expr
	}
	return expr + `\E`
}

func notRegex(value string, err error) error {
	cause := err.Error()
	if fault := (*syntax.Error)(nil); errors.As(err, &fault) {
		cause = string(fault.Code) + ": " + fault.Expr
		if what := notInRE2(fault); what != "" {
			cause = what + " not supported (the syntax is RE2's): " + fault.Expr
		}
	}
	return &sdk.Invalid{Message: `"` + value + `" is not a valid regular expression: ` + cause}
}

// notInRE2 names what other engines have and RE2 lacks, so that a user of those
// is not told that a good expression is malformed; "" for true mistakes.
func notInRE2(fault *syntax.Error) string {
	expr := fault.Expr
	switch {
	case strings.HasPrefix(expr, "(?="), strings.HasPrefix(expr, "(?!"),
		strings.HasPrefix(expr, "(?<="), strings.HasPrefix(expr, "(?<!"):
		return "look-around is"
	case strings.HasPrefix(expr, "(?>"):
		return "atomic groups are"
	case fault.Code == syntax.ErrInvalidRepeatOp && len(expr) > 1 && strings.HasSuffix(expr, "+"):
		return "possessive quantifiers are"
	case fault.Code == syntax.ErrInvalidEscape && len(expr) == 2 && strings.Contains("123456789k", expr[1:]):
		return "back-references are"
	}
	return ""
}
