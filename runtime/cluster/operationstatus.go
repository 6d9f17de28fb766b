package cluster

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// operation is one that an agent carried out under an id, until its framework acknowledged that. It belongs to the loop.
type operation struct {
	framework string
	status    *mesos.OperationStatus
	retry     *alarm
	backoff   time.Duration
}

// report tells of operations that were carried out. They are kept on disk before anybody hears of them.
func (h *host) report(list []*operation) {
	if len(list) == 0 {
		return
	}
	h.operations = append(h.operations, list...)
	h.keepHoldings()
	for _, op := range list {
		h.forwardOperation(op)
	}
}

// forwardOperation sends the state, and again with growing pauses until it is acknowledged.
func (h *host) forwardOperation(op *operation) {
	op.retry.stop()
	if h.master == nil {
		return
	}
	if f := h.master.frameworks[op.framework]; f != nil {
		h.master.send(f, operationEvent(*op.status))
	}
	op.backoff = min(max(2*op.backoff, h.cfg.StatusRetry), maxStatusRetry)
	op.retry = h.loop.after(op.backoff, func() { h.forwardOperation(op) })
}

// resendOperations repeats what is unacknowledged at once; framework "" means those of all.
func (h *host) resendOperations(framework string) {
	for _, op := range slices.Clone(h.operations) {
		if framework == "" || op.framework == framework {
			op.backoff = 0
			h.forwardOperation(op)
		}
	}
}

// dropOperations forgets operations that nobody waits for any more.
func (h *host) dropOperations(gone func(*operation) bool) {
	before := len(h.operations)
	h.operations = slices.DeleteFunc(h.operations, func(op *operation) bool {
		if !gone(op) {
			return false
		}
		op.retry.stop()
		return true
	})
	if len(h.operations) < before {
		h.keepHoldings()
	}
}

// acknowledgeOperation ends the repetitions of an operation's state.
func (m *master) acknowledgeOperation(f *framework, call *scheduler.Call_AcknowledgeOperationStatus) {
	a := m.agents[call.GetAgentID().GetValue()]
	if a == nil || a.host == nil {
		return
	}
	a.host.dropOperations(func(op *operation) bool {
		return op.framework == f.id && bytes.Equal(op.status.UUID.Value, call.UUID)
	})
}

// reconcileOperations answers with what is known: of the operations named, or of all when none is named. An operation is
// known from its end until that is acknowledged.
func (m *master) reconcileOperations(f *framework, call *scheduler.Call_ReconcileOperations) {
	for i := range call.Operations {
		m.reconcileOperation(f, &call.Operations[i])
	}
	if len(call.Operations) > 0 {
		return
	}
	for _, a := range m.fleet {
		if a.host == nil {
			continue
		}
		for _, op := range a.host.operations {
			if op.framework == f.id {
				m.send(f, operationEvent(latestOperation(op)))
			}
		}
	}
}

// latestOperation has no uuid: it is an answer, not to be acknowledged.
func latestOperation(op *operation) mesos.OperationStatus {
	out := *op.status
	out.UUID = nil
	return out
}

func (m *master) reconcileOperation(f *framework, asked *scheduler.Call_ReconcileOperations_Operation) {
	for _, a := range m.fleet {
		if a.host == nil {
			continue
		}
		for _, op := range a.host.operations {
			if op.framework == f.id && op.status.OperationID.Value == asked.OperationID.Value {
				m.send(f, operationEvent(latestOperation(op)))
				return
			}
		}
	}
	state, why := mesos.OPERATION_UNKNOWN, "Operation is unknown"
	switch a := m.agents[asked.GetAgentID().GetValue()]; {
	case asked.AgentID == nil:
		why += " and no 'agent_id' was provided"
	case a == nil:
	case a.state == agentRecovering || a.state == agentDisconnected:
		state, why = mesos.OPERATION_RECOVERING, "Agent is recovering"
	case a.state == agentUnreachable:
		state, why = mesos.OPERATION_UNREACHABLE, "Agent is unreachable"
	case a.state == agentGone:
		state, why = mesos.OPERATION_GONE_BY_OPERATOR, "Agent is marked gone"
	}
	why = "Reconciliation: " + why
	m.send(f, operationEvent(mesos.OperationStatus{
		OperationID: &asked.OperationID, State: state, Message: &why, AgentID: asked.AgentID,
	}))
}

// failOperation tells of an operation that was not carried out, if it has an id: others fail silently.
func (m *master) failOperation(f *framework, op *mesos.Offer_Operation, why string) {
	if op.ID == nil {
		m.log.Info("cluster: operation failed", "framework", f.id, "operation", op.Type.String(), "reason", why)
		return
	}
	m.send(f, operationEvent(mesos.OperationStatus{OperationID: op.ID, State: mesos.OPERATION_ERROR, Message: &why}))
}

func operationEvent(status mesos.OperationStatus) *scheduler.Event {
	return &scheduler.Event{
		Type:                  scheduler.Event_UPDATE_OPERATION_STATUS,
		UpdateOperationStatus: &scheduler.Event_UpdateOperationStatus{Status: status},
	}
}

// rolesText is a set of roles as a master writes it.
func rolesText(roles []string) string { return "{ " + strings.Join(roles, ", ") + " }" }

// isBelow tells whether role is a strict sub-role of parent.
func isBelow(role, parent string) bool { return strings.HasPrefix(role, parent+"/") }
