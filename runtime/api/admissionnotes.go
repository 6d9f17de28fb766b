package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/pacer-run/pacer/runtime/spec"
)

// admissionCounts are totals for metrics.
type admissionCounts struct{ reviews, denied, amended, faults atomic.Uint64 }

// metrics are about reviews, so there are none without policies.
func (c *admissionCounts) metrics(admit Admission) []Metric {
	if admit == nil {
		return nil
	}
	counter := func(name, help string, value *atomic.Uint64) Metric {
		return Metric{Name: name, Help: help, Counter: true, Value: float64(value.Load())}
	}
	return []Metric{
		counter("pacer_admission_reviews_total", "Apps and groups that admission policies reviewed, those of plans too.", &c.reviews),
		counter("pacer_admission_denied_total", "Apps and groups that an admission policy denied.", &c.denied),
		counter("pacer_admission_amended_total", "Amendments by admission policies.", &c.amended),
		counter("pacer_admission_faults_total", "Reviews that failed: what was to be reviewed was refused.", &c.faults),
	}
}

// note is what policies tell a user whose change they let through.
type note struct {
	id   spec.PathID
	code string // as in a plan
	text string
}

// The codes of notes.
const (
	noteWarning = "admission"
	noteAmended = "amended"
)

// warn tells notes in headers, as far as an answer has room for them.
func warn(w http.ResponseWriter, notes []note) {
	const most = 20
	for i, n := range notes {
		text := n.text
		if i == most {
			text = strconv.Itoa(len(notes)-most) + " more warnings of admission policies are left out"
		}
		w.Header().Add("Warning", "299 pacer "+strconv.QuoteToASCII(text))
		if i == most {
			return
		}
	}
}

// amended notes what a policy has made of a subject.
func (a *admission) amended(id spec.PathID, policy string, changed []fieldDelta) {
	a.admissions.amended.Add(1)
	const most = 10
	var paths []string
	for _, d := range changed[:min(len(changed), most)] {
		paths = append(paths, d.Path)
	}
	text := "admission policy " + policy + " amended " + string(id)
	if len(paths) > 0 {
		text += ": " + strings.Join(paths, ", ")
	}
	if len(changed) > most {
		text += " and more"
	}
	a.notes = append(a.notes, note{id, noteAmended, text})
}

// cannotAmend refuses a change for an amendment that it has no room for.
func (a *admission) cannotAmend(x spec.PathID, policy string) {
	if a.unamendable == nil {
		a.unamendable = spec.NewFault("/", "the admission policy "+policy+" would amend "+string(x)+
			", which is not possible when tasks are killed, a deployment is undone or a group's role is enforced: change "+string(x)+" itself first")
	}
}

// amendmentFault says in one line why an amendment is not taken.
func amendmentFault(id spec.PathID, err error) error {
	if faults, ok := errors.AsType[*spec.Faults](err); ok {
		var parts []string
		for _, d := range faults.Details {
			parts = append(parts, d.Path+" "+strings.Join(d.Errors, ", "))
		}
		return errors.New(string(id) + ": " + strings.Join(parts, "; "))
	}
	return errors.New(string(id) + ": " + err.Error())
}
