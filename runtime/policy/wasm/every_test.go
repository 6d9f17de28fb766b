package wasm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// every has policies of all kinds, whose answers tell all that they were asked. The
// modules in testdata/kinds-… are the same in other languages.
type every struct{ settings string }

func (every) Operators() []string  { return []string{"EVERY", "EVERY_TOO"} }
func (every) Policies() []string   { return []string{"every"} }
func (every) Strategies() []string { return []string{"every"} }
func (every) Rules() []string      { return []string{"every"} }

// everyPrepared is what all kinds prepare.
type everyPrepared struct {
	module                string
	about, name, settings string
	app                   sdk.AppFacts
}

func (every) prepare(name, settings string, app sdk.AppFacts) (everyPrepared, error) {
	switch settings {
	case "invalid":
		return everyPrepared{}, &sdk.Invalid{Message: "change " + name}
	case "fault":
		return everyPrepared{}, errors.New("broken")
	}
	team, ok := app.Labels["team"]
	if !ok {
		team = "none"
	}
	about := fmt.Sprint(app.ID, " ", app.Version, " ", app.Instances, " ", app.Role, " ", team)
	return everyPrepared{about: about, name: name, settings: settings, app: app}, nil
}

func (everyPrepared) Traits() sdk.Traits { return sdk.Stateful }
func (everyPrepared) Close()             {}

func (e every) constraint(spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	p, err := e.prepare(spec.Operator, spec.Value, spec.App)
	mark := "!"
	if spec.HasValue {
		mark = "="
	}
	p.module, p.about = e.settings, spec.Field+mark+p.about
	return p, err
}

func (p everyPrepared) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	a := sdk.ConstraintAnswer{Flags: sdk.AnswerFlags(p.app.Instances % 8)}
	for slot, value := range in.Values {
		quota := uint32(256*len(value)) + in.Instances
		if value != "" {
			quota += uint32(value[len(value)-1])
		}
		if slot < len(in.Placed) {
			quota += 100_000 * in.Placed[slot]
		}
		if slot == in.First {
			quota++
		}
		a.Quota = append(a.Quota, quota)
	}
	a.Reason = words(p.name, p.settings, p.about, p.module)
	return a, nil
}

// words are joined as the host makes a line of them.
func words(parts ...any) string {
	return strings.Join(strings.Fields(fmt.Sprintln(parts...)), " ")
}

// everyFetch decides on URIs.
type everyFetch struct {
	everyPrepared
	enforced bool
}

func (e every) fetch(spec sdk.FetchSpec) (sdk.PreparedFetch, error) {
	p, err := e.prepare(spec.Policy, spec.Settings, spec.App)
	return everyFetch{p, spec.Enforced}, err
}

func (p everyFetch) Decide(_ context.Context, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	var decisions []sdk.FetchDecision
	for _, u := range uris {
		if strings.HasPrefix(u.URI, "http:") {
			how := "not enforced"
			if p.enforced {
				how = "enforced"
			}
			decisions = append(decisions, sdk.DenyFetch(words(how, p.about, u.URI)))
			continue
		}
		d := sdk.AllowFetch(sdk.FetchURI{
			URI: p.settings + u.URI, Extract: u.Executable, Executable: u.Cache, Cache: u.Extract, DestPath: u.DestPath + "/" + p.name,
		})
		if p.enforced {
			d.SHA256 = "abcd"
			d.Limits = sdk.FetchLimits{Bytes: 1<<40 + uint64(p.app.Instances), Entries: 1, Depth: 2, Ratio: 300}
		}
		decisions = append(decisions, d)
	}
	return decisions, nil
}

func (e every) upgrade(spec sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	return e.prepare(spec.Strategy, "", spec.App)
}

func (p everyPrepared) Next(_ context.Context, s sdk.UpgradeState) (sdk.UpgradeStep, error) {
	return sdk.UpgradeStep{
		Start:          s.Old + 10*s.OldDying + 100*s.OldHealthy + 1000*s.New + 10_000*s.NewHealthy + 100_000*s.NewReady,
		Kill:           s.Instances + 100*s.MinHealthy + 10_000*s.MaxTotal,
		AskAfterMillis: s.Millis + uint64(s.NowMillis),
		Outcome:        sdk.UpgradeOutcome(s.Promotions % 3),
		Reason:         words(p.name, p.about, uint64(1000*s.MinimumHealthCapacity), uint64(1000*s.MaximumOverCapacity)),
		Memory:         append(slices.Clip(s.Memory), "\x00more"...),
	}, nil
}

// everyHealth judges histories.
type everyHealth struct {
	everyPrepared
	checks []sdk.HealthCheck
}

func (e every) health(spec sdk.HealthSpec) (sdk.PreparedHealth, error) {
	p, err := e.prepare(spec.Rule, "", spec.App)
	return everyHealth{p, spec.Checks}, err
}

func (p everyHealth) Judge(_ context.Context, histories []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
	var verdicts []sdk.HealthVerdict
	for _, h := range histories {
		c := p.checks[h.Check]
		v := sdk.HealthVerdict{State: sdk.HealthState(h.Results % 3)}
		v.Replace = v.State == sdk.Unhealthy && !c.ByMesos
		v.Reason = words(p.about, c.Protocol, c.IntervalMillis, c.TimeoutMillis, c.GraceMillis, c.MaxConsecutiveFailures,
			h.AgeMillis, h.FirstSuccess, h.LastSuccess, h.LastFailure, h.LastFailureCause,
			h.ConsecutiveFailures, h.Recent, h.Failures(10), h.Failures(64))
		verdicts = append(verdicts, v)
	}
	return verdicts, nil
}

// Review is that of sdk.Admission.
func (every) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	if r.Settings == "invalid" {
		return sdk.AdmissionReview{}, &sdk.Invalid{Message: "change " + r.Policy}
	}
	if r.User == "mallory" {
		return sdk.DenyAdmission("/cpus", words(r.User, uint32(r.Verb), uint32(r.Subject))), nil
	}
	review := sdk.AdmissionReview{Warnings: []string{words(r.Policy, r.ID, r.NowMillis, r.Settings)}}
	for _, g := range r.Above {
		review.Warnings = append(review.Warnings, words(g.ID, g.Apps, g.Instances,
			uint64(1000*g.CPUs), uint64(1000*g.Mem), uint64(1000*g.Disk), g.GPUs))
	}
	if !r.Force {
		parts := []string{"null", "null"}
		for i, part := range [][]byte{r.Old, r.New} {
			if len(part) > 0 {
				parts[i] = string(part)
			}
		}
		review.Amended = []byte("[" + strings.Join(parts, ",") + "]")
	}
	return review, nil
}
