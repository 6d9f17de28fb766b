package master

import (
	"errors"
	"fmt"

	"github.com/mesos/mesos-go/api/v1/lib"
	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

// errNoUUID reports an acknowledgement of an update that the master made itself.
var errNoUUID = errors.New("acknowledge: expected the UUID of a status update, found none")

// encoder turns the core's calls into messages. It is used by one goroutine.
type encoder struct {
	launch launch.Encoder
	about  *Framework // how it introduced itself
}

// encode returns the bytes of a call of the given framework, in memory of its own.
func (e *encoder) encode(framework string, call scheduler.Call) ([]byte, error) {
	var message *sched.Call
	switch c := call.(type) {
	case scheduler.Accept:
		if o := (launch.Operations{Free: c.Free, Reserve: c.Reserve, Tasks: c.Tasks}); !o.None() {
			return e.launch.AppendOperations(nil, framework, c.Offer.IDs(), &o, c.Refuse), nil
		}
		// An offer of which nothing is taken is given back.
		return e.launch.AppendDecline(nil, framework, c.Offer.IDs(), c.Refuse), nil
	case scheduler.Decline:
		return e.launch.AppendDecline(nil, framework, c.OfferIDs, c.Refuse), nil
	case scheduler.Revive:
		message = &sched.Call{Type: sched.Call_REVIVE, Revive: &sched.Call_Revive{Roles: c.Roles}}
	case scheduler.Suppress:
		message = &sched.Call{Type: sched.Call_SUPPRESS, Suppress: &sched.Call_Suppress{Roles: c.Roles}}
	case scheduler.UpdateRoles:
		f := e.about.in(c.Roles)
		message = &sched.Call{Type: sched.Call_UPDATE_FRAMEWORK, UpdateFramework: &sched.Call_UpdateFramework{
			FrameworkInfo: *f.info(framework), SuppressedRoles: f.suppressed(c.Suppressed),
		}}
	case scheduler.Kill:
		message = kill(&c)
	case scheduler.Acknowledge:
		if c.UUID == [16]byte{} {
			return nil, errNoUUID
		}
		message = acknowledge(&c)
	case scheduler.Reconcile:
		message = reconcile(&c)
	default:
		return nil, fmt.Errorf("call %T: unknown kind", call)
	}
	message.FrameworkID = &mesos.FrameworkID{Value: framework}
	body, err := message.Marshal()
	if err != nil {
		return nil, fmt.Errorf("%s: encoding: %w", message.Type, err)
	}
	return body, nil
}

func kill(c *scheduler.Kill) *sched.Call {
	return &sched.Call{Type: sched.Call_KILL, Kill: &sched.Call_Kill{
		TaskID: mesos.TaskID{Value: c.TaskID}, AgentID: agentID(c.AgentID),
	}}
}

func acknowledge(c *scheduler.Acknowledge) *sched.Call {
	return &sched.Call{Type: sched.Call_ACKNOWLEDGE, Acknowledge: &sched.Call_Acknowledge{
		TaskID: mesos.TaskID{Value: c.TaskID}, AgentID: mesos.AgentID{Value: c.AgentID}, UUID: c.UUID[:],
	}}
}

func reconcile(c *scheduler.Reconcile) *sched.Call {
	tasks := make([]sched.Call_Reconcile_Task, len(c.Tasks))
	for i, t := range c.Tasks {
		tasks[i] = sched.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: t.TaskID}, AgentID: agentID(t.AgentID)}
	}
	return &sched.Call{Type: sched.Call_RECONCILE, Reconcile: &sched.Call_Reconcile{Tasks: tasks}}
}

// subscribe is the call that begins a subscription; id is "" for a new framework.
func subscribe(f *Framework, id string, suppressed []string) *sched.Call {
	call := &sched.Call{Type: sched.Call_SUBSCRIBE, Subscribe: &sched.Call_Subscribe{
		FrameworkInfo: f.info(id), SuppressedRoles: f.suppressed(suppressed),
	}}
	if id != "" {
		call.FrameworkID = &mesos.FrameworkID{Value: id}
	}
	return call
}

// repeatable tells whether a call may be sent again when nobody knows whether it
// arrived. An ACCEPT may not: should the first one have launched its tasks, the
// second one would fail them under the ids of tasks that run.
func repeatable(call scheduler.Call) bool {
	_, accept := call.(scheduler.Accept)
	return !accept
}

func agentID(id string) *mesos.AgentID {
	if id == "" {
		return nil
	}
	return &mesos.AgentID{Value: id}
}
