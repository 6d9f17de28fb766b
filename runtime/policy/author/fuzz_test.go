package author_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/author"
	"github.com/pacer-run/pacer/runtime/policy/process"
	"github.com/pacer-run/pacer/sdk"
)

// flawed is a constraint that fails in the way that its value names.
type flawed struct {
	name  string
	value *int // changes with every question where it is not nil
}

func (f flawed) Operators() []string { return []string{f.name} }

func (f flawed) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	if c.Value == "refused" {
		return nil, &sdk.Invalid{Message: "no"}
	}
	return f, nil
}

func (flawed) Traits() sdk.Traits { return 0 }
func (flawed) Close()             {}

func (f flawed) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	quota := make([]uint32, len(in.Values))
	switch {
	case f.name == "SHORT":
		quota = nil
	case f.name == "FAILS" && len(in.Values) > 3:
		return sdk.ConstraintAnswer{}, errors.New("more than three")
	case f.value != nil:
		*f.value++
		quota[0] = uint32(*f.value)
	}
	return sdk.ConstraintAnswer{Quota: quota}, nil
}

func TestFuzzFindsFlaws(t *testing.T) {
	count := 0
	for _, tt := range []struct {
		flaw flawed
		want string
	}{
		{flawed{name: "SOUND"}, ""},
		{flawed{name: "FAILS"}, "trap"},
		{flawed{name: "SHORT"}, "malformed"},
		{flawed{name: "MOODY", value: &count}, "nondeterministic"},
	} {
		m := author.Builtins{Constraints: []sdk.Constraint{tt.flaw}}.Module()
		dir := t.TempDir()
		report, err := author.Fuzz(t.Context(), m, m, nil, author.FuzzOptions{Rounds: 200, Seed: 1, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if report.Rounds != 200 || report.Accepted == 0 {
			t.Errorf("%s: %+v", tt.flaw.name, report)
		}
		if tt.want == "" {
			if len(report.Crashers) != 0 {
				t.Errorf("%s: %+v", tt.flaw.name, report.Crashers)
			}
			continue
		}
		if len(report.Crashers) != 1 || report.Crashers[0].What != tt.want {
			t.Errorf("%s: %+v, want one %s", tt.flaw.name, report.Crashers, tt.want)
			continue
		}
		cases := read(t, report.Crashers[0].File)
		if again := author.Test(t.Context(), m, cases, nil); tt.want != "nondeterministic" && again.Failed != len(cases) {
			t.Errorf("%s: what was written does not fail: %+v", tt.flaw.name, again.Cases)
		}
	}
}

// The policies that are built in stand whatever they are asked.
func TestFuzzBuiltins(t *testing.T) {
	var cases []author.Case
	for _, name := range []string{"constraints/testdata/vectors.txt", "fetchers/testdata/vectors.txt", "admission/testdata/vectors.json"} {
		cases = append(cases, read(t, plugins+name)...)
	}
	report, err := author.Fuzz(t.Context(), builtins().Module(), builtins().Module(), cases, author.FuzzOptions{Rounds: 3000, Seed: 7})
	if err != nil || len(report.Crashers) > 0 || report.Refused == 0 || report.Accepted < 1000 {
		t.Errorf("%+v, %v", report, err)
	}
}

// As a process they answer, and refuse, as they do here.
func TestFuzzBuiltinsAsProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "builtin-process")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", file, ".")
	cmd.Dir = plugins + "cmd/builtin-process"
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
	if message, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, message)
	}
	dir, err := os.MkdirTemp("", "author-") // the path of a socket has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	// It may take its time: a machine with much to do is no difference.
	limits := process.Limits{Start: time.Minute, Configure: time.Minute, Ping: time.Minute, PingEvery: time.Hour}
	for kind := range limits.Call {
		limits.Call[kind] = time.Minute
	}
	m, err := process.Start(t.Context(), process.Config{Command: []string{file}, Dir: dir, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close(context.WithoutCancel(t.Context())) }()
	var cases []author.Case
	for _, name := range []string{"constraints/testdata/vectors.txt", "fetchers/testdata/vectors.txt"} {
		cases = append(cases, read(t, plugins+name)...)
	}
	report, err := author.Fuzz(t.Context(), m, builtins().Module(), cases, author.FuzzOptions{Rounds: 1000, Seed: 8})
	if err != nil || len(report.Crashers) > 0 || report.Refused == 0 || report.Accepted < 300 {
		t.Errorf("%+v, %v", report, err)
	}
}

// fails are policies of every kind that fail on something small in a large question.
type fails struct{}

func (fails) Policies() []string   { return []string{"fails"} }
func (fails) Strategies() []string { return []string{"fails"} }
func (fails) Rules() []string      { return []string{"fails"} }
func (fails) Close()               {}

type failsFetch struct{ fails }

func (f failsFetch) Prepare(context.Context, sdk.FetchSpec) (sdk.PreparedFetch, error) { return f, nil }

func (failsFetch) Decide(_ context.Context, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	var decisions []sdk.FetchDecision
	for i, uri := range uris {
		if strings.Contains(uri.URI, "日") {
			return nil, fmt.Errorf("URI %d is not in ASCII: %q", i, uri.URI) // which is another each time
		}
		decisions = append(decisions, sdk.AllowFetch(uri))
	}
	return decisions, nil
}

type failsUpgrade struct{ fails }

func (f failsUpgrade) Prepare(context.Context, sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	return f, nil
}

func (failsUpgrade) Next(_ context.Context, s sdk.UpgradeState) (sdk.UpgradeStep, error) {
	if s.OldHealthy > 1 && s.NewReady > s.NewHealthy {
		return sdk.UpgradeStep{}, errors.New("more are ready than healthy")
	}
	return sdk.UpgradeStep{}, nil
}

type failsHealth struct {
	fails
	together bool // fails on two histories, which no vector has
}

func (f failsHealth) Prepare(context.Context, sdk.HealthSpec) (sdk.PreparedHealth, error) {
	return f, nil
}

func (f failsHealth) Judge(_ context.Context, histories []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
	for _, h := range histories {
		if f.together && len(histories) > 1 || h.ConsecutiveFailures > 2 && h.FirstSuccess != 0 {
			return nil, errors.New("three times")
		}
	}
	return make([]sdk.HealthVerdict, len(histories)), nil
}

type failsAdmission struct{ fails }

func (failsAdmission) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	var app struct{ Labels map[string]string }
	if r.Verb == sdk.AdmissionCheck || r.New == nil {
		return sdk.AdmissionReview{}, nil
	}
	if err := json.Unmarshal(r.New, &app); err != nil {
		return sdk.AdmissionReview{}, err
	}
	for key, value := range app.Labels {
		if strings.Contains(value, "*") {
			return sdk.AdmissionReview{}, errors.New("a star in " + value + " of " + key)
		}
	}
	return sdk.AdmissionReview{}, nil
}

// What is found is made small, in every kind, and written as a vector that fails again.
func TestFuzzShrinks(t *testing.T) {
	for _, tt := range []struct {
		policies author.Builtins
		want     string // the vector
	}{
		{author.Builtins{Constraints: []sdk.Constraint{flawed{name: "FAILS"}}}, `^FAILS known "." "." "."$`},
		{author.Builtins{Fetches: []sdk.Fetch{failsFetch{}}}, `^fails "" "日" allowed$`},
		{author.Builtins{Upgrades: []sdk.Upgrade{failsUpgrade{}}}, `^fails instances 1 old 2 healthy 2 new 1 well 0 ready 1 min 1 over 0 says nothing$`},
		{author.Builtins{Healths: []sdk.Health{failsHealth{}}}, `^fails max 0 course "\+---" is unknown$`},
		{author.Builtins{Healths: []sdk.Health{failsHealth{together: true}}}, `^$`},
		{author.Builtins{Admissions: []sdk.Admission{failsAdmission{}}}, `^{"policy":"fails","verb":"create","subject":"(app|group)","id":"/team/app","new":{"labels":{"\d":"\*"}}}$`},
	} {
		m := tt.policies.Module()
		dir := t.TempDir()
		report, err := author.Fuzz(t.Context(), m, m, nil, author.FuzzOptions{Rounds: 2000, Seed: 1, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Crashers) != 1 || !regexp.MustCompile(tt.want).MatchString(report.Crashers[0].Vector) {
			t.Errorf("%+v, want %s", report.Crashers, tt.want)
			continue
		}
		c := report.Crashers[0]
		if again, err := author.Fuzz(t.Context(), m, m, nil, author.FuzzOptions{Rounds: c.Rounds, Seed: 1}); err != nil || len(again.Crashers) != 1 {
			t.Errorf("not found again in %d rounds: %+v, %v", c.Rounds, again, err)
		}
		if c.Vector == "" {
			if c.File != "" {
				t.Errorf("%+v", c)
			}
			continue
		}
		cases := read(t, c.File)
		if tested := author.Test(t.Context(), m, cases, nil); tested.Failed == 0 || len(cases) != 1 || cases[0].Line != c.Line || !strings.HasPrefix(c.Cause, "policy module") {
			t.Errorf("what was written does not fail: %+v, %+v", c, tested.Cases)
		}
		before, _ := os.ReadFile(c.File)
		if _, err := author.Fuzz(t.Context(), m, m, nil, author.FuzzOptions{Rounds: 2000, Seed: 1, Dir: dir}); err != nil {
			t.Fatal(err)
		}
		if after, _ := os.ReadFile(c.File); string(after) != string(before) {
			t.Errorf("written twice: %s", after)
		}
	}
}

// Files of vectors grow, those in JSON, too.
func TestFuzzAddsToFiles(t *testing.T) {
	m := author.Builtins{Admissions: []sdk.Admission{failsAdmission{}}, Fetches: []sdk.Fetch{failsFetch{}}}.Module()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"fuzz-admission.json": "[\n  {\"policy\": \"fails\", \"invalid\": \"x\"}\n]\n", "fuzz-fetch.txt": "fails x invalid y", // nobody ended the line
	} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	report, err := author.Fuzz(t.Context(), m, m, nil, author.FuzzOptions{Rounds: 2000, Seed: 1, Dir: dir})
	if err != nil || len(report.Crashers) != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	for _, c := range report.Crashers {
		if cases := read(t, c.File); len(cases) != 2 || cases[1].Line != c.Line {
			t.Errorf("%s: %+v", c.File, cases)
		}
	}
}
