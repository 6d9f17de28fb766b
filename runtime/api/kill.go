package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// killing is what a request that ends tasks asks for besides.
type killing struct {
	scale bool // the apps get smaller by as many
	wipe  bool // the instances are forgotten
}

func killingOf(r *http.Request) (killing, error) {
	k := killing{scale: flag(r, "scale", false), wipe: flag(r, "wipe", false)}
	if k.scale && k.wipe {
		return k, errScaleAndWipe
	}
	return k, nil
}

// killTasks carries out DELETE /v2/apps/{id}/tasks, for the tasks on one host or
// all. Answered are those that matched, as they were before.
func (s *server) killTasks(core Core, w http.ResponseWriter, r *http.Request, t target) error {
	k, err := killingOf(r)
	if err != nil {
		return err
	}
	v := viewOf(core.Snapshot(), t.id)
	switch {
	case v == nil:
		return &scheduler.NotFound{App: t.id}
	case k.scale && len(v.Instances) == 0:
		return &scheduler.NothingToKill{App: t.id}
	}
	matched := onHost(v.Instances, r.URL.Query().Get("host"))
	if k.scale {
		return s.scaleDown(core, w, r, matched, v.App)
	}
	killed, err := s.kill(core, r, matched, k)
	if err != nil {
		return err
	}
	answerKilled(w, killed)
	return nil
}

// answerKilled shows those instances that had a task.
func answerKilled(w http.ResponseWriter, killed []*scheduler.Instance) {
	b := []byte(`{"tasks":[`)
	first := true
	for _, i := range killed {
		if !hasTask(i) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendTask(b, i, i.App.Safe(), nil)
	}
	writeBytes(w, http.StatusOK, append(b, "]}"...))
}

// onHost picks the instances on a host; all of them for "" and "*", also those
// without a place.
func onHost(instances []*scheduler.Instance, host string) []*scheduler.Instance {
	if host == "" || host == "*" {
		return instances
	}
	var matched []*scheduler.Instance
	for _, i := range instances {
		if i.Agent != nil && i.Agent.Hostname == host {
			matched = append(matched, i)
		}
	}
	return matched
}

// killTask carries out DELETE /v2/apps/{id}/tasks/{taskId}. The task counts, not
// the path: clients derive the path from the task's id, and several do it wrong.
// t's id is "" for a path that is none.
func (s *server) killTask(core Core, w http.ResponseWriter, r *http.Request, t target) error {
	k, err := killingOf(r)
	if err != nil {
		return err
	}
	snapshot := core.Snapshot()
	var found []*scheduler.Instance
	if i := instanceOf(snapshot, t.item); i != nil {
		found, t.id = append(found, i), i.App
	}
	v := viewOf(snapshot, t.id)
	switch {
	case k.scale && v != nil:
		return s.scaleDown(core, w, r, found, v.App)
	case v == nil && found == nil && t.id != "":
		return &scheduler.NotFound{App: t.id}
	case found == nil:
		return noTask(t.item)
	}
	killed, err := s.kill(core, r, found, k)
	if err != nil {
		return err
	}
	if len(killed) == 0 || !hasTask(killed[0]) && !k.wipe { // it ended meanwhile
		return noTask(t.item)
	}
	if killed[0].Agent == nil {
		return noTask(t.item)
	}
	i := killed[0]
	writeBytes(w, http.StatusOK, append(appendTask([]byte(`{"task":`), i, i.App.Safe(), nil), '}'))
	return nil
}

func noTask(id string) error {
	return &problem{http.StatusNotFound, "Task '" + id + "' does not exist"}
}

// killList carries out POST /v2/tasks/delete. Ids of tasks that are not there are
// left out, texts that are no such ids are refused.
func (s *server) killList(core Core, w http.ResponseWriter, r *http.Request) error {
	k, err := killingOf(r)
	if err != nil {
		return err
	}
	data, err := s.body(w, r)
	if err != nil {
		return err
	}
	ids, unknown, err := parseIDs(data)
	if err != nil {
		return err
	}
	if err := noteUnknownFields(w, r, "a list of tasks", unknown); err != nil {
		return err
	}
	found, apps, err := namedTasks(core.Snapshot(), ids)
	if err != nil {
		return err
	}
	if k.scale {
		return s.scaleDown(core, w, r, found, apps...)
	}
	killed, err := s.kill(core, r, found, k)
	if err != nil {
		return err
	}
	answerKilled(w, killed)
	return nil
}

// namedTasks finds the instances of tasks, each once, and the apps they are of.
func namedTasks(snapshot *scheduler.Snapshot, ids []string) (found []*scheduler.Instance, apps []*spec.App, err error) {
	seen := map[scheduler.UUID]bool{}
	for _, id := range ids {
		name, err := scheduler.ReadTaskID(id)
		if err != nil {
			return nil, nil, &problem{http.StatusBadRequest, "Invalid task id '" + id + "'. [" + err.Error() + "]"}
		}
		if seen[name.Instance] {
			continue
		}
		i := instanceOf(snapshot, id)
		if i == nil {
			continue
		}
		seen[name.Instance] = true
		found = append(found, i)
		if v := viewOf(snapshot, i.App); v != nil && !slices.Contains(apps, v.App) {
			apps = append(apps, v.App)
		}
	}
	return found, apps, nil
}

// instanceOf finds the instance of a task by the task's id; nil when there is
// neither such a task nor anything that its instance has reserved. No app's id has a "_", so the path in a task's id can be turned back.
func instanceOf(snapshot *scheduler.Snapshot, taskID string) *scheduler.Instance {
	name, err := scheduler.ReadTaskID(taskID)
	if err != nil || name.Foreign {
		return nil
	}
	v, ok := snapshot.Apps.Get([]byte("/" + strings.ReplaceAll(name.SafePath, "_", "/")))
	if !ok {
		return nil
	}
	for _, i := range v.Instances {
		if i.ID == name.Instance && i.Incarnation == name.Incarnation && (hasTask(i) || i.Reservation != nil) {
			return i
		}
	}
	return nil
}

// kill has tasks ended; their instances get others.
func (s *server) kill(core Core, r *http.Request, instances []*scheduler.Instance, k killing) ([]*scheduler.Instance, error) {
	reply, done, err := s.command(r, core, func(request scheduler.RequestID, _ string) scheduler.Event {
		return scheduler.KillInstances{Request: request, Instances: idsOf(instances), Wipe: k.wipe}
	})
	done()
	return reply.Killed, err
}

// scaleDown has tasks ended for good, as a deployment that makes their apps as
// much smaller.
func (s *server) scaleDown(core Core, w http.ResponseWriter, r *http.Request, instances []*scheduler.Instance, apps ...*spec.App) error {
	change := scheduler.ChangeTree{Force: flag(r, "force", false)}
	for _, i := range instances {
		if hasTask(i) {
			change.Kill = append(change.Kill, i.ID)
		}
	}
	if len(apps) == 1 {
		change.Group = apps[0].ID.Parent()
	}
	return s.deploy(core, w, r, func(*scheduler.Snapshot) (_ scheduler.ChangeTree, err error) {
		change.Terms, err = termsOf(r, apps...)
		return change, err
	})
}

func idsOf(instances []*scheduler.Instance) []scheduler.UUID {
	ids := make([]scheduler.UUID, len(instances))
	for n, i := range instances {
		ids[n] = i.ID
	}
	return ids
}
