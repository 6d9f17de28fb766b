package upgrades_test

import (
	"context"
	"flag"
	"testing"

	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// Whatever happens in whatever order, the strategies stay within the envelope,
// which world checks; and when all that is killed dies and all that is started
// gets healthy and ready, the upgrade ends.
func TestUpgradesEnd(t *testing.T) {
	fixSeed(t)
	var names []string
	for _, u := range upgrades.All() {
		names = append(names, u.Strategies()...)
	}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		drawSettings(t, w)
		prepared, err := strategy(t, rapid.SampledFrom(names).Draw(t, "strategy"), w.app)
		if err != nil {
			return // blue-green without room for it
		}
		w.upgrade, w.exact = prepared, true
		w.settle()
		for range rapid.IntRange(0, 20).Draw(t, "disturbances") {
			w.happen(t, append(w.progress(), w.disturbances()...))
			w.settle()
		}
		for i := 0; w.happen(t, w.progress()); i++ {
			w.settle()
			if w.done() {
				break
			}
			if i > 6*(w.old()+w.app.Instances)+100 {
				t.Fatalf("it goes on for ever: %s", w)
			}
		}
		if !w.done() {
			t.Fatalf("stuck: %s, envelope %+v", w, w.envelope)
		}
	})
}

// Whatever a strategy answers, the envelope holds.
func TestNonsenseStaysInTheEnvelope(t *testing.T) {
	fixSeed(t)
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.upgrade = nonsense{t}
		for range rapid.IntRange(1, 50).Draw(t, "events") {
			w.step()
			w.happen(t, append(w.progress(), w.disturbances()...))
		}
	})
}

// nonsense answers anything.
type nonsense struct{ t *rapid.T }

func (n nonsense) Close() {}

func (n nonsense) Next(context.Context, sdk.UpgradeState) (sdk.UpgradeStep, error) {
	number := rapid.OneOf(rapid.Uint32Range(0, 20), rapid.Uint32())
	return sdk.UpgradeStep{
		Start: number.Draw(n.t, "start"), Kill: number.Draw(n.t, "kill"),
		Outcome: sdk.UpgradeOutcome(max(0, rapid.IntRange(-5, 5).Draw(n.t, "outcome"))),
	}, nil
}

// drawWorld is an app at any moment of an upgrade, perhaps one that begins with
// more instances than are wanted.
func drawWorld(t *rapid.T) *world {
	app := &spec.App{Instances: rapid.IntRange(1, 12).Draw(t, "n")}
	fraction := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 0.5, 1}))
	app.UpgradeStrategy.MinimumHealthCapacity = fraction.Draw(t, "min")
	if rapid.Bool().Draw(t, "resident") {
		app.Container = &spec.Container{Volumes: []spec.Volume{{Persistent: &spec.PersistentVolume{}}}}
	} else {
		app.UpgradeStrategy.MaximumOverCapacity = fraction.Draw(t, "over")
	}
	w := newWorld(t, app)
	w.healthy = rapid.IntRange(0, 12).Draw(t, "old healthy")
	w.unhealthy = rapid.IntRange(0, 6).Draw(t, "old unhealthy")
	w.dying = rapid.IntRange(0, 3).Draw(t, "old dying")
	for _, count := range []*int{&w.young, &w.warm, &w.ready, &w.sick} {
		*count = rapid.IntRange(0, app.Instances-w.fresh()).Draw(t, "new")
	}
	return w
}

// drawSettings gives the app labels, and may have the upgrade undo another.
func drawSettings(t *rapid.T, w *world) {
	w.app.Labels = map[string]string{}
	for _, x := range []struct {
		label  string
		values []string
	}{
		{upgrades.CanaryShareLabel, []string{"", "1%", "50%", "100%", "3"}},
		{upgrades.CanaryBakeLabel, []string{"", "1m"}},
		{upgrades.CanaryTimeoutLabel, []string{"", "1m", "10"}},
		{upgrades.BlueGreenPauseLabel, []string{"", "true", "False"}},
	} {
		if text := rapid.SampledFrom(x.values).Draw(t, x.label); text != "" {
			w.app.Labels[x.label] = text
		}
	}
	w.undoes = rapid.IntRange(0, 4).Draw(t, "undoes") == 0
}

// move is something that happens: to one instance, which leaves one count for
// another, or for nothing, or to the upgrade.
type move struct {
	what     string
	from, to *int
	do       func() // nil: no more than that
}

// progress is what has to happen for an upgrade to end.
func (w *world) progress() []move {
	return []move{
		{"an old one dies that was killed", &w.dying, nil, nil},
		{"a new one gets healthy", &w.young, &w.warm, nil},
		{"a new one gets ready", &w.warm, &w.ready, nil},
		{"a new one is healthy again", &w.sick, &w.ready, nil},
		{"somebody promotes", &w.paused, nil, w.promote},
		{"the time has passed", &w.alarm, nil, w.pass},
	}
}

// disturbances is what may happen besides.
func (w *world) disturbances() []move {
	return []move{
		{"an old one loses its health", &w.healthy, &w.unhealthy, nil},
		{"an old one is healthy again", &w.unhealthy, &w.healthy, nil},
		{"an old one dies", &w.healthy, nil, nil},
		{"an unhealthy old one dies", &w.unhealthy, nil, nil},
		{"a new one loses its health", &w.ready, &w.sick, nil},
		{"a new one loses its health before it is ready", &w.warm, &w.young, nil},
		{"a new one starts again", &w.ready, &w.young, nil},
		{"an unhealthy new one starts again", &w.sick, &w.young, nil},
		{"a new one is gone", &w.ready, nil, nil},
		{"a new one that is not healthy is gone", &w.young, nil, nil},
	}
}

// happen draws one of the moves that can be; false when none can.
func (w *world) happen(t *rapid.T, moves []move) bool {
	var possible []move
	for _, m := range moves {
		if *m.from > 0 {
			possible = append(possible, m)
		}
	}
	if len(possible) == 0 {
		return false
	}
	m := possible[rapid.IntRange(0, len(possible)-1).Draw(t, "event")]
	t.Log(m.what)
	*m.from--
	if m.to != nil {
		*m.to++
	}
	if m.do != nil {
		m.do()
	}
	return true
}

// fixSeed makes rapid draw the same in every run, unless a seed was given.
func fixSeed(t *testing.T) {
	for name, value := range map[string]string{"rapid.seed": "1", "rapid.nofailfile": "true"} {
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			if err := flag.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
}
