package author

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// Case is one thing that a policy is asked and has to answer.
type Case struct {
	File string
	Line int
	Kind remote.Kind
	Name string // the policy that is asked: an operator, a strategy …
	Text string // the vector's line

	check func(context.Context, remote.Module) error
	// actual is the vector as the module answers it; nil for what is in no file.
	actual func(context.Context, remote.Module) (string, error)
	// answer is what two policies are compared by, without the words of messages; nil
	// for what is not compared.
	answer func(context.Context, remote.Module) (string, error)
	at     span    // of the vector in the file
	sample *sample // nil for what is invalid
}

// span is a part of a text, in bytes.
type span struct{ from, to int }

// ReadCases reads a file of vectors. Its kind is what a line "# kind: fetch" says, or
// the name of a kind in the file's name, or else what its lines look like.
func ReadCases(path string, envelope Envelope) ([]Case, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	kind, err := kindOf(filepath.Base(path), text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	cases, err := toolsOf(kind).read(text, envelope)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i := range cases {
		cases[i].File, cases[i].Kind = path, kind
	}
	return cases, nil
}

// kindOf tells what kind of policy a file of vectors is about.
func kindOf(name string, text []byte) (remote.Kind, error) {
	if isAdmission(text) {
		return remote.KindAdmission, nil
	}
	if said := regexp.MustCompile(`(?m)^#\s*kind:\s*(\S+)\s*$`).FindSubmatch(text); said != nil {
		return KindNamed(string(said[1]))
	}
	for kind := range remote.Kinds {
		if strings.Contains(name, kind.String()) {
			return kind, nil
		}
	}
	line := firstLine(text)
	has := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(line) }
	switch {
	case isScript(text):
		return remote.KindUpgrade, nil
	case has(`^[A-Z][A-Z0-9_]*( |$)`):
		return remote.KindConstraint, nil
	case has(` says( |$)`):
		return remote.KindUpgrade, nil
	case has(` course .* is | is (un)?healthy| is unknown`):
		return remote.KindHealth, nil
	case has(` (allowed|denied|becomes)( |$)`), has(`^[a-z][a-z0-9-]* ("[^"]*"|\S+) invalid `):
		return remote.KindFetch, nil
	}
	return 0, errors.New(`its kind cannot be told: add a line such as "# kind: health"`)
}

// firstLine is the first that says something.
func firstLine(text []byte) string {
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return line
		}
	}
	return ""
}

// lineCases makes a case of each vector that is a line.
func lineCases[V any](text []byte, read func(io.Reader) ([]V, error), of func(V) Case) ([]Case, error) {
	vectors, err := read(bytes.NewReader(text))
	lines := lineSpans(text)
	var cases []Case
	for _, v := range vectors {
		c := of(v)
		c.at = lines[c.Line-1]
		c.answer = func(ctx context.Context, m remote.Module) (string, error) {
			line, err := c.actual(ctx, m)
			return messageless(line), err
		}
		cases = append(cases, c)
	}
	return cases, err
}

// lineSpans are the lines of a text, without their ends.
func lineSpans(text []byte) []span {
	var spans []span
	from := 0
	for line := range bytes.Lines(text) {
		spans = append(spans, span{from, from + len(bytes.TrimRight(line, "\r\n"))})
		from += len(line)
	}
	return spans
}

// messageless leaves out the words of a message: two policies refuse in their own.
func messageless(line string) string {
	for _, word := range []string{" invalid ", " denied ", " reason "} {
		if before, _, found := strings.Cut(line, word); found {
			return before + word
		}
	}
	return line
}

// asked is a method of a vector about the policy that a module offers.
func asked[P, R any](of func(remote.Module) P, method func(context.Context, P) R) func(context.Context, remote.Module) R {
	return func(ctx context.Context, m remote.Module) R { return method(ctx, of(m)) }
}

// answered is the same for a method that tells an answer.
func answered[P any](of func(remote.Module) P, method func(context.Context, P) (string, error)) func(context.Context, remote.Module) (string, error) {
	return func(ctx context.Context, m remote.Module) (string, error) { return method(ctx, of(m)) }
}

// conformance are the cases that every module has to pass: that its health rules keep
// what their contract promises.
func conformance(m remote.Module) []Case {
	var cases []Case
	for _, rule := range remote.Names(m, remote.KindHealth) {
		cases = append(cases, Case{
			File: "conformance", Kind: remote.KindHealth, Name: rule, Text: rule + " keeps the promises of a health rule on every course of eight results",
			check: func(ctx context.Context, m remote.Module) error {
				return policytest.CheckHealth(ctx, remote.Health(m), rule)
			},
		})
	}
	return cases
}

// offers tells whether the module has a policy of that kind and name.
func offers(m remote.Module, kind remote.Kind, name string) bool {
	return slices.Contains(remote.Names(m, kind), name)
}

// renamed is a module that is asked by the name of another of its policies.
type renamed struct {
	remote.Module
	kind remote.Kind
	name string
}

func (r renamed) Prepare(ctx context.Context, kind remote.Kind, spec []byte) (remote.Prepared, error) {
	if kind == r.kind {
		spec = toolsOf(kind).renamed(spec, r.name)
	}
	return r.Module.Prepare(ctx, kind, spec)
}

func (r renamed) Review(ctx context.Context, request []byte, take func([]byte) error) error {
	if r.kind == remote.KindAdmission {
		request = toolsOf(r.kind).renamed(request, r.name)
	}
	return r.Module.Review(ctx, request, take)
}
