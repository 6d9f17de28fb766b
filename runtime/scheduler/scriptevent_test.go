package scheduler

import (
	"fmt"
	"strings"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// event turns a script's command into an event:
//
//	subscribed framework=f1 master=m1
//	disconnected
//	(commands of users: see userEvent; answers of strategies: see stepped)
//	message agent=a1 executor=e text=T
//	offers o1@a1 o2@a2+/db.1   the second holds what was reserved for /db.1; rescind o1            agent-lost a1
//	matched /web@o1 /web@o2 fault=/db late=(/a,/b)
//	status /web.1 running reason=R agent=a1 nouuid
//	status /web.1#1 …          an older incarnation
//	unknown state=running      a task that no instance stands for
func (w *world) event(d *datadriven.TestData) (Event, error) {
	a := args(d)
	switch d.Cmd {
	case "subscribed":
		return Subscribed{FrameworkID: a["framework"], MasterID: a["master"], MasterHost: "master"}, nil
	case "disconnected":
		return Disconnected{Cause: "script"}, nil
	case "policies-changed":
		return PoliciesChanged{}, nil
	case "tick":
		return Tick{}, nil
	case "offers":
		return w.offers(d), nil
	case "rescind":
		return Rescinded{OfferID: d.CmdArgs[0].Key}, nil
	case "message":
		return FrameworkMessage{AgentID: a["agent"], ExecutorID: a["executor"], Data: a["text"]}, nil
	case "agent-lost":
		return AgentLost{AgentID: d.CmdArgs[0].Key}, nil
	case "matched":
		return w.matched(d)
	case "stepped":
		return w.stepped(d)
	case "status":
		return w.status(d)
	case "unknown":
		st := Status{
			TaskID: "x.instance-00000000-0000-4000-8000-000000000001._app.1", State: stateNamed(a["state"]),
			AgentID: "a9", UUID: [16]byte{9},
		}
		return StatusUpdate{Status: st}, nil
	}
	if ev, err := w.healthEvent(d); ev != nil || err != nil {
		return ev, err
	}
	if ev, err := w.userEvent(d); ev != nil || err != nil {
		return ev, err
	}
	return nil, fmt.Errorf("no such command: %s", d.Cmd)
}

// newApp is a definition with the defaults of the API.
func newApp(id string, a map[string]string) *spec.App {
	duration := func(s string, def time.Duration) time.Duration {
		if v, err := time.ParseDuration(s); err == nil {
			return v
		}
		return def
	}
	app := &spec.App{
		ID: spec.PathID(id), Cmd: "sleep 1", Instances: number(a["instances"], 1), CPUs: 1, Mem: 128, Role: "*",
		Backoff: duration(a["backoff"], time.Second), BackoffFactor: 1.15,
		MaxLaunchDelay: duration(a["max-delay"], 300*time.Second),
	}
	if a["role"] != "" {
		app.Role = a["role"]
	}
	if a["cmd"] != "" {
		app.Cmd = a["cmd"]
	}
	for p := range strings.SplitSeq(a["ports"], ",") {
		if p != "" {
			app.PortDefinitions = append(app.PortDefinitions, spec.PortDefinition{Port: number(p, 0), Protocol: "tcp"})
		}
	}
	if a["unique"] != "" {
		app.Constraints = []spec.Constraint{{Field: "hostname", Operator: "UNIQUE"}}
	}
	app.UpgradeStrategy = spec.UpgradeStrategy{MinimumHealthCapacity: fraction(a["min"], 1), MaximumOverCapacity: fraction(a["over"], 1)}
	for id := range strings.SplitSeq(a["needs"], ",") {
		if id != "" {
			app.Dependencies = append(app.Dependencies, spec.PathID(id))
		}
	}
	for label := range strings.SplitSeq(a["labels"], ",") {
		if name, value, ok := strings.Cut(label, ":"); ok {
			if app.Labels == nil {
				app.Labels = map[string]string{}
			}
			app.Labels[name] = value
		}
	}
	addChecks(app, a)
	if a["tty"] != "" {
		app.TTY = new(true)
	}
	if a["group-by"] != "" {
		app.Constraints = []spec.Constraint{{Field: a["group-by"], Operator: "GROUP_BY"}}
	}
	if a["resident"] != "" {
		beResident(app, a["resident"])
	}
	if a["volume"] != "" {
		app.Container = &spec.Container{Volumes: []spec.Volume{{External: &spec.ExternalVolume{Provider: "dvdi", Name: a["volume"]}}}}
	}
	if field, most, ok := strings.Cut(a["max-per"], ","); ok {
		app.Constraints = []spec.Constraint{{Field: field, Operator: "MAX_PER", Value: most, HasValue: true}}
	}
	if a["oldest-first"] != "" {
		app.KillSelection = spec.OldestFirst
	}
	switch inactive, expunge, ok := strings.Cut(a["unreachable"], ","); {
	case a["unreachable"] == "disabled":
		app.UnreachableStrategy.Disabled = true
	case ok:
		app.UnreachableStrategy.InactiveAfter = duration(inactive, 0)
		app.UnreachableStrategy.ExpungeAfter = duration(expunge, 0)
	}
	return app
}

func (w *world) offers(d *datadriven.TestData) Event {
	var e Offers
	agents := map[string]*placement.Agent{}
	for _, x := range d.CmdArgs {
		id, agent, _ := strings.Cut(x.Key, "@")
		agent, held, _ := strings.Cut(agent, "+")
		if agents[agent] == nil {
			agents[agent] = w.agent(agent)
		}
		o := &placement.Offer{ID: id, Role: "*", Agent: agents[agent]}
		for name := range strings.SplitSeq(held, "+") {
			if h, ok := w.holdings[w.named(name)]; ok {
				o.Shares, o.Disks = append(o.Shares, h.Shares...), append(o.Disks, h.Disks...)
			}
		}
		e.Offers = append(e.Offers, o)
	}
	return e
}

func (w *world) agent(id string) *placement.Agent {
	if of := w.s.offers.known[id]; of != nil {
		return of.agent
	}
	return &placement.Agent{ID: id, Hostname: "host-" + id}
}

// status reports about an instance by its short name.
func (w *world) status(d *datadriven.TestData) (Event, error) {
	a := args(d)
	name, inc, older := strings.Cut(d.CmdArgs[0].Key, "#")
	for id, n := range w.names {
		m := w.s.members[id]
		if n != name {
			continue
		}
		ref := Instance{ID: id, App: spec.PathID(name[:strings.LastIndexByte(name, '.')]), Incarnation: 1}
		agent := a["agent"]
		if m != nil {
			ref = *m.inst
			if ref.Agent != nil && agent == "" {
				agent = ref.Agent.ID
			}
		}
		if older {
			ref.Incarnation = uint32(number(inc, 0))
		}
		st := Status{
			TaskID: ref.TaskID(), AgentID: agent, State: stateNamed(d.CmdArgs[1].Key),
			Reason: a["reason"], Message: a["message"],
		}
		if a["nouuid"] == "" {
			st.UUID = [16]byte{1}
		}
		if a["healthy"] != "" {
			healthy := a["healthy"] == "yes"
			st.Healthy = &healthy
		}
		if a["exit"] != "" {
			st.Check = &CheckResult{Kind: CheckCommand, Code: number(a["exit"], 0)}
		}
		return StatusUpdate{Status: st}, nil
	}
	return nil, fmt.Errorf("no instance was ever called %s", name)
}

func stateNamed(name string) TaskState {
	for s := TaskStaging; s <= TaskUnknown; s++ {
		if strings.EqualFold(strings.TrimPrefix(s.String(), "TASK_"), strings.ReplaceAll(name, "-", "_")) {
			return s
		}
	}
	panic("no such task state: " + name)
}
