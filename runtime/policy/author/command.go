package author

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

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
			*fractions[key], err = fraction(value)
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

// fraction is a capacity, as apps may have it.
func fraction(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0 && f <= 1) { // NaN is neither
		return 0, errors.New("expected a number from 0 to 1")
	}
	return f, nil
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

// known says what is wrong with a command other than the first; nil for nothing.
func known(command string) error {
	words := strings.Fields(command)
	if words[0] == "rest" || words[0] == "promote" {
		return nil
	}
	if len(words) != 2 {
		return fmt.Errorf("expected one argument")
	}
	switch words[0] {
	case "after":
		if passed, err := time.ParseDuration(words[1]); err != nil || passed < 0 {
			return fmt.Errorf("expected a time such as 10m")
		}
		return nil
	case "at":
		if _, err := time.Parse(time.RFC3339, words[1]); err != nil {
			return fmt.Errorf("expected a time such as 2026-01-31T09:00:00Z")
		}
		return nil
	}
	if !slices.ContainsFunc(new(world).events(), func(e event) bool { return e.name == words[0] }) {
		return fmt.Errorf("no such command")
	}
	_, err := number(words[1])
	return err
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
	if err := known(strings.Join(words, " ")); err != nil {
		return 0, 0, err
	}
	switch words[0] {
	case "after":
		passed, err := time.ParseDuration(words[1])
		if err != nil {
			return 0, 0, err
		}
		w.millis += uint64(passed.Milliseconds())
		return w.settle(ctx)
	case "at":
		at, err := time.Parse(time.RFC3339, words[1])
		if err != nil {
			return 0, 0, err
		}
		w.began = at.UnixMilli() - int64(w.millis)
		return w.settle(ctx)
	}
	events := w.events()
	i := slices.IndexFunc(events, func(e event) bool { return e.name == words[0] }) // there is one
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
