package upgrades_test

import (
	"context"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// world is one app during an upgrade, with a host as plain as can be: it asks,
// cuts the answer to the envelope and carries it out at once.
type world struct {
	t        rapid.TB
	app      *spec.App
	envelope deployment.Envelope
	upgrade  sdk.PreparedUpgrade
	exact    bool // the strategy answers nothing that has to be cut

	memory     []byte
	promotions int
	paused     int    // 1 while it is
	reason     string // of the last pause
	watched    bool   // it is asked although it is paused
	alarm      int    // 1 when it is to be asked after a time
	after      uint64 // that time, in milliseconds
	millis     uint64
	rolledBack bool
	undoes     bool

	healthy, unhealthy, dying int // old ones
	young                     int // new ones that are not healthy yet
	warm                      int // healthy, not ready
	ready                     int // healthy and ready
	sick                      int // were ready and are not healthy any more

	// Places of a resident app that an old instance has left; a new instance
	// takes one of them if it can.
	vacant, restarted int
}

func newWorld(t rapid.TB, app *spec.App) *world {
	return &world{t: t, app: app, envelope: deployment.EnvelopeOf(app)}
}

func strategy(t rapid.TB, name string, app *spec.App) (sdk.PreparedUpgrade, error) {
	for _, u := range upgrades.All() {
		if slices.Contains(u.Strategies(), name) {
			return u.Prepare(context.Background(), sdk.UpgradeSpec{
				Strategy: name, App: sdk.AppFacts{Labels: app.Labels},
				MinimumHealthCapacity: app.UpgradeStrategy.MinimumHealthCapacity, MaximumOverCapacity: app.UpgradeStrategy.MaximumOverCapacity,
			})
		}
	}
	t.Fatalf("no strategy %s", name)
	return nil, nil
}

func (w *world) old() int   { return w.healthy + w.unhealthy + w.dying }
func (w *world) fresh() int { return w.young + w.warm + w.ready + w.sick }

func (w *world) state() sdk.UpgradeState {
	return sdk.UpgradeState{
		Instances:             uint32(w.app.Instances),
		MinimumHealthCapacity: w.app.UpgradeStrategy.MinimumHealthCapacity,
		MaximumOverCapacity:   w.app.UpgradeStrategy.MaximumOverCapacity,
		MinHealthy:            uint32(w.envelope.MinHealthy),
		MaxTotal:              uint32(w.envelope.MaxTotal),
		Old:                   uint32(w.old()),
		OldDying:              uint32(w.dying),
		OldHealthy:            uint32(w.healthy),
		New:                   uint32(w.fresh()),
		NewHealthy:            uint32(w.warm + w.ready),
		NewReady:              uint32(w.ready + w.sick),
		Millis:                w.millis,
		Memory:                w.memory,
		Promotions:            uint32(w.promotions),
		Undoes:                w.undoes,
	}
}

func (w *world) done() bool {
	return w.rolledBack || w.old() == 0 && w.ready+w.sick == w.app.Instances
}

// promote lets a paused upgrade go on.
func (w *world) promote() {
	w.promotions++
	w.watched = false
}

// pass lets the time pass after which the strategy wanted to be asked.
func (w *world) pass() { w.millis += w.after }

// heed takes the outcome of a strategy that can be believed.
func (w *world) heed(answer *sdk.UpgradeStep) {
	w.memory = answer.Memory
	w.paused, w.alarm, w.after = 0, 0, answer.AskAfterMillis
	if w.after > 0 {
		w.alarm = 1
	}
	switch answer.Outcome {
	case sdk.Pause:
		w.paused, w.reason, w.watched = 1, answer.Reason, w.after > 0
	case sdk.RollBack:
		w.rolledBack, w.reason = true, answer.Reason
	case sdk.Proceed:
	}
}

// step asks once. It checks by itself that the envelope was kept, from what is
// there afterwards.
func (w *world) step() (killed, started int) {
	if w.paused > 0 && !w.watched || w.rolledBack {
		return 0, 0
	}
	s := w.state()
	answer, err := w.upgrade.Next(context.Background(), s)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.exact {
		w.heed(&answer)
	}
	allowed := deployment.Cut(&s, &answer)
	killed, started = allowed.KillHealthy+allowed.KillUnhealthy, allowed.Start
	if w.exact && (killed != int(answer.Kill) || started != int(answer.Start)) {
		w.t.Fatalf("%+v of the answer %+v is allowed in %s", allowed, answer, w)
	}
	before := w.String()
	w.healthy -= allowed.KillHealthy
	w.unhealthy -= allowed.KillUnhealthy
	w.dying += killed
	w.young += started
	if w.app.Resident() {
		again := min(started, w.vacant)
		w.vacant -= again
		w.restarted += again
	}
	switch {
	case min(killed, started, allowed.KillHealthy, w.healthy, w.unhealthy) < 0,
		allowed.KillHealthy > 0 && w.unhealthy > 0,
		allowed.KillHealthy > 0 && w.healthy+w.warm+w.ready < w.envelope.MinHealthy,
		started > 0 && w.old()+w.fresh() > w.envelope.MaxTotal,
		started > 0 && w.fresh() > w.app.Instances:
		w.t.Fatalf("%+v broke the envelope %+v: from %s to %s", allowed, w.envelope, before, w)
	}
	return killed, started
}

// settle asks until there is nothing to do, as a host does that asks whenever
// something has changed.
func (w *world) settle() (killed, started int) {
	for range 2*(w.old()+w.app.Instances) + 2 {
		k, s := w.step()
		if k == 0 && s == 0 {
			return killed, started
		}
		killed, started = killed+k, started+s
	}
	w.t.Fatalf("there is no end to the steps in %s", w)
	return 0, 0
}

// deaths confirms that instances being killed are dead, one after the other.
func (w *world) deaths(n int) (killed, started int) {
	return w.each(n, &w.dying, w.leave)
}

// leave is what happens to the place of an old instance that died.
func (w *world) leave() {
	if w.app.Resident() {
		w.vacant++
	}
}

// ripen makes new instances healthy and ready, one after the other.
func (w *world) ripen(n int) (killed, started int) {
	return w.each(n, &w.young, func() { w.ready++ })
}

// each moves n out of a count, and settles after each.
func (w *world) each(n int, from *int, to func()) (killed, started int) {
	for range n {
		if *from == 0 {
			w.t.Fatalf("there are not that many: %s", w)
		}
		*from--
		to()
		k, s := w.settle()
		killed, started = killed+k, started+s
	}
	return killed, started
}

func (w *world) String() string {
	return fmt.Sprintf("old: %d healthy, %d unhealthy, %d dying; new: %d young, %d warm, %d ready, %d sick",
		w.healthy, w.unhealthy, w.dying, w.young, w.warm, w.ready, w.sick)
}
