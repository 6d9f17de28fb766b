// Command team-quota is a policy module for Pacer: what the apps of a team's group ask
// for, all together, stays below the team's quota. A team is warned before it gets
// there, and what it has is never taken away from it.
package main

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
	"github.com/pacer-run/pacer/sdk/jsonvalue"
)

// The module is served from here on; main is never run.
var _ = guest.Register(module(&quotas{}))

func main() {}

func module(q *quotas) guest.Module {
	return guest.Module{Name: "team-quota", Version: "1.0.0", Admission: q, Configure: q.configure}
}

// use is what instances take in all, or may take. In a quota 0 is no limit.
type use struct {
	Instances, CPUs float64
	Mem, Disk       float64 // MiB
}

// useOf reads it from an object with numbers of these names.
func useOf(v jsonvalue.Value) use {
	return use{float(v, "instances"), float(v, "cpus"), float(v, "mem"), float(v, "disk")}
}

// float is the number in a member, 0 when there is none.
func float(v jsonvalue.Value, name string) float64 {
	n, _ := v.Get(name).Float()
	return n
}

// quotas are the operator's settings.
type quotas struct {
	Teams       map[string]use // by group, such as /shop
	Others      use            // of any other group below the root
	WarnPercent float64        // of a quota; 0: at the quota only
}

func (q *quotas) configure(settings string) error {
	*q = quotas{Teams: map[string]use{}}
	if settings == "" {
		return nil
	}
	v, err := jsonvalue.Parse(settings)
	if err != nil {
		return &sdk.Invalid{Message: err.Error()}
	}
	teams := v.Get("teams") // the schema in policy.yaml has looked at the rest
	if teams.Exists() && teams.Kind() != jsonvalue.Object {
		return &sdk.Invalid{Message: "teams: expected quotas by group, not " + teams.Raw()}
	}
	for group, quota := range teams.Members() {
		q.Teams[group] = useOf(quota)
	}
	q.Others, q.WarnPercent = useOf(v.Get("others")), float(v, "warnPercent")
	return nil
}

func (q *quotas) Policies() []string { return []string{"team-quota"} }

// Review adds what the app asks for to what the rest of its team's group has.
func (q *quotas) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	if r.Settings != "" {
		return sdk.AdmissionReview{}, &sdk.Invalid{Message: "team-quota takes its settings from policies.yaml"}
	}
	// A group is reviewed app by app as well; the team's is the second from the root.
	if r.Subject != sdk.AdmissionApp || r.Verb == sdk.AdmissionDelete || len(r.Above) < 2 {
		return sdk.AllowAdmission(), nil
	}
	team := r.Above[1]
	quota, ok := q.Teams[team.ID]
	if !ok {
		quota = q.Others
	}
	was, err := demand(r.Old)
	if err != nil {
		return sdk.AdmissionReview{}, err
	}
	wants, err := demand(r.New)
	if err != nil {
		return sdk.AdmissionReview{}, err
	}
	rest := use{float64(team.Instances), team.CPUs, team.Mem, team.Disk}
	return q.compare(team.ID, rest, was, wants, quota), nil
}

// demand is what all instances of an app take; nothing of an app that is not there.
func demand(app []byte) (use, error) {
	if app == nil {
		return use{}, nil
	}
	v, err := jsonvalue.Parse(app)
	one := useOf(v)
	return use{one.Instances, one.Instances * one.CPUs, one.Instances * one.Mem, one.Instances * one.Disk}, err
}

func (q *quotas) compare(team string, rest, was, wants, quota use) (review sdk.AdmissionReview) {
	warn := cmp.Or(q.WarnPercent, 100)
	for _, of := range []struct {
		name                    string
		rest, was, wants, quota float64
	}{
		{"instances", rest.Instances, was.Instances, wants.Instances, quota.Instances},
		{"cpus", rest.CPUs, was.CPUs, wants.CPUs, quota.CPUs},
		{"mem", rest.Mem, was.Mem, wants.Mem, quota.Mem},
		{"disk", rest.Disk, was.Disk, wants.Disk, quota.Disk},
	} {
		total := of.rest + of.wants
		says := strings.Join([]string{team, "would have", number(total), "of", number(of.quota), of.name}, " ")
		switch {
		case of.quota == 0 || total <= of.quota*warn/100:
		case total > of.quota && of.wants > of.was:
			return sdk.DenyAdmission("/"+of.name, says)
		default: // near the quota, or above it since before there was one
			review.Warnings = append(review.Warnings, says)
		}
	}
	return review
}

// number is a number with three decimals at most.
func number(n float64) string {
	text := strconv.FormatFloat(n, 'f', 3, 64)
	return cmp.Or(strings.TrimRight(strings.TrimRight(text, "0"), "."), "0")
}
