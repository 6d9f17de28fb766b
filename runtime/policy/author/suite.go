package author

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
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
	// actual is the line as the module answers it, when it is asked under that name;
	// nil for cases that have no other form.
	actual func(ctx context.Context, m remote.Module, name string) (string, error)
	sample *sample // nil for what is invalid
}

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
	var cases []Case
	switch {
	case kind == remote.KindConstraint:
		cases, err = constraintCases(text)
	case kind == remote.KindFetch:
		cases, err = fetchCases(text)
	case kind == remote.KindUpgrade && isScript(text):
		cases, err = scriptCases(text, envelope)
	case kind == remote.KindUpgrade:
		cases, err = upgradeCases(text)
	case kind == remote.KindHealth:
		cases, err = healthCases(text)
	default:
		cases, err = admissionCases(text)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i := range cases {
		cases[i].File = path
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

// KindNamed is the kind of that name.
func KindNamed(name string) (remote.Kind, error) {
	var names []string
	for kind := range remote.Kinds {
		if kind.String() == name {
			return kind, nil
		}
		names = append(names, kind.String())
	}
	return 0, fmt.Errorf("kind %q: expected one of %s", name, strings.Join(names, ", "))
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

func constraintCases(text []byte) ([]Case, error) {
	vectors, err := policytest.Read(bytes.NewReader(text))
	var cases []Case
	for _, v := range vectors {
		c := Case{
			Line: v.Line, Kind: remote.KindConstraint, Name: v.Spec.Operator, Text: v.Text,
			check: func(ctx context.Context, m remote.Module) error { return v.Check(ctx, remote.Constraint(m).Prepare) },
			actual: func(ctx context.Context, m remote.Module, name string) (string, error) {
				return v.Actual(ctx, func(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
					spec.Operator = name
					return remote.Constraint(m).Prepare(ctx, spec)
				})
			},
		}
		if v.Invalid == "" {
			c.sample = constraintSample(v)
		}
		cases = append(cases, c)
	}
	return cases, err
}

func fetchCases(text []byte) ([]Case, error) {
	vectors, err := policytest.ReadFetch(bytes.NewReader(text))
	var cases []Case
	for _, v := range vectors {
		c := Case{
			Line: v.Line, Kind: remote.KindFetch, Name: v.Policy, Text: v.Text,
			check: func(ctx context.Context, m remote.Module) error { return v.Check(ctx, remote.Fetch(m)) },
			actual: func(ctx context.Context, m remote.Module, name string) (string, error) {
				return v.Actual(ctx, fetchAs{remote.Fetch(m), name})
			},
		}
		if v.Invalid == "" {
			c.sample = fetchSample(v)
		}
		cases = append(cases, c)
	}
	return cases, err
}

func upgradeCases(text []byte) ([]Case, error) {
	vectors, err := policytest.ReadUpgrade(bytes.NewReader(text))
	var cases []Case
	for _, v := range vectors {
		c := Case{
			Line: v.Line, Kind: remote.KindUpgrade, Name: v.Spec.Strategy, Text: v.Text,
			check: func(ctx context.Context, m remote.Module) error { return v.Check(ctx, remote.Upgrade(m)) },
			actual: func(ctx context.Context, m remote.Module, name string) (string, error) {
				return v.Actual(ctx, upgradeAs{remote.Upgrade(m), name})
			},
		}
		if v.Invalid == "" {
			c.sample = upgradeSample(v)
		}
		cases = append(cases, c)
	}
	return cases, err
}

func healthCases(text []byte) ([]Case, error) {
	vectors, err := policytest.ReadHealth(bytes.NewReader(text))
	var cases []Case
	for _, v := range vectors {
		c := Case{
			Line: v.Line, Kind: remote.KindHealth, Name: v.Spec.Rule, Text: v.Text,
			check: func(ctx context.Context, m remote.Module) error { return v.Check(ctx, remote.Health(m)) },
			actual: func(ctx context.Context, m remote.Module, name string) (string, error) {
				return v.Actual(ctx, healthAs{remote.Health(m), name})
			},
		}
		if v.Invalid == "" {
			c.sample = healthSample(v)
		}
		cases = append(cases, c)
	}
	return cases, err
}

// The policies below are asked under another name than the vector has.
type fetchAs struct {
	sdk.Fetch
	name string
}

func (a fetchAs) Prepare(ctx context.Context, spec sdk.FetchSpec) (sdk.PreparedFetch, error) {
	spec.Policy = a.name
	return a.Fetch.Prepare(ctx, spec)
}

type upgradeAs struct {
	sdk.Upgrade
	name string
}

func (a upgradeAs) Prepare(ctx context.Context, spec sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	spec.Strategy = a.name
	return a.Upgrade.Prepare(ctx, spec)
}

type healthAs struct {
	sdk.Health
	name string
}

func (a healthAs) Prepare(ctx context.Context, spec sdk.HealthSpec) (sdk.PreparedHealth, error) {
	spec.Rule = a.name
	return a.Health.Prepare(ctx, spec)
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
