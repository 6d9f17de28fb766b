package cluster

import (
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// acceptance is an ACCEPT being carried out: operations work on the pooled resources one after the other, and a failing
// one does not stop the next.
type acceptance struct {
	m    *master
	f    *framework
	a    *agent
	role string
	pool resource.Set
	told []*operation // what the agent will tell of operations it carried out
}

// accept uses offers. The call was answered already: whatever is wrong with it comes back as a status update.
func (m *master) accept(f *framework, call *scheduler.Call_Accept) {
	if m.faults.takeAccept() {
		for _, id := range call.OfferIDs {
			if o := f.offers[id.Value]; o != nil {
				m.withdraw(o)
			}
		}
		return
	}
	offers, why := m.collect(f, call.OfferIDs)
	if why != "" {
		m.dropOperations(f, call.Operations, why)
		return
	}
	x := &acceptance{m: m, f: f, a: offers[0].agent, role: offers[0].role}
	for _, o := range offers {
		x.pool = x.pool.Plus(o.resources)
	}
	offered := x.pool
	for i := range call.Operations {
		x.operate(&call.Operations[i])
	}
	// What was made and not used is not refused, whatever the filters say: nobody has seen it in an offer yet.
	made := x.pool.Minus(offered)
	m.recover(x.a, made)
	m.refuse(f, x.a, x.role, x.pool.Minus(made), refusalTime(call.Filters))
	x.a.host.report(x.told)
}

// operate carries out one operation.
func (x *acceptance) operate(op *mesos.Offer_Operation) {
	switch op.Type {
	case mesos.Offer_Operation_LAUNCH:
		tasks := op.GetLaunch().GetTaskInfos()
		for i := range tasks {
			why := "The `id` field cannot be set on LAUNCH operations"
			if op.ID == nil {
				why = x.launch(&tasks[i])
			}
			if why != "" {
				x.m.refuseTask(x.f, &tasks[i], mesos.TASK_ERROR, mesos.REASON_TASK_INVALID, why)
			}
		}
	case mesos.Offer_Operation_LAUNCH_GROUP:
		tasks := op.GetLaunchGroup().GetTaskGroup().Tasks
		for i := range tasks {
			x.m.refuseTask(x.f, &tasks[i], mesos.TASK_ERROR, mesos.REASON_TASK_GROUP_INVALID,
				"Task groups are not supported by this cluster")
		}
	default:
		x.convert(op)
	}
}

// launch starts one task on the agent, or says what is wrong with it.
func (x *acceptance) launch(info *mesos.TaskInfo) string {
	want, why := x.validate(info)
	if why != "" {
		return why
	}
	t := &task{
		id: info.TaskID.Value, framework: x.f, agent: x.a, info: info, role: x.role, resources: x.pool.Own(want),
	}
	x.pool = x.pool.Minus(want)
	x.m.keep(t)
	x.a.host.launch(x.f.info, info, x.role, want)
	return ""
}

// dropOperations answers an ACCEPT whose offers cannot be used.
func (m *master) dropOperations(f *framework, ops []mesos.Offer_Operation, why string) {
	for i := range ops {
		op := &ops[i]
		tasks := op.GetLaunch().GetTaskInfos()
		if op.LaunchGroup != nil {
			tasks = op.LaunchGroup.TaskGroup.Tasks
		}
		for j := range tasks {
			m.refuseTask(f, &tasks[j], mesos.TASK_DROPPED, mesos.REASON_INVALID_OFFERS, "Task launched with invalid offers: "+why)
		}
		if op.Launch == nil && op.LaunchGroup == nil {
			m.failOperation(f, op, "Operation attempted with invalid offers: "+why)
		}
	}
}

// refuseTask sends the end of a task that never began. The master knows nothing of it afterwards, and the update has no
// uuid: nobody repeats it.
func (m *master) refuseTask(f *framework, info *mesos.TaskInfo, state mesos.TaskState, reason mesos.TaskStatus_Reason, why string) {
	if state != mesos.TASK_ERROR {
		state = f.able.lost(state)
	}
	status := m.masterStatus(info.TaskID.Value, info.AgentID.Value, state, reason, why)
	m.deliver(f, status)
}
