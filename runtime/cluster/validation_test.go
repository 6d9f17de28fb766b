package cluster_test

import (
	"strings"
	"testing"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster"
)

// Every fault of a task comes back as TASK_ERROR in the words of a real master; the call itself is taken.
func TestTaskValidation(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	o := f.offer()
	f.launch(o, shell("running", ""))
	f.states("running", mesos.TASK_RUNNING)
	long := strings.Repeat("x", 256)
	resources := func(rs ...mesos.Resource) func(*mesos.TaskInfo) {
		return func(i *mesos.TaskInfo) { i.Resources = rs }
	}
	ports := mesos.Resource{Name: "ports", Type: mesos.RANGES.Enum(), Ranges: &mesos.Value_Ranges{Range: []mesos.Value_Range{{Begin: 9, End: 9}}}}
	other := scalar("cpus", 0.1)
	other.Reservations = []mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_STATIC.Enum(), Role: new("other")}}
	const available = "cpus(allocated: *):1.9; mem(allocated: *):2016; disk(allocated: *):4096; ports(allocated: *):[31000-31099]"
	for _, tc := range []invalid{
		{name: "empty id", id: "", want: "ID must not be empty"},
		{name: "long id", id: long, want: "ID must not be greater than 255 characters"},
		{name: "dots", id: "..", want: "'..' is disallowed"},
		{name: "slash", id: "a/b", want: "'a/b' contains invalid characters"},
		{name: "control", id: "a\x01", want: "'a\x01' contains invalid characters"},
		{name: "duplicate", id: "running", want: "Task has duplicate ID: running"},
		{
			name: "agent", change: func(i *mesos.TaskInfo) { i.AgentID.Value = "nobody" },
			want: "Task uses invalid agent nobody while agent " + o.AgentID.Value + " is expected",
		},
		{name: "grace", change: grace(-1), want: "Task's 'kill_policy.grace_period' must be non-negative"},
		{
			name: "max time", change: func(i *mesos.TaskInfo) { i.MaxCompletionTime = &mesos.DurationInfo{Nanoseconds: -1} },
			want: "Task's `max_completion_time` must be non-negative",
		},
		{name: "no resources", change: resources(), want: "Task uses no resources"},
		{name: "negative", change: resources(scalar("cpus", -1)), want: "Task uses invalid resources: Invalid scalar resource: value < 0"},
		{
			name: "half a gpu", change: resources(scalar("gpus", 0.5)),
			want: "Task uses invalid resources: Invalid 'gpus' resource: The 'gpus' resource must be an unsigned integer",
		},
		{
			name: "neither", change: func(i *mesos.TaskInfo) { i.Command = nil },
			want: "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present",
		},
		{
			name: "executor", change: func(i *mesos.TaskInfo) {
				i.Command, i.Executor = nil, &mesos.ExecutorInfo{ExecutorID: mesos.ExecutorID{Value: "e"}}
			},
			want: "Custom executors are not supported by this cluster",
		},
		{
			name: "too much", change: resources(scalar("cpus", 99), scalar("mem", 32)),
			want: "Total resources cpus(allocated: *):99; mem(allocated: *):32 required by task and its executor is more than available " + available,
		},
		{
			name: "port", change: resources(scalar("cpus", 0.1), scalar("mem", 32), ports),
			want: "Total resources cpus(allocated: *):0.1; mem(allocated: *):32; ports(allocated: *):[9-9] required by task and its executor is more than available " + available,
		},
		{
			name: "role", change: resources(other, scalar("mem", 32)),
			want: "Total resources cpus(allocated: *)(reservations: [(STATIC,other)]):0.1; mem(allocated: *):32 required by task and its executor is more than available " + available,
		},
	} {
		tc.test(t, f)
	}
}

// invalid is a task with a fault: a shell task of that id, or one named like the case and changed.
type invalid struct {
	name, id, want string
	change         func(*mesos.TaskInfo)
}

func (tc invalid) test(t *testing.T, f *client) {
	t.Run(tc.name, func(t *testing.T) {
		task := shell(tc.id, "")
		if tc.change != nil {
			task.TaskID.Value = tc.name
			tc.change(&task)
		}
		// All that is free comes back as one offer after each refused launch.
		f.launch(f.offer(), task)
		s := f.status(task.TaskID.Value)
		if s.GetState() != mesos.TASK_ERROR || s.GetReason() != mesos.REASON_TASK_INVALID || s.GetSource() != mesos.SOURCE_MASTER ||
			s.UUID != nil || s.GetMessage() != tc.want {
			t.Errorf("got %v\nwant %q", s, tc.want)
		}
	})
}

// The same for containers, commands and checks.
func TestPartValidation(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	container := func(ci mesos.ContainerInfo) func(*mesos.TaskInfo) {
		return func(i *mesos.TaskInfo) { i.Container = &ci }
	}
	health := func(h mesos.HealthCheck) func(*mesos.TaskInfo) {
		return func(i *mesos.TaskInfo) { i.HealthCheck = &h }
	}
	env := func(v mesos.Environment_Variable) func(*mesos.TaskInfo) {
		return func(i *mesos.TaskInfo) {
			i.Command.Environment = &mesos.Environment{Variables: []mesos.Environment_Variable{v}}
		}
	}
	for _, tc := range []invalid{
		{
			name: "docker", change: container(mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum()}),
			want: "Task's `ContainerInfo` is invalid: DockerInfo 'docker' is not set for DOCKER typed ContainerInfo",
		},
		{
			name: "volume", change: container(mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []mesos.Volume{{ContainerPath: "p", Mode: mesos.RW.Enum()}}}),
			want: "Task's `ContainerInfo` is invalid: Only one of them should be set: 'host_path', 'image' and 'source'",
		},
		{
			name: "path", change: health(mesos.HealthCheck{Type: mesos.HealthCheck_HTTP, HTTP: &mesos.HealthCheck_HTTPCheckInfo{Port: 1, Path: new("x")}}),
			want: "Task uses invalid health check: The path 'x' of HTTP health check must start with '/'",
		},
		{
			name: "scheme", change: health(mesos.HealthCheck{Type: mesos.HealthCheck_HTTP, HTTP: &mesos.HealthCheck_HTTPCheckInfo{Port: 1, Scheme: new("ftp")}}),
			want: "Task uses invalid health check: Unsupported HTTP health check scheme: 'ftp'",
		},
		{
			name: "no command", change: health(mesos.HealthCheck{Type: mesos.HealthCheck_COMMAND}),
			want: "Task uses invalid health check: Expecting 'command' to be set for COMMAND health check",
		},
		{
			name: "negative delay", change: health(mesos.HealthCheck{Type: mesos.HealthCheck_TCP, TCP: &mesos.HealthCheck_TCPCheckInfo{Port: 1}, DelaySeconds: new(-1.0)}),
			want: "Task uses invalid health check: Expecting 'delay_seconds' to be non-negative",
		},
		{
			name: "env", change: env(mesos.Environment_Variable{Name: "A"}),
			want: "Task's `CommandInfo` is invalid: Environment variable 'A' of type 'VALUE' must have a value set",
		},
		{
			name: "limit", change: func(i *mesos.TaskInfo) { i.Limits = map[string]mesos.Value_Scalar{"disk": {Value: 1}} },
			want: "Task contains unsupported resource limit: 'disk'",
		},
	} {
		tc.test(t, f)
	}
}

// What is odd but valid runs: a resource of 0, no cpus at all.
func TestOddTasksRun(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	zero, mem := shell("zero", ""), shell("mem", "")
	zero.Resources = append(zero.Resources, scalar("disk", 0), scalar("gpus", 0))
	mem.Resources = []mesos.Resource{scalar("mem", 32)}
	f.launch(f.offer(), zero, mem)
	f.states("zero", mesos.TASK_RUNNING)
	f.states("mem", mesos.TASK_RUNNING)
}

// Tasks of one LAUNCH are judged one by one, and what the bad one leaves is offered again.
func TestJudgedOneByOne(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	big := shell("big", "")
	big.Resources = []mesos.Resource{scalar("cpus", 50)}
	f.launch(f.offer(), shell("ok", ""), big)
	f.states("ok", mesos.TASK_RUNNING)
	f.states("big", mesos.TASK_ERROR)
	if got := amount(f.offer(), "cpus"); got != 1.9 {
		t.Errorf("%v cpus are free", got)
	}
}

// A single bad offer id voids an ACCEPT; the good ones come back as new offers.
func TestInvalidOffers(t *testing.T) {
	c := start(t, fast(func(c *cluster.Config) { c.Agents = []cluster.AgentConfig{agentConfig(1), agentConfig(2)} }))
	f := subscribe(t, c.Addr(), framework())
	two := f.offers()
	accept := func(task string, ids ...mesos.OfferID) {
		info := shell(task, "")
		info.AgentID = two[0].AgentID
		f.call(&scheduler.Call{Type: scheduler.Call_ACCEPT, Accept: &scheduler.Call_Accept{OfferIDs: ids, Operations: []mesos.Offer_Operation{
			{Type: mesos.Offer_Operation_LAUNCH, Launch: &mesos.Offer_Operation_Launch{TaskInfos: []mesos.TaskInfo{info}}},
		}}})
		s := f.status(task)
		if s.GetState() != mesos.TASK_DROPPED || s.GetReason() != mesos.REASON_INVALID_OFFERS || s.UUID != nil {
			t.Errorf("%s: %v", task, s)
		}
		const prefix = "Task launched with invalid offers: "
		want := map[string]string{
			"unknown": "Offer nobody is no longer valid", "none": "No offers specified",
			"twice":  "Duplicate offer " + two[0].ID.Value + " in offer list",
			"agents": "Aggregated offers must belong to one single agent. Offer " + two[1].ID.Value + " uses agent " + two[1].AgentID.Value + " and agent " + two[0].AgentID.Value,
		}[task]
		if s.GetMessage() != prefix+want {
			t.Errorf("%s: %q, want %q", task, s.GetMessage(), prefix+want)
		}
	}
	accept("none")
	accept("unknown", mesos.OfferID{Value: "nobody"})
	accept("agents", two[0].ID, two[1].ID)
	if two = f.offers(); len(two) != 2 {
		t.Fatalf("%d offers came back", len(two))
	}
	accept("twice", two[0].ID, two[0].ID)
	f.offer()
}

// What this cluster does not do is refused in the way of a real one.
func TestAbsentOperations(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	o := f.offer()
	info := shell("grouped", "")
	info.AgentID = o.AgentID
	f.call(&scheduler.Call{Type: scheduler.Call_ACCEPT, Accept: &scheduler.Call_Accept{OfferIDs: []mesos.OfferID{o.ID}, Operations: []mesos.Offer_Operation{
		{Type: mesos.Offer_Operation_LAUNCH_GROUP, LaunchGroup: &mesos.Offer_Operation_LaunchGroup{
			Executor: mesos.ExecutorInfo{ExecutorID: mesos.ExecutorID{Value: "e"}}, TaskGroup: mesos.TaskGroupInfo{Tasks: []mesos.TaskInfo{info}},
		}},
		{Type: mesos.Offer_Operation_RESERVE, ID: &mesos.OperationID{Value: "op"}, Reserve: &mesos.Offer_Operation_Reserve{Resources: o.Resources}},
		{Type: mesos.Offer_Operation_RESERVE, Reserve: &mesos.Offer_Operation_Reserve{Resources: o.Resources}},
	}}})
	if s := f.status("grouped"); s.GetState() != mesos.TASK_ERROR || s.GetReason() != mesos.REASON_TASK_GROUP_INVALID {
		t.Errorf("got %v", s)
	}
	op := f.await("an operation's status", isType(scheduler.Event_UPDATE_OPERATION_STATUS)).UpdateOperationStatus.Status
	if op.State != mesos.OPERATION_ERROR || op.UUID != nil || op.AgentID != nil || op.OperationID.Value != "op" {
		t.Errorf("got %v", op)
	}
	f.call(&scheduler.Call{Type: scheduler.Call_RECONCILE_OPERATIONS, ReconcileOperations: &scheduler.Call_ReconcileOperations{
		Operations: []scheduler.Call_ReconcileOperations_Operation{{OperationID: mesos.OperationID{Value: "op"}}},
	}})
	op = f.await("an operation's status", isType(scheduler.Event_UPDATE_OPERATION_STATUS)).UpdateOperationStatus.Status
	if op.State != mesos.OPERATION_UNKNOWN {
		t.Errorf("got %v", op)
	}
}
