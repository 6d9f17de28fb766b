package upgrades_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// TestExamples runs testdata: worked examples of upgrades.
//
//	upgrade n=N min=M over=O [old=N] [unhealthy=0] [new=0] [resident] [strategy=rolling]
//	            [share=10%] [bake=] [timeout=] [pause=true] [undoes]
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
//	regains N   N new instances that lost their health have it again
//	refuse …    as upgrade, of what Prepare refuses
//	promote     somebody lets it go on
//	after 10m   so much time has passed, and the strategy is asked
//
// K is for kills, L for launches: what came of a command, whose events come one
// by one. In a run "-4⇒L4" are four deaths and what came of them, "+4⇒K3" four
// new ones that got ready. Deaths come first.
func TestExamples(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var w *world
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "upgrade", "run", "refuse":
				var err error
				if w, err = begin(t, d); err != nil {
					if _, invalid := errors.AsType[*sdk.Invalid](err); !invalid || d.Cmd != "refuse" {
						d.Fatalf(t, "%v", err)
					}
					return err.Error() + "\n"
				}
				out := fmt.Sprintf("at least %d healthy, at most %d in all\n", w.envelope.MinHealthy, w.envelope.MaxTotal)
				k, l := w.settle()
				out += fmt.Sprintf("K%d L%d", k, l)
				if w.paused > 0 {
					out += " paused: " + w.reason
				}
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
func begin(t *testing.T, d *datadriven.TestData) (*world, error) {
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
	app.Labels = settings(t, d)
	prepared, err := strategy(t, name, app)
	w.healthy, w.upgrade, w.exact, w.undoes = old-w.unhealthy, prepared, true, d.HasArg("undoes")
	return w, err
}

// settings turns an argument into the label whose last word it is.
func settings(t *testing.T, d *datadriven.TestData) map[string]string {
	labels := map[string]string{}
	for _, label := range []string{upgrades.CanaryShareLabel, upgrades.CanaryBakeLabel, upgrades.CanaryTimeoutLabel, upgrades.BlueGreenPauseLabel} {
		if key := strings.ToLower(label[strings.LastIndexByte(label, '_')+1:]); d.HasArg(key) {
			var text string
			d.ScanArgs(t, key, &text)
			labels[label] = text
		}
	}
	return labels
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
	switch d.Cmd {
	case "promote":
		if w.paused == 0 {
			d.Fatalf(t, "it is not paused")
		}
		w.paused = 0
		w.promote()
		return w.settle()
	case "after":
		passed, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		w.millis += uint64(passed.Milliseconds())
		return w.settle()
	}
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
	case "regains":
		return w.each(n, &w.sick, func() { w.ready++ })
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
		case w.paused > 0 && deaths == 0:
			w.paused = 0
			w.promote()
			k, l := w.settle()
			out.WriteString("; promoted⇒" + w.outcome(k, l, "nothing"))
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
	switch {
	case w.rolledBack:
		parts = append(parts, "rolled back: "+w.reason)
	case w.done():
		parts = append(parts, "done")
	case w.paused > 0:
		parts = append(parts, "paused: "+w.reason)
	}
	if parts == nil {
		return nothing
	}
	return strings.Join(parts, " ")
}
