package scheduler

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/pacer-run/pacer/sdk"
)

// do carries out commands of the scripts.
func (w *world) do(t *testing.T, commands ...string) {
	t.Helper()
	for _, text := range commands {
		cmd, args, err := datadriven.ParseLine(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.run(&datadriven.TestData{Cmd: cmd, CmdArgs: args}); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// manyRunning is a world with that many instances of an app that run and are checked.
func manyRunning(t *testing.T, n int) *world {
	w := newWorld()
	w.chooseRule("none")
	w.do(t,
		"subscribed framework=f1", "app id=/web checks=http max=1 instances="+strconv.Itoa(n), "offers o1@a1", "matched"+strings.Repeat(" /web@o1", n))
	for _, m := range w.s.apps["/web"].members {
		w.do(t, "status "+w.namesOf().Instance("/web", m.inst.ID)+" running")
	}
	return w
}

// TestQuestionsAreBounded: what an answer changes has to fit into one transaction, so
// a rule is asked about some at a time, and about all in the end.
func TestQuestionsAreBounded(t *testing.T) {
	const n = maxHistories + 44
	w := manyRunning(t, n)
	var e HealthObserved
	for _, m := range w.s.apps["/web"].members {
		e.Results = append(e.Results, HealthObservation{TaskID: m.inst.TaskID(), HealthResult: sdk.HealthResult{AtMillis: int64(w.now), Alive: true}})
	}
	w.stepWith(e)
	w.drain(true)
	var sizes []int
	for len(w.healthAsks) > 0 {
		sizes = append(sizes, len(w.healthAsks[0].Histories))
		w.do(t, "judged /web healthy")
	}
	if !slices.Equal(sizes, []int{maxHistories, 44}) {
		t.Errorf("asked about %v, want %d and then 44", sizes, maxHistories)
	}
	for _, m := range w.s.apps["/web"].members {
		if m.inst.Healthy == nil || !*m.inst.Healthy {
			t.Fatalf("%s is not healthy", m.inst.TaskID())
		}
	}
	if left := w.s.apps["/web"].judging; len(left) != 0 {
		t.Errorf("%d questions are left", len(left))
	}
}

// TestOtherRuleJudges: verdicts beside a fault are those of a rule that stands in for
// the one that failed. They count, and the fault is shown until the rule is back or a
// new question is not to be expected.
func TestOtherRuleJudges(t *testing.T) {
	w := manyRunning(t, 1)
	w.do(t, "probed -/web.1 cause=refused")
	a := w.s.apps["/web"]
	stepped := func(fault string) {
		ask := w.healthAsks[0]
		w.healthAsks = w.healthAsks[1:]
		w.stepWith(HealthJudged{Number: ask.Number, App: "/web", Verdicts: []sdk.HealthVerdict{{State: sdk.Unhealthy}}, Fault: fault})
		w.drain(true)
	}
	for _, fault := range []string{"trapped", "", "trapped"} {
		stepped(fault)
		if i := a.members[0].inst; i.Healthy == nil || *i.Healthy || causeOf(a) != fault || a.hasStandIn() != (fault != "") {
			t.Errorf("healthy %v, fault %q, want %q", i.Healthy, causeOf(a), fault)
		}
		if len(w.healthAsks) != 0 {
			t.Errorf("asked again about what was judged")
		}
		if fault != "" {
			w.do(t, "at +1m")
		}
		w.do(t, "probed -/web.1 cause=refused")
	}
	stepped("trapped")
	w.do(t, "at +20m")
	if len(a.judging) != 0 || causeOf(a) != "" {
		t.Errorf("%d questions and the fault %q are left", len(a.judging), causeOf(a))
	}
}

// TestForgottenQuestion: when all that a rule was to be asked about is gone, its fault
// is too.
func TestForgottenQuestion(t *testing.T) {
	w := manyRunning(t, 1)
	w.do(t, "probed -/web.1 cause=refused", "judged /web fault=fuel-exhausted")
	if got := causeOf(w.s.apps["/web"]); got != "fuel-exhausted" {
		t.Errorf("fault %q", got)
	}
	w.do(t, "status /web.1 failed", "at +60s")
	if got := causeOf(w.s.apps["/web"]); got != "" || len(w.healthAsks) != 0 {
		t.Errorf("fault %q, %d questions", got, len(w.healthAsks))
	}
}

func causeOf(a *app) string {
	cause, _ := a.healthFault()
	return cause
}
