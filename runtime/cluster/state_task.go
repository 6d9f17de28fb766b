package cluster

import (
	"net/http"
	"slices"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

func (f *framework) view() object {
	var used, offered resource.Set
	tasks, completed, unreachable := []object{}, []object{}, []object{}
	for _, t := range sortedTasks(f.tasks) {
		tasks = append(tasks, t.view())
		if !t.released {
			used = used.Plus(t.resources)
		}
	}
	for _, t := range f.ended {
		completed = append(completed, t.view())
	}
	for _, t := range sortedTasks(f.unreachable) {
		unreachable = append(unreachable, t.view())
	}
	offers := []object{}
	for _, o := range f.offers {
		offers = append(offers, object{
			"id": o.id, "framework_id": f.id, "slave_id": o.agent.id, "allocation_info": object{"role": o.role},
			"resources": resourcesView(o.resources),
		})
		offered = offered.Plus(o.resources)
	}
	capabilities := []string{}
	for _, c := range f.info.Capabilities {
		capabilities = append(capabilities, c.Type.String())
	}
	return object{
		"id": f.id, "name": f.info.Name, "user": f.info.User, "hostname": f.info.GetHostname(), "webui_url": f.info.GetWebUiURL(),
		"principal": f.info.GetPrincipal(), "roles": f.roles, "capabilities": capabilities, "checkpoint": f.info.GetCheckpoint(),
		"failover_timeout": f.info.GetFailoverTimeout(), "active": f.stream != nil, "connected": f.stream != nil,
		"registered_time": seconds(f.since), "used_resources": resourcesView(used), "offered_resources": resourcesView(offered),
		"tasks": tasks, "completed_tasks": completed, "unreachable_tasks": unreachable, "offers": offers,
	}
}

func (t *task) view() object {
	statuses := []object{}
	for _, s := range t.history {
		one := object{"state": s.GetState().String(), "timestamp": s.GetTimestamp()}
		if s.ContainerStatus != nil {
			one["container_status"] = s.ContainerStatus
		}
		if s.Healthy != nil {
			one["healthy"] = *s.Healthy
		}
		statuses = append(statuses, one)
	}
	state := "TASK_STAGING"
	if last := t.latest(); last != nil {
		state = last.GetState().String()
	}
	out := object{
		"id": t.id, "name": t.info.Name, "framework_id": t.framework.id, "executor_id": "", "slave_id": t.agent.id,
		"state": state, "role": t.role, "resources": resourcesView(t.resources), "statuses": statuses,
	}
	if t.info.Labels != nil {
		out["labels"] = t.info.Labels.Labels
	}
	if t.info.Discovery != nil {
		out["discovery"] = t.info.Discovery
	}
	return out
}

// agentState is an agent's own /state, below its path as in the url of its offers: /slave(1)/state. It is where tools
// learn the folder of a task's sandbox.
func (c *Cluster) agentState(r *http.Request) any {
	var out object
	c.loop.do(func() {
		for _, h := range c.hosts {
			if h.url.GetPath() == "/"+r.PathValue("agent") {
				out = h.view()
				return
			}
		}
	})
	if out == nil {
		return nil
	}
	return out
}

func (h *host) view() object {
	frameworks := []object{}
	byID := map[string]object{}
	framework := func(r *run) object {
		f := byID[r.framework.ID.Value]
		if f == nil {
			f = object{
				"id": r.framework.ID.Value, "name": r.framework.Name, "user": r.framework.User,
				"executors": []object{}, "completed_executors": []object{},
			}
			byID[r.framework.ID.Value] = f
			frameworks = append(frameworks, f)
		}
		return f
	}
	for _, r := range h.sortedRuns() {
		f := framework(r)
		f["executors"] = append(f["executors"].([]object), r.executorView("tasks"))
	}
	for _, r := range h.ended {
		f := framework(r)
		f["completed_executors"] = append(f["completed_executors"].([]object), r.executorView("completed_tasks"))
	}
	return object{
		"id": h.id, "pid": h.pid, "hostname": h.spec.hostname, "version": version, "attributes": attributesView(h.spec.attributes),
		"resources": resourcesView(h.total), "frameworks": frameworks, "completed_frameworks": []object{},
	}
}

// executorView is the run as tools look for it: where its sandbox is, with its only task in the list of the given name.
func (r *run) executorView(list string) object {
	out := object{
		"id": r.id(), "name": r.task.Name, "container": r.container, "type": "", "source": r.id(),
		"tasks": []object{}, "queued_tasks": []object{}, "completed_tasks": []object{},
	}
	out[list] = []object{{
		"id": r.id(), "name": r.task.Name, "framework_id": r.framework.ID.Value, "slave_id": r.host.id,
		"resources": resourcesView(r.resources),
	}}
	if r.host.dir != "" {
		out["directory"] = r.sandbox()
	}
	return out
}

// maxEndedRuns is how many runs that are over an agent remembers, as far as its state shows them.
const maxEndedRuns = 1000

// remember keeps a run that is over for whoever looks for its sandbox. A restart forgets them; the sandboxes are found by
// their paths all the same.
func (h *host) remember(r *run) {
	h.ended = append(h.ended, r)
	if len(h.ended) > maxEndedRuns {
		h.ended = slices.Delete(h.ended, 0, len(h.ended)-maxEndedRuns)
	}
}
