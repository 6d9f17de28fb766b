package api

import (
	"context"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// unusedOffer is the last offer of an agent that would not do, and why.
type unusedOffer struct {
	Offer     offerBody `json:"offer"`
	Reason    []string  `json:"reason"`
	Timestamp string    `json:"timestamp"` // when the offer came
}

type offerBody struct {
	ID         string          `json:"id"`
	Hostname   string          `json:"hostname"`
	AgentID    string          `json:"agentId"`
	Resources  []offerResource `json:"resources"`
	Attributes []offerText     `json:"attributes"`
}

// offerResource has a scalar or ranges.
type offerResource struct {
	Name   string       `json:"name"`
	Role   string       `json:"role"`
	Scalar *float64     `json:"scalar,omitempty"`
	Ranges []offerRange `json:"ranges,omitempty"`
}

type offerRange struct {
	Begin uint16 `json:"begin"`
	End   uint16 `json:"end"`
}

// offerText is an attribute. Scalars, ranges and sets are shown as the text that
// constraints compare: the core keeps no other form.
type offerText struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// unusedOffers tells of the last offer of each agent that does not fit, by the
// rules as they are now. One about which a policy failed was not refused.
func (s *server) unusedOffers(ctx context.Context, snapshot *scheduler.Snapshot, now spec.Timestamp, v *scheduler.AppView) []unusedOffer {
	e := s.explain(ctx, snapshot.Cluster(now), v.Wanted(), func(*placement.Agent) bool { return true })
	seen := snapshot.Sightings.ByAgent()
	list := []unusedOffer{}
	for i := range e.Agents {
		a := &e.Agents[i]
		if a.Offer == nil || a.Verdict != placement.Refused && deniedWord(v) == "" {
			continue
		}
		list = append(list, unusedOffer{
			Offer: offerOf(a.Offer), Reason: reasonsOf(a.Findings, deniedWord(v) != ""), Timestamp: seen[a.Offer.Agent.ID].At.String(),
		})
	}
	return list
}

// reasonsOf names what does not fit, each reason once, in the order of the checks. An
// app that a policy has denied fits nowhere.
func reasonsOf(findings []placement.Finding, denied bool) []string {
	names := reasonNames()
	var against [placement.Reasons]bool
	against[placement.UnfulfilledConstraint] = denied
	for _, f := range findings {
		if f.Verdict == placement.Refused {
			against[f.Rule.Reason()] = true
		}
	}
	reasons := []string{}
	for reason, bad := range against {
		if bad {
			reasons = append(reasons, names[reason])
		}
	}
	return reasons
}

func offerOf(o *placement.Offer) offerBody {
	body := offerBody{
		ID: o.ID, Hostname: o.Agent.Hostname, AgentID: o.Agent.ID, Resources: []offerResource{}, Attributes: []offerText{},
	}
	for i := range o.Shares {
		body.Resources = append(body.Resources, resourcesOf(&o.Shares[i])...)
	}
	for _, a := range o.Agent.Attributes {
		body.Attributes = append(body.Attributes, offerText{a.Name, a.Value})
	}
	return body
}

// resourcesOf lists what a share holds, in Mesos' names.
func resourcesOf(share *placement.Share) []offerResource {
	role := share.Reservation.Role
	if role == "" {
		role = "*"
	}
	var list []offerResource
	for kind, amount := range share.Scalars {
		if amount > 0 {
			list = append(list, offerResource{Name: placement.Kind(kind).String(), Role: role, Scalar: new(amount.Float())})
		}
	}
	if len(share.Ports) > 0 {
		ports := offerResource{Name: "ports", Role: role}
		for _, r := range share.Ports {
			ports.Ranges = append(ports.Ranges, offerRange{r.Begin, r.End})
		}
		list = append(list, ports)
	}
	return list
}
