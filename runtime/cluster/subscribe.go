package cluster

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// subscribe makes s the framework's stream. Faults of content are no refusals: they are events on a stream that ends
// after them.
func (m *master) subscribe(call *scheduler.Call, s *stream) {
	info := call.Subscribe.FrameworkInfo
	id := info.GetID().GetValue()
	known := m.frameworks[id]
	why := checkFramework(info, call.Subscribe.SuppressedRoles)
	switch {
	case why != "":
	case id != "" && checkID(id) != "": // it becomes the name of a folder
		why = checkID(id)
	case m.removed[id]:
		why = "Framework has been removed"
	case known != nil && known.info.GetPrincipal() != info.GetPrincipal():
		why = "Changing framework's principal is not allowed."
	}
	if why != "" {
		s.send(errorEvent(why))
		s.end()
		return
	}
	if known == nil {
		known = m.admit(id, info)
	} else {
		m.readmit(known, info)
	}
	m.connect(known, s, call.Subscribe.SuppressedRoles)
}

// admit takes in a framework that this master has not met, with an id of its own or, after a failover, an older one.
func (m *master) admit(id string, info *mesos.FrameworkInfo) *framework {
	if id == "" {
		id = fmt.Sprintf("%s-%04d", m.id, m.frameworkN)
		m.frameworkN++
	}
	f := newFramework(id, info)
	m.frameworks[id] = f
	m.order = append(m.order, f)
	return f
}

// readmit takes over from an earlier connection of the same framework: the newest wins.
func (m *master) readmit(f *framework, info *mesos.FrameworkInfo) {
	if f.stream != nil {
		f.stream.send(errorEvent("Framework failed over"))
		m.hangUp(f)
	}
	f.removal.stop()
	f.removal = nil
	// User and checkpoint cannot be changed this way; the attempt is ignored.
	update := *info
	update.User, update.Checkpoint = f.info.User, f.info.Checkpoint
	f.describe(&update)
	f.filters = map[filterKey][]*filter{}
}

// connect starts the stream and tells the agents that somebody listens again.
func (m *master) connect(f *framework, s *stream, suppressed []string) {
	f.stream = s
	f.suppressed = map[string]bool{}
	for _, role := range suppressed {
		f.suppressed[role] = true
	}
	interval := m.cfg.HeartbeatInterval.Seconds()
	m.send(f, &scheduler.Event{Type: scheduler.Event_SUBSCRIBED, Subscribed: &scheduler.Event_Subscribed{
		FrameworkID: &mesos.FrameworkID{Value: f.id}, HeartbeatIntervalSeconds: &interval, MasterInfo: m.info,
	}})
	m.beat(f)
	m.touchAll()
	m.allocate()
	for _, t := range sortedTasks(f.tasks) {
		if t.agent.host != nil {
			t.agent.host.resend(f.id, t.id)
		}
	}
	for _, a := range m.fleet {
		if a.host != nil {
			a.host.resendOperations(f.id)
		}
	}
}

// beat sends a heartbeat now and from now on.
func (m *master) beat(f *framework) {
	f.heartbeat.stop()
	if !m.faults.silent {
		m.send(f, &scheduler.Event{Type: scheduler.Event_HEARTBEAT})
	}
	f.heartbeat = m.after(m.cfg.HeartbeatInterval, func() { m.beat(f) })
}

// hangUp ends the stream properly and takes the offers back, without RESCIND: the framework forgets them by itself.
func (m *master) hangUp(f *framework) {
	f.stream.end()
	f.stream = nil
	f.heartbeat.stop()
	for _, o := range f.offers {
		m.withdraw(o)
	}
	m.dropInverse(f)
}

// disconnected is called when a stream's connection is gone, whoever ended it.
func (m *master) disconnected(s *stream) {
	for _, f := range m.order {
		if f.stream == s {
			m.hangUp(f)
			m.awaitReturn(f)
			return
		}
	}
}

// awaitReturn gives the framework its failover timeout to come back; 0 ends it at once.
func (m *master) awaitReturn(f *framework) {
	if !f.info.GetCheckpoint() {
		m.log.Debug("cluster: framework disconnected", "framework", f.id)
	}
	timeout := time.Duration(max(0, f.info.GetFailoverTimeout()) * float64(time.Second))
	if timeout == 0 {
		m.remove(f)
		return
	}
	f.removal = m.after(timeout, func() { m.remove(f) })
}

// remove is TEARDOWN: all tasks are killed without updates, the stream ends, and the id is dead.
func (m *master) remove(f *framework) {
	if f.stream != nil {
		m.hangUp(f)
	}
	f.removal.stop()
	for _, a := range m.fleet {
		if a.host != nil {
			a.host.shutdownFramework(f.id)
		}
	}
	for _, t := range sortedTasks(f.tasks) {
		m.forget(t)
	}
	delete(m.frameworks, f.id)
	m.order = slices.DeleteFunc(m.order, func(o *framework) bool { return o == f })
	m.removed[f.id] = true
}

// updateFramework replaces the description while the stream goes on.
func (m *master) updateFramework(f *framework, call *scheduler.Call_UpdateFramework) refusal {
	info := &call.FrameworkInfo
	bad := func(why string) refusal {
		return refusal{http.StatusBadRequest, "FrameworkInfo update is not valid: " + why}
	}
	change := func(field string, from, to any) refusal {
		return bad(fmt.Sprintf("Updating 'FrameworkInfo.%s' is unsupported; attempted to update from '%v' to '%v'", field, from, to))
	}
	switch why := checkFramework(info, call.SuppressedRoles); {
	case why != "":
		return bad(why)
	case info.User != f.info.User:
		return change("user", f.info.User, info.User)
	case info.GetCheckpoint() != f.info.GetCheckpoint():
		return change("checkpoint", f.info.GetCheckpoint(), info.GetCheckpoint())
	case info.GetPrincipal() != f.info.GetPrincipal():
		return change("principal", f.info.GetPrincipal(), info.GetPrincipal())
	}
	before := f.suppressed
	f.describe(info)
	f.suppressed = map[string]bool{}
	for _, role := range call.SuppressedRoles {
		f.suppressed[role] = true
	}
	for role := range maps.Keys(before) {
		if !f.suppressed[role] {
			f.clearFilters(role)
		}
	}
	for _, o := range f.offers {
		if !slices.Contains(f.roles, o.role) {
			m.rescind(o)
		}
	}
	m.touchAll()
	m.allocate()
	return refusal{status: http.StatusOK}
}
