package policytest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// strategy is a policy whose steps are made by a function.
type strategy func(sdk.UpgradeState) sdk.UpgradeStep

func (s strategy) Strategies() []string { return []string{"test"} }

func (s strategy) Prepare(_ context.Context, u sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	if u.App.Labels["bad"] != "" {
		return nil, &sdk.Invalid{Message: "the label is bad"}
	}
	return s, nil
}

func (s strategy) Next(_ context.Context, state sdk.UpgradeState) (sdk.UpgradeStep, error) {
	return s(state), nil
}

func (s strategy) Close() {}

func TestUpgradeVectors(t *testing.T) {
	calls := uint32(0)
	pauses := strategy(func(s sdk.UpgradeState) sdk.UpgradeStep {
		return sdk.UpgradeStep{Outcome: sdk.Pause, Reason: "waits", AskAfterMillis: s.Millis, Memory: []byte("m")}
	})
	for _, tt := range []struct {
		name, line string
		policy     strategy
		want       string // in the error; "" for none
	}{
		{
			"sees the state", `test instances 4 min 0.5 over 0.25 old 4 dying 1 healthy 3 new 2 well 1 ready 2 promotions 6 after 90s at 1970-01-01T00:00:01Z undoes memory x says kill 1`,
			func(s sdk.UpgradeState) sdk.UpgradeStep {
				ok := s.Instances == 4 && s.MinHealthy == 2 && s.MaxTotal == 5 && s.Old == 4 && s.OldDying == 1 && s.OldHealthy == 3 && s.New == 2 &&
					s.NewHealthy == 1 && s.NewReady == 2 && s.Promotions == 6 && s.Millis == 90_000 && s.NowMillis == 1000 && s.Undoes && string(s.Memory) == "x"
				if ok {
					return sdk.UpgradeStep{Kill: 1}
				}
				return sdk.UpgradeStep{}
			}, "",
		},
		{"room where both bounds are one", `test instances 1 says start 2`, func(s sdk.UpgradeState) sdk.UpgradeStep {
			return sdk.UpgradeStep{Start: s.MaxTotal}
		}, ""},
		{"pauses", `test after 1m says pause reason "wait" ask 60s memory m`, pauses, ""},
		{"pauses for another reason", `test says pause reason late`, pauses, `got pause reason "waits" memory "m"`},
		{"asks at another time", `test after 1m says pause ask 61s`, pauses, "ask 1m0s"},
		{"leaves something else", `test says pause memory n`, pauses, `memory "m"`},
		{"does not pause", `test says nothing`, pauses, "pause"},
		{"invalid", `test label bad=1 invalid "is bad"`, pauses, ""},
		{"not invalid", `test invalid "is bad"`, pauses, "accepted"},
		{"changes its mind", `test says start 1`, func(sdk.UpgradeState) sdk.UpgradeStep {
			calls++
			return sdk.UpgradeStep{Start: calls}
		}, "got start 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			vectors, err := policytest.ReadUpgrade(strings.NewReader("# a line\n\n" + tt.line + "\n"))
			if err != nil || len(vectors) != 1 || vectors[0].Line != 3 {
				t.Fatalf("%+v, %v", vectors, err)
			}
			compare(t, vectors[0].Check(t.Context(), tt.policy), tt.want)
		})
	}
	for _, line := range []string{`test`, `test old 1`, `test old x says start 1`, `test says start`, `test says old 1`, `test kill 1 says nothing`, `test at noon says nothing`, `test label x says nothing`} {
		if _, err := policytest.ReadUpgrade(strings.NewReader(line)); err == nil {
			t.Errorf("%q was read", line)
		}
	}
}

func TestHealthVectors(t *testing.T) {
	last := each(func(_ int, h *sdk.HealthHistory) sdk.HealthVerdict {
		v := sdk.HealthVerdict{State: sdk.Healthy}
		if h.ConsecutiveFailures > 0 {
			v = sdk.HealthVerdict{State: sdk.Unhealthy, Replace: h.ConsecutiveFailures > 1, Reason: h.LastFailureCause}
		}
		return v
	})
	for _, tt := range []struct{ line, want string }{
		{`rule course + is healthy`, ""},
		{`rule max 4 protocol TCP interval 5 mesos label "A=b c" course +- is unhealthy reason "no answer"`, ""},
		{`rule course +-- is unhealthy replace`, ""},
		{`rule course +-- is unhealthy`, "replace true"},
		{`rule course +- is healthy`, "got unhealthy"},
		{`rule course +- is unhealthy reason late`, `"late" in the reason`},
		{`rule course + invalid "no"`, "accepted"},
	} {
		vectors, err := policytest.ReadHealth(strings.NewReader(tt.line))
		if err != nil || len(vectors) != 1 {
			t.Fatalf("%s: %v", tt.line, err)
		}
		compare(t, vectors[0].Check(t.Context(), last), tt.want)
	}
	for _, line := range []string{`rule`, `rule course +`, `rule course +x is healthy`, `rule is well`, `rule max x is healthy`, `rule what 1 is healthy`, `rule is`} {
		if _, err := policytest.ReadHealth(strings.NewReader(line)); err == nil {
			t.Errorf("%q was read", line)
		}
	}
}

// compare wants a text in the error, or none.
func compare(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("got %v, want %q in it", err, want)
	}
}

// TestActual: a line that is checked and the line as it is answered pass for each other.
func TestActual(t *testing.T) {
	pause := strategy(func(sdk.UpgradeState) sdk.UpgradeStep {
		return sdk.UpgradeStep{Kill: 2, Outcome: sdk.Pause, Reason: "no"}
	})
	for line, want := range map[string]string{
		`test old 3 says start 1 ask 5s`: `test old 3 says kill 2 pause ask 0s reason "no"`,
		`test label bad=1 says start 1`:  `test label bad=1 invalid "the label is bad"`,
	} {
		vectors, err := policytest.ReadUpgrade(strings.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := vectors[0].Actual(t.Context(), pause); got != want || err != nil {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	well := each(func(int, *sdk.HealthHistory) sdk.HealthVerdict {
		return sdk.HealthVerdict{State: sdk.Unhealthy, Replace: true, Reason: "why"}
	})
	health, err := policytest.ReadHealth(strings.NewReader(`rule max 2 course +- is healthy reason x`))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := health[0].Actual(t.Context(), well); got != `rule max 2 course +- is unhealthy replace reason "why"` || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	moved := one(func(_ int, uri sdk.FetchURI) sdk.FetchDecision {
		uri.URI, uri.DestPath, uri.Cache = "http://b", "c d", true
		return sdk.AllowFetch(uri)
	})
	checked := one(func(_ int, uri sdk.FetchURI) sdk.FetchDecision {
		return sdk.FetchDecision{FetchURI: uri, SHA256: "ab", Limits: sdk.FetchLimits{Bytes: 1, Ratio: 4}}
	})
	fetch, err := policytest.ReadFetch(strings.NewReader("test \"\" http://a allowed\nunenforced test unenforced http://a allowed"))
	if err != nil {
		t.Fatal(err)
	}
	for want, v := range map[string]func() (string, error){
		`test "" http://a becomes http://b as "c d" with cache=true`: func() (string, error) { return fetch[0].Actual(t.Context(), moved) },
		`test "" http://a allowed with sha256=ab bytes=1 ratio=4`:    func() (string, error) { return fetch[0].Actual(t.Context(), checked) },
		`unenforced test "unenforced" http://a allowed with sha256=ab bytes=1 ratio=4`: func() (string, error) {
			return fetch[1].Actual(t.Context(), checked)
		},
	} {
		if got, err := v(); got != want || err != nil {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
}

// about answers what the app of a constraint is.
type about struct{ app sdk.AppFacts }

func (about) Traits() sdk.Traits { return 0 }
func (about) Close()             {}

func (a about) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	quota := make([]uint32, len(in.Values))
	for slot, value := range in.Values {
		if value == a.app.ID || value == a.app.Labels["team"] {
			quota[slot] = 1
		}
	}
	return sdk.ConstraintAnswer{Quota: quota}, nil
}

func TestConstraintVectorsNameTheApp(t *testing.T) {
	prepare := func(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
		return about{c.App}, nil
	}
	for line, want := range map[string]string{
		`TEST quota /app=1 /b=0 a=0`:                             "",
		`TEST app /b label team=a other=b quota /app=0 /b=1 a=1`: "",
		`TEST app /b label "team=x=y" quota "x=y"=1 x=0`:         "",
		`TEST app /b quota /app=1`:                               "quota 0, want 1",
	} {
		vectors, err := policytest.Read(strings.NewReader(line))
		if err != nil || len(vectors) != 1 {
			t.Fatalf("%s: %v", line, err)
		}
		compare(t, vectors[0].Check(t.Context(), prepare), want)
	}
	if _, err := policytest.Read(strings.NewReader(`TEST label team quota a=1`)); err == nil {
		t.Error("a label without a value was read")
	}
}

// What is wrong with a vector is told with the part it is in.
func TestWrongConstraintVectors(t *testing.T) {
	for text, want := range map[string]string{
		"X instances two":               `instances "two": expected a whole number`,
		"X quota a=x":                   `quota of "a": "x": expected VALUE=NUMBER, or VALUE=*`,
		"X quota a":                     `quota of "a": "": expected VALUE=NUMBER`,
		"X flags volatle":               `flags: "volatle": expected exclusive, volatile or refill`,
		"X 2 quota a=1":                 `"2" belongs to no part: expected app, label,`,
		"X value 2 3":                   `value: "3" is one text too many; one with blanks has to be in quotes`,
		"X value two invalid no number": `invalid: "number" is one text too many`,
		"X value known a":               "value: expected something behind it",
		"X invalid":                     "invalid: expected something behind it",
	} {
		if _, err := policytest.Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "line 1: "+want) {
			t.Errorf("%s: got %v, want %q in it", text, err, want)
		}
	}
	vectors, err := policytest.Read(strings.NewReader(`X value a=b app /x=y placed k=v known "" invalid c=d`))
	if err != nil {
		t.Fatal(err)
	}
	v := vectors[0]
	if v.Spec.Value != "a=b" || v.Spec.App.ID != "/x=y" || v.Input.Values[1] != "k=v" || v.Invalid != "c=d" {
		t.Errorf("%+v", v)
	}
}
