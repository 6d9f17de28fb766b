package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// queueItem is an app with instances that wait for a place.
type queueItem struct {
	App       json.RawMessage `json:"app"`
	Count     int             `json:"count"`
	Role      string          `json:"role"`
	Since     string          `json:"since"`
	Delay     queueDelay      `json:"delay"`
	Processed offersSummary   `json:"processedOffersSummary"`
	Offers    *[]unusedOffer  `json:"lastUnusedOffers,omitempty"` // on demand
	// Fault is why the app cannot be launched by this version, or why a policy could
	// not be asked in the last match, which then says nothing about the offers.
	// Marathon has no such field.
	Fault string `json:"fault,omitempty"`
	// Denied is the word of a policy against the app itself, which no offer can help.
	// Marathon has no such field.
	Denied string `json:"denied,omitempty"`
}

// queueDelay tells an app that is held back after failures, its own or those of a
// policy, from one for which there is no place: only the second is overdue.
type queueDelay struct {
	TimeLeftSeconds int64 `json:"timeLeftSeconds"`
	Overdue         bool  `json:"overdue"`
}

// offersSummary says how offers fared. The core remembers the last match, so
// both summaries are of that one.
type offersSummary struct {
	Processed     int            `json:"processedOffersCount"`
	Unused        int            `json:"unusedOffersCount"`
	LastUnused    string         `json:"lastUnusedOfferAt,omitempty"` // of this leader's term
	LastUsed      string         `json:"lastUsedOfferAt,omitempty"`
	LastOffers    []rejectReason `json:"rejectSummaryLastOffers"`
	LaunchAttempt []rejectReason `json:"rejectSummaryLaunchAttempt"`
}

// rejectReason is a step of the funnel: Processed offers came to it, Declined of
// them ended there.
type rejectReason struct {
	Reason    string `json:"reason"`
	Declined  int    `json:"declined"`
	Processed int    `json:"processed"`
}

// queue answers what waits for a place.
func (s *server) queue(core Core, w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), s.CommandTimeout)
	defer cancel()
	now, snapshot := spec.TimestampOf(s.Now()), core.Snapshot()
	withOffers := slices.Contains(r.URL.Query()["embed"], "lastUnusedOffers")
	items := []queueItem{}
	for v := range viewsBelow(snapshot, spec.Root) {
		item := queueItemOf(v, now)
		if item.Count == 0 {
			continue
		}
		if withOffers {
			item.Offers = new(s.unusedOffers(ctx, snapshot, now, v))
		}
		items = append(items, item)
	}
	writeJSON(w, http.StatusOK, map[string]any{"queue": items})
	return nil
}

// queueItemOf has a count of 0 for an app that waits for nothing.
func queueItemOf(v *scheduler.AppView, now spec.Timestamp) queueItem {
	item := queueItem{Role: v.App.Role}
	var since spec.Timestamp
	for _, i := range v.Instances {
		if i.Goal != scheduler.GoalRunning || hasTask(i) { // one that has ended waits for its next place
			continue
		}
		item.Count++
		if since == 0 || i.Since < since {
			since = i.Since
		}
	}
	if item.Count == 0 {
		return item
	}
	left := max(0, int64(max(v.Backoff.Until, v.PausedUntil)-now))
	item.App = append(v.App.AppendFields([]byte{'{'}, true), '}')
	item.Since = since.String()
	item.Delay = queueDelay{TimeLeftSeconds: (left + 999) / 1000, Overdue: left == 0}
	item.Processed = summaryOfOffers(v.Refusals)
	if at := v.OfferTimes.Unused; at != 0 {
		item.Processed.LastUnused = at.String()
	}
	if at := v.OfferTimes.Used; at != 0 {
		item.Processed.LastUsed = at.String()
	}
	switch {
	case len(v.Uncovered) > 0:
		item.Fault = "not launched, since this version of Pacer does not carry out: " + strings.Join(v.Uncovered, ", ")
	case v.Refusals != nil && v.Refusals.Fault != nil:
		item.Fault = v.Refusals.Fault.Error()
	default:
		item.Denied = deniedWord(v)
	}
	return item
}

// deniedWord is a policy's word against the app itself in the last match; "" for none.
func deniedWord(v *scheduler.AppView) string {
	if v.Refusals == nil {
		return ""
	}
	return v.Refusals.Denied
}

// summaryOfOffers lists every reason in the order of the checks, also those that
// declined nothing. r may be nil.
func summaryOfOffers(r *placement.Refusals) offersSummary {
	if r == nil {
		r = &placement.Refusals{}
	}
	summary := offersSummary{Processed: r.Processed}
	left := r.Processed
	for reason, name := range reasonNames() {
		declined := r.Declined[reason]
		summary.LastOffers = append(summary.LastOffers, rejectReason{name, declined, left})
		left -= declined
	}
	summary.Unused = r.Unused()
	summary.LaunchAttempt = summary.LastOffers
	return summary
}

// reasonNames are the API's names of the reasons, in the order of their values.
func reasonNames() [placement.Reasons]string {
	return [...]string{
		"UnfulfilledRole", "UnfulfilledConstraint", "NoCorrespondingReservationFound", "AgentMaintenance", "InsufficientCpus",
		"InsufficientMemory", "InsufficientDisk", "InsufficientGpus", "InsufficientPorts", "DeclinedScarceResources",
	}
}
