package launch

import (
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Encoder writes task infos and the calls about offers. It keeps what is the
// same for all tasks of an app version. The zero value is ready; it is used by
// one goroutine at a time.
type Encoder struct {
	templates map[templateKey]*template
	last      templateKey // mostly that of the next task as well
	known     *template   // of last
	room      []uint16    // for the ports of the task at hand
}

// templateKey is what a template depends on.
type templateKey struct {
	app              *spec.App
	envPrefix        string
	bridge           string
	enforceGroupRole bool
	fetch            *placement.Fetch
}

// mostTemplates bounds what an encoder keeps; beyond it starts afresh.
const mostTemplates = 1 << 14

// template returns the app version's part, made at its first task.
func (e *Encoder) template(t *Task) *template {
	key := templateKey{t.App, t.EnvPrefix, t.BridgeName, t.EnforceGroupRole, t.Place.Fetch}
	if key == e.last && e.known != nil {
		return e.known
	}
	known, ok := e.templates[key]
	if !ok {
		if e.templates == nil || len(e.templates) >= mostTemplates {
			e.templates = map[templateKey]*template{}
		}
		known = newTemplate(key)
		e.templates[key] = known
	}
	e.last, e.known = key, known
	return known
}

// AppendTaskInfo appends the task as a mesos.TaskInfo message.
func (e *Encoder) AppendTaskInfo(b []byte, t Task) []byte { return e.appendTask(b, &t) }

func (e *Encoder) appendTask(b []byte, t *Task) []byte {
	known := e.template(t)
	b = append(b, known.head...)
	b = appendID(b, 2, t.ID)
	b = appendID(b, 3, t.Place.Offer.Agent.ID)
	var ports assigned
	ports, e.room = known.assign(e.room, t)
	return known.append(b, t, &ports)
}

// AppendAccept appends the call of Accept, with the framework's id.
func (e *Encoder) AppendAccept(b []byte, framework string, offers []string, tasks []Task, refuse time.Duration) []byte {
	return e.AppendOperations(b, framework, offers, &Operations{Tasks: tasks}, refuse)
}

// AppendDecline appends the call that gives offers back for at least refuse.
func (e *Encoder) AppendDecline(b []byte, framework string, offers []string, refuse time.Duration) []byte {
	b = appendID(b, 1, framework)
	b = appendVarint(b, 2, uint64(scheduler.Call_DECLINE))
	b, decline := openMessage(b, 5)
	for _, id := range offers {
		b = appendID(b, 1, id)
	}
	return closeMessage(appendFilters(b, 2, refuse), decline)
}

// appendFilters appends Filters. They are always sent: without them Mesos holds
// offers back for five seconds.
func appendFilters(b []byte, field int, refuse time.Duration) []byte {
	b, filters := openMessage(b, field)
	return closeMessage(appendDouble(b, 1, refuse.Seconds()), filters)
}

// appendShare appends the resources of a share to the field, in the form of frameworks
// without RESERVATION_REFINEMENT: a role on each, and for a dynamic reservation
// who made it. Nothing of zero size may be sent: Mesos refuses the task.
func appendShare(b []byte, field int, s *placement.Share) []byte {
	for k, amount := range s.Scalars {
		if amount <= 0 {
			continue
		}
		var resource, scalar int
		b, resource = openMessage(b, field)
		b = appendText(b, 1, placement.Kind(k).String())
		b = appendVarint(b, 2, uint64(mesos.SCALAR))
		b, scalar = openMessage(b, 3)
		b = closeMessage(appendDouble(b, 1, amount.Float()), scalar)
		b = closeMessage(appendReservation(b, &s.Reservation), resource)
	}
	if len(s.Ports) == 0 {
		return b
	}
	b, resource := openMessage(b, field)
	b = appendText(b, 1, "ports")
	b = appendVarint(b, 2, uint64(mesos.RANGES))
	b, ranges := openMessage(b, 4)
	for _, r := range s.Ports {
		var one int
		b, one = openMessage(b, 1)
		b = appendVarint(b, 1, uint64(r.Begin))
		b = closeMessage(appendVarint(b, 2, uint64(r.End)), one)
	}
	b = closeMessage(b, ranges)
	return closeMessage(appendReservation(b, &s.Reservation), resource)
}

// appendReservation appends the fields of a resource that say whose it is.
func appendReservation(b []byte, r *placement.Reservation) []byte {
	role := r.Role
	if role == "" {
		role = "*"
	}
	b = appendText(b, 6, role)
	if !r.Dynamic {
		return b
	}
	b, reservation := openMessage(b, 8)
	if r.Principal != "" {
		b = appendText(b, 1, r.Principal)
	}
	// The text was made by CanonicalLabels. Were it not, Mesos would say that
	// there is no such resource.
	if labels, err := placement.ParseLabels(r.Labels); err == nil && len(labels) > 0 {
		b = appendReservationLabels(b, labels)
	}
	return closeMessage(b, reservation)
}

// appendReservationLabels appends ReservationInfo.labels. A label without a value
// is not the same as one with an empty value.
func appendReservationLabels(b []byte, labels []placement.Label) []byte {
	b, all := openMessage(b, 2)
	for _, l := range labels {
		var one int
		b, one = openMessage(b, 1)
		b = appendText(b, 1, l.Key)
		if l.HasValue {
			b = appendText(b, 2, l.Value)
		}
		b = closeMessage(b, one)
	}
	return closeMessage(b, all)
}
