package scheduler

import (
	"encoding/json"

	"github.com/pacer-run/pacer/sdk"
)

// findingsRecord is what of Findings outlasts a term: load balancers that ask the
// next leader must not find instances of which nothing is known. Readiness checks
// are made anew.
type findingsRecord struct {
	Health []checkRecord `json:"h,omitempty"`
}

type checkRecord struct {
	FirstSuccess int64           `json:"fs,omitempty"`
	LastSuccess  int64           `json:"ls,omitempty"`
	LastFailure  int64           `json:"lf,omitempty"`
	Cause        string          `json:"lc,omitempty"`
	Failures     uint32          `json:"cf,omitempty"` // consecutive
	Recent       uint64          `json:"r,omitempty"`
	Results      uint32          `json:"n,omitempty"`
	State        sdk.HealthState `json:"s,omitempty"`
	Reason       string          `json:"w,omitempty"`
}

// encodeFindings returns nil when nothing is worth a record.
func encodeFindings(f *Findings) []byte {
	if f == nil || len(f.Health) == 0 {
		return nil
	}
	r := findingsRecord{Health: make([]checkRecord, len(f.Health))}
	for i := range f.Health {
		h := &f.Health[i]
		r.Health[i] = checkRecord{
			FirstSuccess: h.FirstSuccess, LastSuccess: h.LastSuccess, LastFailure: h.LastFailure, Cause: h.LastFailureCause,
			Failures: h.ConsecutiveFailures, Recent: h.Recent, Results: h.Results, State: h.State, Reason: h.Reason,
		}
	}
	return mustJSON(r)
}

// decodeFindings reads what encodeFindings wrote; nil of nothing.
func decodeFindings(raw *json.RawMessage) (*Findings, error) {
	if raw == nil {
		return nil, nil
	}
	var r findingsRecord
	if err := json.Unmarshal(*raw, &r); err != nil {
		return nil, err
	}
	f := &Findings{Health: make([]CheckHealth, len(r.Health))}
	for i := range r.Health {
		c := &r.Health[i]
		f.Health[i] = CheckHealth{
			HealthRecord: sdk.HealthRecord{
				FirstSuccess: c.FirstSuccess, LastSuccess: c.LastSuccess, LastFailure: c.LastFailure, LastFailureCause: c.Cause,
				ConsecutiveFailures: c.Failures, Recent: c.Recent, Results: min(c.Results, sdk.MaxRecentResults),
			},
			State: c.State, Reason: c.Reason,
		}
	}
	return f, nil
}
