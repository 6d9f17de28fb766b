package author

import (
	"context"
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// world is one app during an upgrade, with a host as plain as can be: it asks, cuts
// the answer to the envelope and carries it out at once. There is no clock in it, so
// the same script gives the same course.
type world struct {
	envelope   Envelope
	upgrade    sdk.PreparedUpgrade
	strategy   string
	labels     map[string]string
	instances  int
	minimum    float64
	over       float64
	resident   bool
	undoes     bool // it undoes another upgrade
	minHealthy int
	maxTotal   int

	healthy, unhealthy, dying int // old ones
	young                     int // new ones that are not healthy yet
	warm                      int // healthy, not ready
	ready                     int // healthy and ready
	sick                      int // were ready and are not healthy any more
	vacant, restarted         int // places of a resident app that an old instance has left

	millis     uint64
	began      int64 // milliseconds since 1970; 0: not known
	memory     []byte
	promotions uint32
	paused     bool
	watched    bool // it wants to be asked although it is paused
	rolledBack bool
	reason     string
}

func (w *world) end() {
	if w != nil && w.upgrade != nil {
		w.upgrade.Close()
		w.upgrade = nil
	}
}

func (w *world) old() int   { return w.healthy + w.unhealthy + w.dying }
func (w *world) fresh() int { return w.young + w.warm + w.ready + w.sick }

func (w *world) done() bool {
	return w.rolledBack || w.old() == 0 && w.ready+w.sick == w.instances
}

func (w *world) state() sdk.UpgradeState {
	s := sdk.UpgradeState{
		Instances: uint32(w.instances), MinimumHealthCapacity: w.minimum, MaximumOverCapacity: w.over,
		MinHealthy: uint32(w.minHealthy), MaxTotal: uint32(w.maxTotal),
		Old: uint32(w.old()), OldDying: uint32(w.dying), OldHealthy: uint32(w.healthy),
		New: uint32(w.fresh()), NewHealthy: uint32(w.warm + w.ready), NewReady: uint32(w.ready + w.sick),
		Millis: w.millis, Memory: w.memory, Promotions: w.promotions, Undoes: w.undoes,
	}
	if w.began != 0 {
		s.NowMillis = w.began + int64(w.millis)
	}
	return s
}

// step asks once and carries out what the envelope allows. An answer beyond it is an
// error: a real host cuts it, and notes a fault of the module.
func (w *world) step(ctx context.Context) (killed, started int, err error) {
	if w.paused && !w.watched || w.rolledBack {
		return 0, 0, nil
	}
	s := w.state()
	answer, err := w.upgrade.Next(ctx, s)
	if err != nil {
		return 0, 0, err
	}
	if excess := w.envelope.Excess(&s, &answer); excess != "" {
		return 0, 0, fmt.Errorf("%s, in %s", excess, w)
	}
	w.memory, w.reason = answer.Memory, answer.Reason
	w.paused, w.rolledBack = answer.Outcome == sdk.Pause, answer.Outcome == sdk.RollBack
	w.watched = w.paused && answer.AskAfterMillis > 0
	allowed := w.envelope.Cut(&s, &answer)
	killed, started = allowed.KillHealthy+allowed.KillUnhealthy, allowed.Start
	w.healthy -= allowed.KillHealthy
	w.unhealthy -= allowed.KillUnhealthy
	w.dying += killed
	w.young += started
	if w.resident {
		again := min(started, w.vacant)
		w.vacant -= again
		w.restarted += again
	}
	return killed, started, nil
}

// settle asks until there is nothing to do, as a host does that asks whenever
// something has changed.
func (w *world) settle(ctx context.Context) (killed, started int, err error) {
	for range 2*(w.old()+w.instances) + 2 {
		k, s, err := w.step(ctx)
		if err != nil || k == 0 && s == 0 {
			return killed, started, err
		}
		killed, started = killed+k, started+s
	}
	return killed, started, fmt.Errorf("there is no end to the steps in %s", w)
}

func (w *world) promote(ctx context.Context) (killed, started int, err error) {
	w.paused = false
	w.promotions++
	return w.settle(ctx)
}

// leave is what happens to the place of an old instance that died.
func (w *world) leave() {
	if w.resident {
		w.vacant++
	}
}

// each moves n out of a count, and settles after each.
func (w *world) each(ctx context.Context, n int, from *int, to func()) (killed, started int, err error) {
	for range n {
		if *from == 0 {
			return killed, started, fmt.Errorf("there are not that many: %s", w)
		}
		*from--
		to()
		k, s, err := w.settle(ctx)
		if err != nil {
			return killed, started, err
		}
		killed, started = killed+k, started+s
	}
	return killed, started, nil
}

// rest has all kills confirmed, then all new instances become ready, and so on until
// the upgrade is done or there is nothing left to happen.
func (w *world) rest(ctx context.Context) (string, error) {
	var out strings.Builder
	for rounds := 0; !w.done(); rounds++ {
		deaths, young := w.dying, w.young
		var k, l int
		var err error
		switch {
		case rounds > most:
			return "", fmt.Errorf("there is no end to it")
		case deaths > 0:
			k, l, err = w.each(ctx, deaths, &w.dying, w.leave)
			fmt.Fprintf(&out, "; -%d⇒%s", deaths, w.outcome(k, l, "L0"))
		case young > 0:
			k, l, err = w.each(ctx, young, &w.young, func() { w.ready++ })
			fmt.Fprintf(&out, "; +%d⇒%s", young, w.outcome(k, l, "K0"))
		case w.paused:
			k, l, err = w.promote(ctx)
			out.WriteString("; promoted⇒" + w.outcome(k, l, "nothing"))
			if k == 0 && l == 0 && w.paused {
				return out.String() + "; stuck", nil
			}
		default:
			return out.String() + "; stuck", nil
		}
		if err != nil {
			return "", err
		}
	}
	if w.resident {
		fmt.Fprintf(&out, "\nrestarted in place: %d, places left over: %d", w.restarted, w.vacant)
	}
	return out.String(), nil
}

// outcome is what came of some events.
func (w *world) outcome(killed, started int, nothing string) string {
	var parts []string
	if killed > 0 {
		parts = append(parts, fmt.Sprintf("K%d", killed))
	}
	if started > 0 {
		parts = append(parts, fmt.Sprintf("L%d", started))
	}
	switch {
	case w.rolledBack:
		parts = append(parts, "rolled back: "+w.reason)
	case w.done():
		parts = append(parts, "done")
	case w.paused:
		parts = append(parts, "paused: "+w.reason)
	}
	if parts == nil {
		return nothing
	}
	return strings.Join(parts, " ")
}

func (w *world) String() string {
	return fmt.Sprintf("old: %d healthy, %d unhealthy, %d dying; new: %d young, %d warm, %d ready, %d sick",
		w.healthy, w.unhealthy, w.dying, w.young, w.warm, w.ready, w.sick)
}
