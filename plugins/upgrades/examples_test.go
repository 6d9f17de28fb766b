package upgrades_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/pacer-run/pacer/runtime/spec"
)

// TestExamples runs testdata: worked examples of upgrades.
//
//	upgrade n=N min=M over=O [old=N] [unhealthy=0] [new=0] [resident] [strategy=rolling]
//	            an app of N instances with the two capacities begins an upgrade:
//	            so many old ones, some of them unhealthy, and so many new and ready
//	run …       the same, and on to the end
//	rest        on to the end
//	deaths N    N kills are confirmed
//	healthy N   N new instances get healthy and ready
//	warms N     N new instances get healthy, and are not ready yet
//	readies N   N of these get ready
//	sickens N   N new instances that were ready lose their health
//	falters N   N old instances lose their health
//	recovers N  N unhealthy old instances are healthy again
//	dies N      N unhealthy old instances die without having been killed
//
// K is for kills, L for launches: what came of a command, whose events come one
// by one. In a run "-4⇒L4" are four deaths and what came of them, "+4⇒K3" four
// new ones that got ready. Deaths come first.
func TestExamples(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var w *world
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "upgrade", "run":
				w = begin(t, d)
				out := fmt.Sprintf("at least %d healthy, at most %d in all\n", w.envelope.MinHealthy, w.envelope.MaxTotal)
				k, l := w.settle()
				out += fmt.Sprintf("K%d L%d", k, l)
				if d.Cmd == "run" {
					out += w.rest()
				}
				return out + "\n"
			case "rest":
				return strings.TrimPrefix(w.rest(), "; ") + "\n"
			}
			k, l := w.event(t, d)
			return w.outcome(k, l, "nothing") + "\n"
		})
	})
}

// begin builds what an upgrade command says.
func begin(t *testing.T, d *datadriven.TestData) *world {
	app := &spec.App{}
	d.ScanArgs(t, "n", &app.Instances)
	app.UpgradeStrategy = spec.UpgradeStrategy{MinimumHealthCapacity: fraction(t, d, "min"), MaximumOverCapacity: fraction(t, d, "over")}
	if d.HasArg("resident") {
		app.Container = &spec.Container{Volumes: []spec.Volume{{Persistent: &spec.PersistentVolume{}}}}
	}
	w := newWorld(t, app)
	old, name := app.Instances, "rolling"
	d.MaybeScanArgs(t, "old", &old)
	d.MaybeScanArgs(t, "unhealthy", &w.unhealthy)
	d.MaybeScanArgs(t, "new", &w.ready)
	d.MaybeScanArgs(t, "strategy", &name)
	w.healthy, w.upgrade, w.exact = old-w.unhealthy, strategy(t, name), true
	return w
}

func fraction(t *testing.T, d *datadriven.TestData, key string) float64 {
	var text string
	d.ScanArgs(t, key, &text)
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return f
}

func (w *world) event(t *testing.T, d *datadriven.TestData) (killed, started int) {
	n, err := strconv.Atoi(d.CmdArgs[0].Key)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	switch d.Cmd {
	case "deaths":
		return w.deaths(n)
	case "healthy":
		return w.ripen(n)
	case "warms":
		return w.each(n, &w.young, func() { w.warm++ })
	case "readies":
		return w.each(n, &w.warm, func() { w.ready++ })
	case "sickens":
		return w.each(n, &w.ready, func() { w.sick++ })
	case "falters":
		return w.each(n, &w.healthy, func() { w.unhealthy++ })
	case "recovers":
		return w.each(n, &w.unhealthy, func() { w.healthy++ })
	case "dies":
		return w.each(n, &w.unhealthy, w.leave)
	}
	d.Fatalf(t, "unknown command %s", d.Cmd)
	return 0, 0
}

// rest has all kills confirmed, then all new instances become ready, and so on
// until the upgrade is done or there is nothing left to happen.
func (w *world) rest() string {
	var out strings.Builder
	for !w.done() {
		switch deaths, young := w.dying, w.young; {
		case deaths > 0:
			k, l := w.deaths(deaths)
			out.WriteString(fmt.Sprintf("; -%d⇒", deaths) + w.outcome(k, l, "L0"))
		case young > 0:
			k, l := w.ripen(young)
			out.WriteString(fmt.Sprintf("; +%d⇒", young) + w.outcome(k, l, "K0"))
		default:
			return out.String() + "; stuck"
		}
	}
	if w.app.Resident() {
		out.WriteString(fmt.Sprintf("\nrestarted in place: %d, places left over: %d", w.restarted, w.vacant))
	}
	return out.String()
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
	if w.done() {
		parts = append(parts, "done")
	}
	if parts == nil {
		return nothing
	}
	return strings.Join(parts, " ")
}
