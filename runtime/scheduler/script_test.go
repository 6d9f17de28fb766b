package scheduler

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// TestScripts runs the scripts under testdata, one behaviour per file. A command
// is one event and its output the effects of the batch that it makes. Run
// "make rewrite" to write the outputs anew, and commit only what you understand.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if filepath.Ext(path) != ".txt" {
			return
		}
		w := newWorld()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := w.run(d)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			return out
		})
	})
}

// world is a core with the things around it that scripts speak of by name.
type world struct {
	cfg      Config
	s        *Scheduler
	now      spec.Timestamp
	start    spec.Timestamp
	records  map[string][]byte
	names    map[UUID]string
	perApp   map[spec.PathID]int
	match    *placement.Request
	asks     []UpgradeAsk
	strategy sdk.Upgrade // answers asks at once; nil: the script does
	rule     sdk.Health  // answers healthAsks at once; nil: the script does

	healthAsks []HealthAsk
	probes     []Probing // of the last batch
	lastCall   []Call
	notices    []Notice // of the last batch
	requests   RequestID
	plans      int
	terms      byte
	basis      Basis                       // of the last rehearsal
	reviewed   spec.Timestamp              // version of the tree at the last review
	around     func(ev Event, step func()) // what a test does around each event; nil: nothing
	holdings   map[UUID]launch.Holding     // that were ever reserved, by instance
}

func newWorld() *world {
	start, _ := spec.ParseTimestamp("2026-01-01T00:00:00Z")
	w := &world{
		cfg: Config{Seed: [16]byte{1}, Principal: "pacer"}, now: start, start: start,
		holdings: map[UUID]launch.Holding{}, records: map[string][]byte{}, names: map[UUID]string{}, perApp: map[spec.PathID]int{},
	}
	w.s = New(w.cfg)
	w.chooseRule("consecutive")
	return w
}

// namesOf gives instances the short names of scripts: "/web.1" is the first
// instance of /web that was ever seen.
func (w *world) namesOf() Names {
	return Names{Start: w.start, Instance: func(app spec.PathID, id UUID) string {
		if w.names[id] == "" {
			w.perApp[app]++
			w.names[id] = fmt.Sprintf("%s.%d", app, w.perApp[app])
		}
		return w.names[id]
	}}
}

func (w *world) run(d *datadriven.TestData) (string, error) {
	switch d.Cmd {
	case "at":
		return w.at(d)
	case "state":
		w.nameAll()
		return w.s.Text(w.namesOf()), nil
	case "config":
		return w.configure(args(d))
	case "hold":
		w.cfg.OfferHold = -1
		w.s = New(w.cfg)
		return "ok\n", nil
	case "ports":
		return w.servicePorts(), nil
	case "strategy":
		for _, u := range upgrades.All() {
			if u.Strategies()[0] == d.CmdArgs[0].Key {
				w.strategy = u
			}
		}
		return "ok\n", nil
	case "rule":
		w.chooseRule(d.CmdArgs[0].Key)
		return "ok\n", nil
	case "definitions":
		return w.definitionsText(), nil
	case "restart":
		return w.restart()
	case "fail":
		return w.fail(d)
	case "records":
		keys := make([]string, 0, len(w.records))
		for k := range w.records {
			keys = append(keys, w.shortKey(k))
		}
		slices.Sort(keys)
		return strings.Join(keys, "\n") + "\n", nil
	}
	ev, err := w.event(d)
	if err != nil {
		return "", err
	}
	w.stepWith(ev)
	return w.drain(true) + w.answerAsks(), nil
}

// stepWith takes an event in, with what the test does around it.
func (w *world) stepWith(ev Event) {
	if w.around != nil {
		w.around(ev, func() { w.s.Step(w.now, ev) })
		return
	}
	w.s.Step(w.now, ev)
}

// answerAsks has the strategy of the script answer until nothing is asked.
func (w *world) answerAsks() string {
	var out strings.Builder
	out.WriteString(w.judge())
	for w.strategy != nil && len(w.asks) > 0 {
		ask := w.asks[0]
		w.asks = w.asks[1:]
		prepared, err := w.strategy.Prepare(context.Background(), sdk.UpgradeSpec{Strategy: w.strategy.Strategies()[0]})
		if err != nil {
			return err.Error()
		}
		step, err := prepared.Next(context.Background(), ask.State)
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&out, "answer %s start %d kill %d\n", ask.App.ID, step.Start, step.Kill)
		w.s.Step(w.now, UpgradeStepped{Number: ask.Number, App: ask.App.ID, Step: step})
		if text := w.drain(true); text != "nothing\n" {
			out.WriteString(text)
		}
		out.WriteString(w.judge())
	}
	return out.String()
}

// configure starts over with other settings.
func (w *world) configure(a map[string]string) (string, error) {
	w.cfg.MaxDeployments = number(a["max-deployments"], 0)
	if a["uncovered"] != "" {
		w.cfg.Uncovered = func(app *spec.App) []string {
			if app.TTY != nil {
				return []string{"tty"}
			}
			return nil
		}
	}
	w.cfg.MaxVersions = number(a["max-versions"], 0)
	if a["no-principal"] != "" {
		w.cfg.Principal = ""
	}
	first, last, _ := strings.Cut(a["ports"], "-")
	w.cfg.FirstPort, w.cfg.LastPort = number(first, 0), number(last, 0)
	w.s = New(w.cfg)
	return "ok\n", nil
}

// servicePorts lists the apps' service ports.
func (w *world) servicePorts() string {
	var b strings.Builder
	for _, a := range w.s.appsInOrder() {
		fmt.Fprintf(&b, "%s", a.spec.ID)
		for _, p := range a.spec.PortDefinitions {
			fmt.Fprintf(&b, " %d", p.Port)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// shortKey names the instance of a key as scripts do.
func (w *world) shortKey(k string) string {
	if id, err := ParseUUID(strings.TrimPrefix(k, instancePrefix)); err == nil && strings.HasPrefix(k, instancePrefix) {
		return instancePrefix + w.names[id]
	}
	return w.namesOf().versioned(k)
}

// nameAll names every instance in the order of creation.
func (w *world) nameAll() {
	for _, a := range w.s.appsInOrder() {
		for _, m := range a.members {
			if m.inst != nil {
				w.namesOf().Instance(a.spec.ID, m.inst.ID)
			}
		}
	}
}

// drain ends the batch and shows its effects. When the save fails nothing of it
// happens and the term is over.
func (w *world) drain(saved bool) string {
	w.nameAll()
	e := w.s.Effects(w.now)
	w.s.Snapshot()
	if !saved {
		return "save failed, term over\n"
	}
	for _, r := range e.Save {
		if r.Value == nil {
			delete(w.records, r.Key)
		} else {
			w.records[r.Key] = r.Value
		}
	}
	if e.Match != nil {
		w.match = e.Match
	}
	w.lastCall, w.notices = e.Calls, e.Notices
	w.noteHoldings(e.Calls)
	w.asks = append(w.asks, e.Upgrades...)
	w.healthAsks = append(w.healthAsks, e.Health...)
	w.probes = e.Probes
	for _, r := range e.Replies {
		if r.Rehearsal != nil {
			w.basis = r.Rehearsal.Basis
		}
	}
	if out := e.Text(w.s, w.namesOf()); out != "" {
		return out
	}
	return "nothing\n"
}

// at moves the clock: "at +30s" is 30 s after the start. Alarms on the way ring.
func (w *world) at(d *datadriven.TestData) (string, error) {
	after, err := time.ParseDuration(strings.TrimPrefix(d.CmdArgs[0].Key, "+"))
	if err != nil {
		return "", err
	}
	end := w.start.Add(after)
	var out strings.Builder
	for wake := w.s.alarms.next(); wake != 0 && wake <= end; wake = w.s.alarms.next() {
		w.now = max(wake, w.now)
		w.s.Step(w.now, Tick{})
		if text := w.drain(true) + w.answerAsks(); text != "nothing\n" {
			fmt.Fprintf(&out, "%s\n%s", w.namesOf().time(w.now), text)
		}
	}
	w.now = end
	if out.Len() == 0 {
		return "nothing\n", nil
	}
	return out.String(), nil
}

// restart drops the memory and reloads the records, as the next leader does.
func (w *world) restart() (string, error) {
	var records []Record
	for k, v := range w.records {
		records = append(records, Record{Key: k, Value: v})
	}
	w.terms++
	w.cfg.Seed[1] = w.terms
	s, err := Restore(w.cfg, w.now, records)
	if err != nil {
		return "", err
	}
	w.s, w.match, w.asks, w.healthAsks = s, nil, nil, nil
	return w.drain(true) + w.answerAsks(), nil
}

// fail makes the effect of the command in its input not happen.
func (w *world) fail(d *datadriven.TestData) (string, error) {
	switch d.CmdArgs[0].Key {
	case "save":
		inner, err := w.parse(d)
		if err != nil {
			return "", err
		}
		ev, err := w.event(inner)
		if err != nil {
			return "", err
		}
		w.s.Step(w.now, ev)
		return w.drain(false), nil
	case "call":
		for _, c := range w.lastCall {
			if strings.HasPrefix(callText(w.s, c, w.namesOf()), d.CmdArgs[1].Key) {
				w.s.Step(w.now, CallFailed{Call: c, Cause: "connection refused"})
				return w.drain(true), nil
			}
		}
		return "", fmt.Errorf("the last batch had no call %s", d.CmdArgs[1].Key)
	case "match":
		e := Matched{MatchedOffers: w.match.Offers} // as the driver makes it
		for _, wanted := range w.match.Wanted {
			w.refuse(&e, []string{string(wanted.App.ID)}, errors.New("the match panicked"))
		}
		w.s.Step(w.now, e)
		return w.drain(true), nil
	}
	return "", fmt.Errorf("fail what?")
}

// parse reads the one command in a command's input.
func (w *world) parse(d *datadriven.TestData) (*datadriven.TestData, error) {
	line := strings.TrimSpace(d.Input)
	cmd, args, err := datadriven.ParseLine(line)
	return &datadriven.TestData{Pos: d.Pos, Cmd: cmd, CmdArgs: args}, err
}

// args are a command's arguments by key; flags have the value "true".
func args(d *datadriven.TestData) map[string]string {
	out := map[string]string{}
	for _, a := range d.CmdArgs {
		v := strings.Join(a.Vals, ",")
		if v == "" {
			v = "true"
		}
		out[a.Key] = v
	}
	return out
}

func fraction(s string, def float64) float64 {
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return f
	}
	return def
}

func number(s string, def int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return def
}
