package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// maintenanceRoutes are the endpoints by which operators announce and carry out the maintenance of machines.
func (c *Cluster) maintenanceRoutes(handle func(string, http.HandlerFunc)) {
	handle("/maintenance/schedule", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			c.serveJSON(c.maintenanceSchedule)(w, r)
			return
		}
		s := &schedule{}
		c.order(w, r, s, func() string { return c.postSchedule(s) })
	})
	handle("/maintenance/status", c.serveJSON(c.maintenanceStatus))
	handle("/machine/down", func(w http.ResponseWriter, r *http.Request) {
		var ids []machineID
		c.order(w, r, &ids, func() string { return c.machinesDown(ids) })
	})
	handle("/machine/up", func(w http.ResponseWriter, r *http.Request) {
		var ids []machineID
		c.order(w, r, &ids, func() string { return c.machinesUp(ids) })
	})
}

// order reads the body of an operator's call into value and has the loop carry it out; what is wrong with it is answered
// with 400.
func (c *Cluster) order(w http.ResponseWriter, r *http.Request, value any, carryOut func() string) {
	if r.Method != http.MethodPost {
		refuse(w, refusal{
			http.StatusMethodNotAllowed, "405 Method Not Allowed. Expecting one of { 'POST' }, but received '" + r.Method + "'.",
		})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuse(w, *badRequest("Failed to read body: " + err.Error()))
		return
	}
	if !json.Valid(body) {
		refuse(w, *badRequest("syntax error at line 1 near: " + syntaxRest(body)))
		return
	}
	if err := json.Unmarshal(body, value); err != nil {
		refuse(w, *badRequest("Failed to convert JSON: " + wrongType(err)))
		return
	}
	why := ""
	c.loop.do(func() { why = carryOut() })
	if why != "" {
		refuse(w, *badRequest(why))
		return
	}
	w.Header().Set("Content-Length", "0")
}

// wrongType says what is wrong with JSON of another shape, without names of this program.
func wrongType(err error) string {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err.Error()
	}
	if wrong.Field == "" {
		return "Not expecting a JSON " + wrong.Value
	}
	return fmt.Sprintf("Not expecting a JSON %s for field '%s'", wrong.Value, wrong.Field)
}

func (c *Cluster) maintenanceSchedule(*http.Request) any {
	var out schedule
	c.loop.do(func() { out.Windows = c.upkeep.windows })
	return out
}

// maintenanceStatus tells which machines are to be maintained, with what frameworks said to that, and which are down.
func (c *Cluster) maintenanceStatus(*http.Request) any {
	out := object{}
	c.loop.do(func() {
		var draining []object
		var down []machineID
		for _, id := range c.upkeep.sorted() {
			if c.upkeep.machines[id].down {
				down = append(down, id)
				continue
			}
			one := object{"id": id}
			if answers := c.master.inverseAnswers(id); len(answers) > 0 {
				one["statuses"] = answers
			}
			draining = append(draining, one)
		}
		if len(draining) > 0 {
			out["draining_machines"] = draining
		}
		if len(down) > 0 {
			out["down_machines"] = down
		}
	})
	return out
}

// postSchedule takes the offers of all agents back, also of those without a part in it, like a real master, and offers
// anew what the schedule says something about.
func (c *Cluster) postSchedule(s *schedule) string {
	if why := c.upkeep.checkSchedule(s); why != "" {
		return why
	}
	c.upkeep.replace(s)
	m := c.master
	for _, a := range m.fleet {
		if a.host == nil {
			continue
		}
		m.rescindAll(a)
		m.forgetInverse(a)
		a.plan = c.upkeep.planOf(a.host)
		m.touch(a)
	}
	m.allocate()
	return ""
}

// machinesDown takes the agents of the machines off. Their tasks end with them.
func (c *Cluster) machinesDown(ids []machineID) string {
	if why := c.upkeep.checkMachines(ids, true); why != "" {
		return why
	}
	for _, id := range ids {
		c.upkeep.machines[id].down = true
		for _, h := range c.hosts {
			if h.machine() != id {
				continue
			}
			if a := c.master.agents[h.id]; a != nil {
				c.master.removeDown(a)
			}
			for _, r := range h.sortedRuns() {
				r.orphan()
			}
		}
	}
	return ""
}

// machinesUp ends the maintenance: the agents start again, under their old ids.
func (c *Cluster) machinesUp(ids []machineID) string {
	if why := c.upkeep.checkMachines(ids, false); why != "" {
		return why
	}
	c.upkeep.forget(ids)
	for _, id := range ids {
		for _, h := range c.hosts {
			if h.machine() == id && h.agent == nil {
				c.master.register(h)
			}
		}
	}
	return ""
}

// removeDown is the end of an agent whose machine is taken down. Tasks are lost even for frameworks that know better
// words, as with a real master, which knows the agent no more afterwards.
func (m *master) removeDown(a *agent) {
	a.ping.stop()
	if a.host != nil {
		a.host.master, a.host.agent, a.host = nil, nil, nil
	}
	for _, t := range a.sortedTasks() {
		m.endTask(t, mesos.TASK_LOST, mesos.REASON_AGENT_REMOVED, "Agent "+a.spec.hostname+" removed: Operator initiated 'Machine DOWN'")
	}
	m.rescindAll(a)
	m.forgetInverse(a)
	m.failure(a)
	m.strike(a)
}
