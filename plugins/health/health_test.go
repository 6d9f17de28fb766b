package health_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// row is a course of results and what a rule says after each.
type row struct {
	name  string
	grace int    // seconds
	max   uint32 // consecutive failures
	label string // of the window; "" for none
	// results are moments in seconds after the instance began to run, led by + for a
	// success, - for a failure, ~ for a failure while the instance does not run.
	results string
	// want has a word for each result: healthy, unhealthy, replace (unhealthy too),
	// or ignored when the result does not count.
	want string
}

func TestConsecutive(t *testing.T) {
	run(t, health.Consecutive{}, []row{
		{"success: healthy", 300, 3, "", "+5", "healthy"},
		{"failure before the first success in the grace period is ignored", 300, 3, "", "-5 -299", "ignored ignored"},
		{"grace ends when since + grace is now", 300, 3, "", "-299 -300", "ignored unhealthy"},
		{"grace ends with the first success", 300, 3, "", "-5 +10 -15 -20 -25", "ignored healthy unhealthy unhealthy replace"},
		{"no grace period: the first failure counts", 0, 3, "", "-0", "unhealthy"},
		{"ignored failures are not added up", 10, 2, "", "-7 -8 -9 -10 -11", "ignored ignored ignored unhealthy replace"},
		{"failure of an instance that is not running is ignored", 0, 1, "", "~5 -6", "ignored replace"},
		{"not running, after a success: ignored too", 0, 1, "", "+5 ~6 +7", "healthy ignored healthy"},
		{"decision 8: replaced at exactly maxConsecutiveFailures", 0, 3, "", "+1 -2 -3 -4", "healthy unhealthy unhealthy replace"},
		{"maxConsecutiveFailures 1: at the first", 0, 1, "", "+1 -2", "healthy replace"},
		{"asked again on each later failure until it does not run", 0, 2, "", "-1 -2 -3 -4 ~5", "unhealthy replace replace replace ignored"},
		{"maxConsecutiveFailures 0: never", 0, 0, "", "-1 -2 -3 -4 -5 -6", "unhealthy unhealthy unhealthy unhealthy unhealthy unhealthy"},
		{"a success begins the count again", 0, 2, "", "-1 +2 -3 +4 -5 -6", "unhealthy healthy unhealthy healthy unhealthy replace"},
		{"alive is the latest result: success after failures", 0, 9, "", "-1 -2 +3", "unhealthy unhealthy healthy"},
		{"the window's label means nothing here", 0, 2, "1/1", "-1 -2", "unhealthy replace"},
	})
}

func TestWindow(t *testing.T) {
	run(t, health.Window{}, []row{
		{"success: healthy", 300, 3, "", "+5", "healthy"},
		{"default: three of the last five", 0, 3, "", "+1 +2 -3 -4 -5", "healthy healthy healthy healthy replace"},
		{"successes between do not help", 0, 3, "", "+1 -2 +3 -4 +5 -6", "healthy healthy healthy healthy healthy replace"},
		{"failures leave the window", 0, 3, "", "+1 -2 -3 +4 +5 +6 -7", "healthy healthy healthy healthy healthy healthy healthy"},
		{"a success ends no instance", 0, 3, "3/5", "+1 -2 -3 -4 +5 +6 +7", "healthy healthy healthy replace unhealthy unhealthy healthy"},
		{"never healthy: unhealthy at once, replaced at k", 0, 3, "2/4", "-1 -2 -3", "unhealthy replace replace"},
		{"grace as with every rule", 10, 3, "1/1", "-9 -10", "ignored replace"},
		{"maxConsecutiveFailures 0: never", 0, 0, "1/2", "+1 -2 -3", "healthy unhealthy unhealthy"},
		{"maxConsecutiveFailures beyond 0 does not matter", 0, 99, "2/2", "+1 -2 -3", "healthy healthy replace"},
		{"the largest window", 0, 3, "64/64", "+1" + strings.Repeat(" -2", 64), strings.Repeat("healthy ", 64) + "replace"},
	})
}

func run(t *testing.T, rule sdk.Health, rows []row) {
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			check := sdk.HealthCheck{Protocol: "HTTP", GraceMillis: uint64(r.grace) * 1000, MaxConsecutiveFailures: r.max}
			p := prepare(t, rule, r.label, check)
			var history sdk.HealthHistory
			var got []string
			for word := range strings.FieldsSeq(r.results) {
				seconds, err := strconv.Atoi(word[1:])
				if err != nil {
					t.Fatal(err)
				}
				result := sdk.HealthResult{AtMillis: since + int64(seconds)*1000, Alive: word[0] == '+', Cause: "it is broken"}
				got = append(got, step(t, p, &history, &check, result, word[0] != '~'))
			}
			if got := strings.Join(got, " "); got != r.want {
				t.Errorf("%s\ngot  %s\nwant %s", r.results, got, r.want)
			}
		})
	}
}

// since is when the instances of the rows began to run.
const since = 1_700_000_000_000

func prepare(t *testing.T, rule sdk.Health, window string, checks ...sdk.HealthCheck) sdk.PreparedHealth {
	t.Helper()
	app := sdk.AppFacts{ID: "/app", Labels: map[string]string{}}
	if window != "" {
		app.Labels[health.WindowLabel] = window
	}
	p, err := rule.Prepare(t.Context(), sdk.HealthSpec{Rule: rule.Rules()[0], App: app, Checks: checks})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// step is the course of one result.
func step(t *testing.T, p sdk.PreparedHealth, h *sdk.HealthHistory, check *sdk.HealthCheck, result sdk.HealthResult, running bool) string {
	t.Helper()
	if !check.Counts(&h.HealthRecord, &result, running, since) {
		return "ignored"
	}
	h.HealthRecord = h.Add(result)
	verdicts, err := p.Judge(t.Context(), []sdk.HealthHistory{*h})
	if err != nil {
		t.Fatal(err)
	}
	v := verdicts[0]
	if (v.State == sdk.Unhealthy) != (v.Reason != "") {
		t.Errorf("%v with the reason %q", v.State, v.Reason)
	}
	if v.Replace && v.State == sdk.Unhealthy {
		return "replace"
	}
	return v.State.String()
}

func TestReasons(t *testing.T) {
	record := sdk.HealthRecord{}.Add(sdk.HealthResult{AtMillis: 1, Alive: true}).Add(sdk.HealthResult{AtMillis: 2, Cause: "HTTP status 500"})
	for want, rule := range map[string]sdk.Health{
		"HTTP status 500": health.Consecutive{},
		"1 of the last 2 results are failures: HTTP status 500": health.Window{},
	} {
		p := prepare(t, rule, "1/3", sdk.HealthCheck{})
		verdicts, err := p.Judge(t.Context(), []sdk.HealthHistory{{HealthRecord: record}})
		if err != nil || verdicts[0].Reason != want {
			t.Errorf("%v, %v; want %q", verdicts, err, want)
		}
	}
}

func TestWindowLabel(t *testing.T) {
	for _, text := range []string{"", "3", "3/", "/3", "0/5", "6/5", "1/65", "-1/5", "a/b", "1/2/3"} {
		spec := sdk.HealthSpec{App: sdk.AppFacts{Labels: map[string]string{health.WindowLabel: text}}}
		_, err := health.Window{}.Prepare(t.Context(), spec)
		if invalid, ok := errors.AsType[*sdk.Invalid](err); !ok || !strings.Contains(invalid.Message, health.WindowLabel) {
			t.Errorf("%q: %v", text, err)
		}
	}
	prepare(t, health.Window{}, " 2 / 7 ", sdk.HealthCheck{})
}

func TestContract(t *testing.T) {
	for _, rule := range health.All() {
		t.Run(rule.Rules()[0], func(t *testing.T) { policytest.RunHealth(t, rule) })
	}
}
