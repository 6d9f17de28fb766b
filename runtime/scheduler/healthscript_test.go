package scheduler

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// healthEvent turns a script's command about health into an event, nil when it is
// none:
//
//	probed +/web.1 -/web.2 -/web.2#1 check=1 cause=refused   what probes found, + for alive
//	readied /web.1 no status=503
//	judged /web unhealthy replace reason=R | fault=F         the answer to the oldest question
func (w *world) healthEvent(d *datadriven.TestData) (Event, error) {
	a := args(d)
	switch d.Cmd {
	case "probed":
		var e HealthObserved
		for _, x := range d.CmdArgs {
			if len(x.Vals) > 0 {
				continue
			}
			id, err := w.taskNamed(x.Key[1:])
			if err != nil {
				return nil, err
			}
			r := HealthObservation{TaskID: id, Check: number(a["check"], 0)}
			r.AtMillis, r.Alive = int64(w.now), x.Key[0] == '+'
			if !r.Alive {
				r.Cause = a["cause"]
			}
			e.Results = append(e.Results, r)
		}
		return e, nil
	case "readied":
		id, err := w.taskNamed(d.CmdArgs[0].Key)
		r := ReadinessObservation{TaskID: id, Ready: a["no"] == ""}
		if a["status"] != "" {
			r.Response = &ReadinessResponse{Status: number(a["status"], 0), ContentType: "text/plain", Body: "hello"}
		}
		return ReadinessObserved{Results: []ReadinessObservation{r}}, err
	case "judged":
		return w.judged(d, a)
	}
	return nil, nil
}

// taskNamed is the task id of an instance's short name, with "#n" for another
// incarnation than the current one.
func (w *world) taskNamed(text string) (string, error) {
	name, inc, older := strings.Cut(text, "#")
	for id, n := range w.names {
		if n != name {
			continue
		}
		ref := Instance{ID: id, App: spec.PathID(name[:strings.LastIndexByte(name, '.')]), Incarnation: 1}
		if m := w.s.members[id]; m != nil {
			ref = *m.inst
		}
		if older {
			ref.Incarnation = uint32(number(inc, 0))
		}
		return ref.TaskID(), nil
	}
	return "", fmt.Errorf("no instance was ever called %s", name)
}

// judged answers the oldest question about an app, with the same for all.
func (w *world) judged(d *datadriven.TestData, a map[string]string) (Event, error) {
	for i, ask := range w.healthAsks {
		if string(ask.App.ID) != d.CmdArgs[0].Key {
			continue
		}
		w.healthAsks = append(w.healthAsks[:i:i], w.healthAsks[i+1:]...)
		e := HealthJudged{Number: ask.Number, App: ask.App.ID, Fault: a["fault"]}
		v := sdk.HealthVerdict{Replace: a["replace"] != "", Reason: a["reason"]}
		switch {
		case a["healthy"] != "":
			v.State = sdk.Healthy
		case a["unhealthy"] != "":
			v.State = sdk.Unhealthy
		}
		for range ask.Histories {
			if e.Fault == "" {
				e.Verdicts = append(e.Verdicts, v)
			}
		}
		return e, nil
	}
	return nil, fmt.Errorf("nothing is asked about %s", d.CmdArgs[0].Key)
}

// chooseRule has a rule answer at once from now on; "none" leaves it to the script.
func (w *world) chooseRule(name string) {
	w.rule = nil
	for _, r := range health.All() {
		if r.Rules()[0] == name {
			w.rule = r
		}
	}
}

// judge has the rule of the script answer what is asked.
func (w *world) judge() string {
	var out strings.Builder
	for w.rule != nil && len(w.healthAsks) > 0 {
		ask := w.healthAsks[0]
		w.healthAsks = w.healthAsks[1:]
		verdicts, err := verdictsOf(w.rule, &ask)
		if err != nil {
			return err.Error()
		}
		for i := range verdicts {
			fmt.Fprintf(&out, "judge  %s: %v", ask.App.ID, verdicts[i].State)
			if verdicts[i].Replace {
				out.WriteString(", replace")
			}
			out.WriteString("\n")
		}
		w.s.Step(w.now, HealthJudged{Number: ask.Number, App: ask.App.ID, Verdicts: verdicts})
		if text := w.drain(true); text != "nothing\n" {
			out.WriteString(text)
		}
	}
	return out.String()
}

// verdictsOf asks a rule.
func verdictsOf(rule sdk.Health, ask *HealthAsk) ([]sdk.HealthVerdict, error) {
	prepared, err := rule.Prepare(context.Background(), sdk.HealthSpec{
		Rule: rule.Rules()[0], App: sdk.AppFacts{ID: string(ask.App.ID), Labels: ask.App.Labels}, Checks: HealthChecksOf(ask.App),
	})
	if err != nil {
		return nil, err
	}
	defer prepared.Close()
	return prepared.Judge(context.Background(), ask.Histories)
}

// addChecks gives a script's app its checks:
//
//	health                    one that Mesos makes
//	checks=http,tcp,command   several, each with grace=10s and max=3 when told
//	readiness                 a readiness check
func addChecks(app *spec.App, a map[string]string) {
	if a["health"] != "" {
		app.HealthChecks = []spec.HealthCheck{{Protocol: spec.CheckCommand, Command: "true"}}
	}
	grace, _ := time.ParseDuration(a["grace"])
	for name := range strings.SplitSeq(a["checks"], ",") {
		protocol, ok := map[string]spec.CheckProtocol{"http": spec.CheckHTTP, "tcp": spec.CheckTCP, "command": spec.CheckCommand}[name]
		if ok {
			app.HealthChecks = append(app.HealthChecks, spec.HealthCheck{
				Protocol: protocol, GracePeriod: grace, Interval: 10 * time.Second, Timeout: 5 * time.Second,
				MaxConsecutiveFailures: number(a["max"], 3),
			})
		}
	}
	if a["readiness"] != "" {
		app.ReadinessChecks = []spec.ReadinessCheck{{Name: "ready", Path: "/", PortName: "http-api", Interval: 10 * time.Second}}
	}
}
