package author

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// Outcome is what became of one case.
type Outcome struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Kind    string `json:"kind"`
	Policy  string `json:"policy"`
	Verdict string `json:"verdict"` // Pass or Fail
	Text    string `json:"text"`
	Cause   string `json:"cause,omitempty"` // why it is not passed
	Fuel    int64  `json:"fuel"`
	Micros  int64  `json:"micros"`
}

// The verdicts of cases.
const (
	Pass = "pass"
	Fail = "fail"
)

// TestReport is the outcome of a run of cases.
type TestReport struct {
	Module string    `json:"module"`
	Digest string    `json:"digest,omitempty"`
	Cases  []Outcome `json:"cases"`
	Passed int       `json:"passed"`
	Failed int       `json:"failed"`
	// Compared is how many cases were put to another policy as well.
	Compared int `json:"compared,omitempty"`
}

// Against is another policy whose answers are compared.
type Against struct {
	Module remote.Module
	Name   string // of the policy; "" for the same as in the case
	Label  string // for people
}

// Test runs the cases. With another policy to compare with, each case fails also where
// that answers otherwise.
func Test(ctx context.Context, m remote.Module, cases []Case, against *Against) *TestReport {
	report := &TestReport{Module: label(m)}
	for _, c := range slices.Concat(conformance(m), cases) {
		o := Outcome{File: c.File, Line: c.Line, Kind: c.Kind.String(), Policy: c.Name, Text: c.Text, Verdict: Pass}
		fuel, begun := m.FuelUsed(), time.Now()
		err := c.run(ctx, m)
		o.Micros, o.Fuel = time.Since(begun).Microseconds(), m.FuelUsed()-fuel
		if against != nil && c.comparable(against) {
			report.Compared++
			if err == nil {
				err = c.compare(ctx, m, against)
			}
		}
		switch {
		case err == nil:
			report.Passed++
		default:
			o.Verdict, o.Cause = Fail, err.Error()
			report.Failed++
		}
		report.Cases = append(report.Cases, o)
	}
	return report
}

func label(m remote.Module) string {
	d := m.Description()
	return d.Name + "@" + d.Version
}

func (c Case) run(ctx context.Context, m remote.Module) error {
	if !offers(m, c.Kind, c.Name) {
		return fmt.Errorf("the module has no %s called %s; it has %s", c.Kind, c.Name, orNone(remote.Names(m, c.Kind)))
	}
	return c.check(ctx, m)
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// comparable tells whether the other policy can be asked the same: it may be of another
// kind.
func (c Case) comparable(against *Against) bool {
	return c.answer != nil && offers(against.Module, c.Kind, cmp.Or(against.Name, c.Name))
}

// compare says how the other policy answers otherwise; nil if it does not.
func (c Case) compare(ctx context.Context, m remote.Module, against *Against) error {
	name := cmp.Or(against.Name, c.Name)
	ours, err := c.answer(ctx, m)
	if err != nil {
		return err
	}
	theirs, err := c.answer(ctx, renamed{against.Module, c.Kind, name})
	if err != nil {
		return fmt.Errorf("%s: %w", against.Label, err)
	}
	if ours == theirs {
		return nil
	}
	if c.Kind != remote.KindAdmission { // whose answers have their words aside
		ours, _ = c.actual(ctx, m)
		theirs, _ = c.actual(ctx, renamed{against.Module, c.Kind, name})
	}
	return fmt.Errorf("%s answers %s\nand the module %s", against.Label, theirs, ours)
}

// edit is a text in the place of a part of another.
type edit struct {
	at   span
	text string
}

// Update writes into the files of the cases what the module answers, where that is
// something else. It returns how many cases changed. One that can be no vector, as a
// fault, is an error, and its file stays as it was.
func Update(ctx context.Context, m remote.Module, cases []Case) (changed int, err error) {
	edits := map[string][]edit{}
	for _, c := range cases {
		if c.actual == nil || !offers(m, c.Kind, c.Name) || c.check(ctx, m) == nil {
			continue
		}
		text, err := c.actual(ctx, m)
		if err != nil {
			return 0, fmt.Errorf("%s:%d: %w", c.File, c.Line, err)
		}
		edits[c.File] = append(edits[c.File], edit{c.at, text})
		changed++
	}
	var errs []error
	for file, list := range edits {
		errs = append(errs, rewrite(file, list))
	}
	return changed, errors.Join(errs...)
}

// rewrite makes edits in a file, from its end on: what is before them stays in place.
func rewrite(file string, edits []edit) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(b.at.from, a.at.from) })
	for _, e := range edits {
		text = slices.Concat(text[:e.at.from], []byte(e.text), text[e.at.to:])
	}
	return os.WriteFile(file, text, 0o644)
}

// replaceLines puts lines in the place of those with their numbers. One that is itself
// of several lines, as a command of a script with what came of it, stands for all up to
// the next empty one.
func replaceLines(text []byte, news map[int]string) []byte {
	var out bytes.Buffer
	skipping := false
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if skipping && strings.TrimSpace(line) != "" {
			continue
		}
		skipping = false
		if text, ok := news[n]; ok {
			out.WriteString(text + "\n")
			skipping = strings.Contains(text, "\n")
			continue
		}
		out.WriteString(line)
	}
	return out.Bytes()
}

// Add makes cases of a replay: one for each sort of change, or one that passed.
func (r *TestReport) Add(replay *ReplayReport) {
	outcome := Outcome{File: replay.Recording, Kind: "recording", Verdict: Pass, Fuel: replay.Now.Fuel, Micros: replay.Now.Micros}
	outcome.Text = replay.Summary()
	for _, c := range replay.Changes {
		outcome.Cause += fmt.Sprintf("%d times %s %s of %s: was %s, now %s\n", c.Count, c.Policy, c.Item, c.App, c.Was, c.Now)
	}
	if replay.Calls == 0 {
		outcome.Cause = "there is nothing to compare: the recording has no calls"
	}
	if replay.Changed > 0 || replay.Calls == 0 {
		outcome.Verdict = Fail
		r.Failed++
	} else {
		r.Passed++
	}
	r.Cases = append(r.Cases, outcome)
}
