package author

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// A script is a whole upgrade, event by event: commands, each with what comes of it
// below a line of dashes. A command is the first line of its block.
//
//	upgrade n=N min=M over=O [old=N] [unhealthy=0] [new=0] [resident] [undoes] [strategy=NAME] [KEY=VALUE …]
//	            an app of N instances with the two capacities begins an upgrade: so
//	            many old ones, some of them unhealthy, and so many new and ready. What
//	            is in upper case is a label of the app.
//	run …       the same, and on to the end
//	rest        on to the end; a pause is promoted
//	deaths N    N kills are confirmed
//	healthy N   N new instances get healthy and ready
//	warms N     N new instances get healthy, and are not ready yet
//	readies N   N of these get ready
//	sickens N   N new instances that were ready lose their health
//	fails N     N new instances end before they are healthy
//	falters N   N old instances lose their health
//	recovers N  N unhealthy old instances are healthy again
//	dies N      N unhealthy old instances end without having been killed
//	promote     somebody lets it go on
//	after 10m   so much time has passed, and the strategy is asked
//	at TIME     it is that time of day (RFC 3339), and the strategy is asked
//
// K is for kills, L for launches: what came of a command, whose events come one by one.
// After run and rest "-4⇒L4" are four deaths and what came of them, "+4⇒K3" four new
// ones that got ready.

// isScript tells a file of scripts from one of vectors.
func isScript(text []byte) bool { return bytes.Contains(text, []byte("\n----\n")) }

// block is one command with what it is expected to bring.
type block struct {
	line    int
	command string
	want    string
}

// blocks reads a script.
func blocks(text []byte) ([]block, error) {
	var list []block
	var now *block
	answering := false
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case line == "":
			now, answering = nil, false
		case now == nil && line[0] == '#':
		case now == nil:
			list = append(list, block{line: n, command: line})
			now = &list[len(list)-1]
		case line == "----" && !answering:
			answering = true
		case answering:
			now.want += line + "\n"
		default:
			return nil, fmt.Errorf("line %d: expected ---- behind the command %q", n, now.command)
		}
	}
	return list, nil
}

// scriptCases makes a case of each upgrade in the script, up to the next one.
func scriptCases(text []byte, envelope Envelope) ([]Case, error) {
	list, err := blocks(text)
	if err != nil {
		return nil, err
	}
	var cases []Case
	for len(list) > 0 {
		end := 1
		for end < len(list) && !begins(list[end].command) {
			end++
		}
		script := list[:end]
		list = list[end:]
		world, err := parseWorld(script[0].command, envelope)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", script[0].line, err)
		}
		cases = append(cases, Case{
			Line: script[0].line, Kind: remote.KindUpgrade, Name: world.strategy, Text: script[0].command,
			check: func(ctx context.Context, m remote.Module) error {
				results, err := play(ctx, m, script, envelope)
				if err == nil {
					err = Differs(results)
				}
				return err
			},
		})
	}
	return cases, nil
}

func begins(command string) bool {
	return strings.HasPrefix(command, "upgrade ") || strings.HasPrefix(command, "run ")
}

// SimStep is one command of a simulation.
type SimStep struct {
	Line    int    `json:"line"`
	Command string `json:"command"`
	Got     string `json:"got"`
	Want    string `json:"want,omitempty"`
	Differs bool   `json:"differs,omitempty"`
}

// Differs says where a simulation went otherwise than expected first; nil if it did not.
func Differs(steps []SimStep) error {
	for _, s := range steps {
		if s.Differs {
			return fmt.Errorf("line %d: %s: got %q, want %q", s.Line, s.Command, strings.TrimSpace(s.Got), strings.TrimSpace(s.Want))
		}
	}
	return nil
}

// Simulate runs a script, or several in one file. A command with no expectation is
// never wrong.
func Simulate(ctx context.Context, m remote.Module, text []byte, envelope Envelope) ([]SimStep, error) {
	list, err := blocks(text)
	if err != nil {
		return nil, err
	}
	return play(ctx, m, list, envelope)
}

func play(ctx context.Context, m remote.Module, list []block, envelope Envelope) ([]SimStep, error) {
	var steps []SimStep
	var w *world
	defer func() { w.end() }()
	for _, b := range list {
		var got string
		var err error
		if begins(b.command) {
			w.end()
			w, got, err = begin(ctx, m, b.command, envelope)
		} else if w == nil {
			err = fmt.Errorf("expected upgrade or run first")
		} else {
			got, err = w.command(ctx, b.command)
		}
		if err != nil {
			return steps, fmt.Errorf("line %d: %s: %w", b.line, b.command, err)
		}
		steps = append(steps, SimStep{b.line, b.command, got, b.want, b.want != "" && got != b.want})
	}
	return steps, nil
}

// Script is the text of a simulation with what came of each command.
func Script(steps []SimStep) string {
	var out strings.Builder
	for i, s := range steps {
		if i > 0 {
			out.WriteString("\n")
		}
		out.WriteString(s.Command + "\n----\n" + s.Got)
	}
	return out.String()
}

// Rewritten is the script with what came in the place of what was expected.
func Rewritten(text []byte, steps []SimStep) []byte {
	got := map[int]string{}
	for _, s := range steps {
		got[s.Line] = s.Command + "\n----\n" + strings.TrimRight(s.Got, "\n")
	}
	return replaceLines(text, got)
}

// parseWorld reads the command that begins an upgrade.
func parseWorld(command string, envelope Envelope) (*world, error) {
	words := strings.Fields(command)
	w := &world{envelope: envelope, strategy: "rolling", labels: map[string]string{}, minimum: 1}
	old := -1
	numbers := map[string]*int{"n": &w.instances, "old": &old, "unhealthy": &w.unhealthy, "new": &w.ready}
	fractions := map[string]*float64{"min": &w.minimum, "over": &w.over}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch {
		case numbers[key] != nil:
			*numbers[key], err = number(value)
		case fractions[key] != nil:
			*fractions[key], err = strconv.ParseFloat(value, 64)
		case key == "strategy":
			w.strategy = value
		case word == "resident":
			w.resident = true
		case word == "undoes":
			w.undoes = true
		case key != strings.ToLower(key):
			w.labels[key] = value
		default:
			err = fmt.Errorf("no such argument")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", word, err)
		}
	}
	if old < 0 {
		old = w.instances
	}
	if w.unhealthy > old {
		return nil, fmt.Errorf("unhealthy=%d: there are %d old ones", w.unhealthy, old)
	}
	w.healthy = old - w.unhealthy
	w.minHealthy, w.maxTotal = envelope.Bounds(w.instances, w.minimum, w.over, w.resident)
	return w, nil
}

// most is how many instances, and events of one command, a script may have.
const most = 100_000

func number(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("expected a whole number up to %d", most)
	}
	return n, nil
}

// begin starts an upgrade and asks for the first steps.
func begin(ctx context.Context, m remote.Module, command string, envelope Envelope) (*world, string, error) {
	w, err := parseWorld(command, envelope)
	if err != nil {
		return nil, "", err
	}
	if !offers(m, remote.KindUpgrade, w.strategy) {
		return nil, "", fmt.Errorf("the module has no upgrade called %s; it has %s", w.strategy, orNone(remote.Names(m, remote.KindUpgrade)))
	}
	w.upgrade, err = remote.Upgrade(m).Prepare(ctx, sdk.UpgradeSpec{
		Strategy: w.strategy, App: sdk.AppFacts{ID: "/app", Instances: uint32(w.instances), Labels: w.labels},
		MinimumHealthCapacity: w.minimum, MaximumOverCapacity: w.over,
	})
	if err != nil {
		return nil, "", err
	}
	out := fmt.Sprintf("at least %d healthy, at most %d in all\n", w.minHealthy, w.maxTotal)
	killed, started, err := w.settle(ctx)
	if err != nil {
		return w, "", err
	}
	out += fmt.Sprintf("K%d L%d", killed, started)
	if w.paused {
		out += " paused: " + w.reason
	}
	if strings.HasPrefix(command, "run ") {
		rest, err := w.rest(ctx)
		if err != nil {
			return w, "", err
		}
		out += rest
	}
	return w, out + "\n", nil
}

func (w *world) command(ctx context.Context, command string) (string, error) {
	words := strings.Fields(command)
	if words[0] == "rest" {
		rest, err := w.rest(ctx)
		return strings.TrimPrefix(rest, "; ") + "\n", err
	}
	killed, started, err := w.event(ctx, words)
	return w.outcome(killed, started, "nothing") + "\n", err
}

func (w *world) event(ctx context.Context, words []string) (killed, started int, err error) {
	if words[0] == "promote" {
		if !w.paused {
			return 0, 0, fmt.Errorf("it is not paused")
		}
		return w.promote(ctx)
	}
	if len(words) != 2 {
		return 0, 0, fmt.Errorf("expected one argument")
	}
	switch words[0] {
	case "after":
		passed, err := time.ParseDuration(words[1])
		if err != nil || passed < 0 {
			return 0, 0, fmt.Errorf("expected a time such as 10m")
		}
		w.millis += uint64(passed.Milliseconds())
		return w.settle(ctx)
	case "at":
		at, err := time.Parse(time.RFC3339, words[1])
		if err != nil {
			return 0, 0, fmt.Errorf("expected a time such as 2026-01-31T09:00:00Z")
		}
		w.began = at.UnixMilli() - int64(w.millis)
		return w.settle(ctx)
	}
	events := w.events()
	i := slices.IndexFunc(events, func(e event) bool { return e.name == words[0] })
	if i < 0 {
		return 0, 0, fmt.Errorf("no such command")
	}
	n, err := number(words[1])
	if err != nil {
		return 0, 0, err
	}
	return w.each(ctx, n, events[i].from, events[i].to)
}

// event moves an instance from one count to another.
type event struct {
	name string
	from *int
	to   func()
}

func (w *world) events() []event {
	add := func(count *int) func() { return func() { *count++ } }
	return []event{
		{"deaths", &w.dying, w.leave},
		{"healthy", &w.young, add(&w.ready)},
		{"warms", &w.young, add(&w.warm)},
		{"readies", &w.warm, add(&w.ready)},
		{"sickens", &w.ready, add(&w.sick)},
		{"fails", &w.young, func() {}},
		{"falters", &w.healthy, add(&w.unhealthy)},
		{"recovers", &w.unhealthy, add(&w.healthy)},
		{"dies", &w.unhealthy, w.leave},
	}
}
