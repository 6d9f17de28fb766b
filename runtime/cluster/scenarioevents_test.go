package cluster_test

import (
	"fmt"
	"strings"

	"github.com/cockroachdb/datadriven"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// await shows the next events of a kind, or of a task.
func (s *scenario) await(d *datadriven.TestData) string {
	f := s.actor(d)
	kind := d.CmdArgs[0].Key
	if kind == "update" {
		return s.awaitTask(d, f, d.CmdArgs[1].Key)
	}
	if kind == "OPERATION" {
		kind = "UPDATE_OPERATION_STATUS"
	}
	var out strings.Builder
	for range number(d, "n", 1) {
		out.WriteString(s.show(f, f.await(kind, isType(scheduler.Event_Type(scheduler.Event_Type_value[kind])))))
	}
	return out.String()
}

func (s *scenario) awaitTask(d *datadriven.TestData, f *actor, task string) string {
	var out strings.Builder
	until := arg(d, "until", "")
	for {
		e := f.await("an update of "+task, func(e *scheduler.Event) bool {
			return e.Update != nil && e.Update.Status.TaskID.Value == task
		})
		out.WriteString(s.show(f, e))
		if until == "" || e.Update.Status.GetState().String() == until {
			return out.String()
		}
	}
}

func (s *scenario) awaitAll(d *datadriven.TestData) string {
	f := s.actor(d)
	var out strings.Builder
	for range number(d, "n", 1) {
		out.WriteString(s.show(f, f.await("any event", func(e *scheduler.Event) bool { return e.Type != scheduler.Event_HEARTBEAT })))
	}
	return out.String()
}

// noMore shows what was not awaited. A RECONCILE before it makes sure that all has come: answers keep the order.
func (s *scenario) noMore(d *datadriven.TestData) string {
	f := s.actor(d)
	f.reconcile(scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: "mark"}})
	f.await("the mark", func(e *scheduler.Event) bool { return e.Update != nil && e.Update.Status.TaskID.Value == "mark" })
	f.mu.Lock()
	defer f.mu.Unlock()
	var out strings.Builder
	for _, e := range f.events {
		if !f.taken[e] && e.Type != scheduler.Event_HEARTBEAT {
			f.taken[e] = true
			out.WriteString(s.show(f, e))
		}
	}
	return out.String()
}

// show is an event as one or more lines.
func (s *scenario) show(f *actor, e *scheduler.Event) string {
	switch e.Type {
	case scheduler.Event_OFFERS:
		f.latest = e.Offers.Offers
		return showOffers(e.Offers.Offers)
	case scheduler.Event_UPDATE:
		if len(e.Update.Status.UUID) > 0 {
			f.statuses[e.Update.Status.TaskID.Value] = &e.Update.Status
		}
		return showStatus(&e.Update.Status)
	case scheduler.Event_UPDATE_OPERATION_STATUS:
		st := &e.UpdateOperationStatus.Status
		if st.UUID != nil {
			f.operations[st.OperationID.Value] = &scheduler.Call_AcknowledgeOperationStatus{
				AgentID: st.AgentID, UUID: st.UUID.Value, OperationID: *st.OperationID,
			}
		}
		return showOperation(st)
	case scheduler.Event_RESCIND:
		return "RESCIND " + e.Rescind.OfferID.Value + "\n"
	case scheduler.Event_FAILURE:
		return "FAILURE agent=" + e.Failure.GetAgentID().GetValue() + "\n"
	case scheduler.Event_INVERSE_OFFERS:
		f.latest = nil
		var out strings.Builder
		for _, o := range e.InverseOffers.InverseOffers {
			f.latest = append(f.latest, mesos.Offer{ID: o.OfferID, AgentID: *o.AgentID})
			fmt.Fprintf(&out, "INVERSE_OFFERS %s agent=%s%s\n", o.OfferID.Value, o.GetAgentID().GetValue(), showTime(&o.Unavailability))
		}
		return out.String()
	case scheduler.Event_RESCIND_INVERSE_OFFER:
		return "RESCIND_INVERSE_OFFER " + e.RescindInverseOffer.InverseOfferID.Value + "\n"
	case scheduler.Event_ERROR:
		return "ERROR " + e.Error.Message + "\n"
	default:
		return e.Type.String() + "\n"
	}
}

func showTime(u *mesos.Unavailability) string {
	if u == nil {
		return ""
	}
	text := fmt.Sprintf(" unavailable from %d", u.Start.Nanoseconds)
	if u.Duration != nil {
		text += fmt.Sprintf(" for %d", u.Duration.Nanoseconds)
	}
	return text
}

func showOffers(list []mesos.Offer) string {
	var out strings.Builder
	for i := range list {
		o := &list[i]
		fmt.Fprintf(&out, "OFFERS %s agent=%s", o.ID.Value, o.AgentID.Value)
		if o.AllocationInfo != nil {
			fmt.Fprintf(&out, " role=%s", o.AllocationInfo.GetRole())
		}
		out.WriteString(showTime(o.Unavailability) + "\n")
		for j := range o.Resources {
			out.WriteString("  " + showResource(&o.Resources[j]) + "\n")
		}
	}
	return out.String()
}

// showResource shows the wire's form of a resource: the old one with role=, the new one without.
func showResource(r *mesos.Resource) string {
	set, err := resource.FromProto([]mesos.Resource{*r})
	if err != nil || len(set) != 1 {
		return fmt.Sprintf("%v %v", r, err)
	}
	text := set.Text(r.GetAllocationInfo().GetRole())
	if r.Role != nil {
		text += " role=" + r.GetRole()
	}
	if r.Reservation != nil {
		text += " reservation"
	}
	if p := r.GetDisk().GetPersistence(); p != nil {
		text += " made by " + p.GetPrincipal()
	}
	return text
}

func showStatus(st *mesos.TaskStatus) string {
	var out strings.Builder
	fmt.Fprintf(&out, "UPDATE %s %s %s", st.TaskID.Value, st.GetState(), st.GetSource())
	if st.Reason != nil {
		fmt.Fprintf(&out, " %s", st.GetReason())
	}
	if len(st.UUID) > 0 {
		out.WriteString(" uuid")
	}
	if st.ContainerStatus != nil {
		out.WriteString(" container")
	}
	if st.Healthy != nil {
		fmt.Fprintf(&out, " healthy=%v", *st.Healthy)
	}
	if st.AgentID != nil {
		fmt.Fprintf(&out, " agent=%s", st.AgentID.Value)
	}
	if st.Message != nil {
		fmt.Fprintf(&out, " %q", st.GetMessage())
	}
	return out.String() + "\n"
}

func showOperation(st *mesos.OperationStatus) string {
	var out strings.Builder
	fmt.Fprintf(&out, "OPERATION %s %s", st.OperationID.GetValue(), st.State)
	if st.UUID != nil {
		out.WriteString(" uuid")
	}
	if st.AgentID != nil {
		fmt.Fprintf(&out, " agent=%s", st.AgentID.Value)
	}
	if st.Message != nil {
		fmt.Fprintf(&out, " %q", st.GetMessage())
	}
	return out.String() + "\n"
}
