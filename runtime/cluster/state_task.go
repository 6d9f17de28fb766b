package cluster

import (
	"net/http"

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
// learn the folder of a task's sandbox. Only running tasks are listed.
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
	byFramework := map[string]object{}
	frameworks := []object{}
	for _, r := range h.sortedRuns() {
		id := r.framework.ID.Value
		f := byFramework[id]
		if f == nil {
			f = object{"id": id, "name": r.framework.Name, "user": r.framework.User, "executors": []object{}, "completed_executors": []object{}}
			byFramework[id] = f
			frameworks = append(frameworks, f)
		}
		one := object{"id": r.id(), "name": r.task.Name, "framework_id": id, "slave_id": h.id, "resources": resourcesView(r.resources)}
		executor := object{"id": r.id(), "container": r.container, "tasks": []object{one}, "type": "", "source": r.id()}
		if h.dir != "" {
			executor["directory"] = r.sandbox()
		}
		f["executors"] = append(f["executors"].([]object), executor)
	}
	return object{
		"id": h.id, "pid": h.pid, "hostname": h.spec.hostname, "version": version, "attributes": attributesView(h.spec.attributes),
		"resources": resourcesView(h.spec.total), "frameworks": frameworks, "completed_frameworks": []object{},
	}
}
