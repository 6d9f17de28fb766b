package api

import (
	"bytes"
	"testing"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// TestTasksAreEncodedAlike: the JSON that is put together by hand is that of the
// struct below, whatever a task has and lacks.
func TestTasksAreEncodedAlike(t *testing.T) {
	yes, no := true, false
	agents := []*placement.Agent{
		{ID: "s", Hostname: "h"}, {ID: "s1", Hostname: "hé\"", IP: "10.0.0.1", Region: "r", Zone: "z"}, {Hostname: "h", IP: "::1"},
	}
	bad := sdk.HealthRecord{}.Add(sdk.HealthResult{AtMillis: 1_767_323_045_061, Alive: true}).Add(sdk.HealthResult{AtMillis: 1_767_323_045_062, Cause: "\"no\""})
	found := []*scheduler.Findings{
		nil,
		{Health: make([]scheduler.CheckHealth, 2)},
		{Health: []scheduler.CheckHealth{{}, {HealthRecord: bad, State: sdk.Unhealthy}, {State: sdk.Healthy}}},
		{Health: []scheduler.CheckHealth{{HealthRecord: bad, State: sdk.Healthy}}},
	}
	for c := scheduler.Scheduled; c <= scheduler.Unknown; c++ {
		for n, agent := range agents {
			i := &scheduler.Instance{
				App: "/a/b-c", ID: scheduler.UUID{1, 2, 3, 4, 0xab, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255}, Condition: c, Agent: agent, Role: "*",
				Incarnation: uint32(n * 12), Ports: []uint16{31000, 65535}[:n], IPs: []string{"1.2.3.4", "fe80::1"}[:n],
				Healthy: []*bool{nil, &yes, &no}[n], StagedAt: spec.Timestamp(n * 1_234_567_890_123), StartedAt: spec.Timestamp(n * 1_000_000_000_007),
				Version: 1_767_323_045_060, Found: found[(n+int(c))%len(found)],
			}
			ports := []int{10000, 10001}[:n]
			reference := taskOf(i)
			reference.ServicePorts = append([]int{}, ports...)
			if got, want := appendTask(nil, i, i.App.Safe(), ports), encodeJSON(reference); !bytes.Equal(got, want) {
				t.Errorf("%v on agent %d:\n got %s\nwant %s", c, n, got, want)
			}
		}
	}
}

// TestTasksOfAnApp: all of its tasks and nothing else.
func TestTasksOfAnApp(t *testing.T) {
	w, steps := changingWorld(t)
	tasks := 0
	for _, step := range steps {
		step()
		for v := range viewsBelow(w.Snapshot(), spec.Root) {
			list := tasksOf(v)
			if got, want := appendTasks(nil, v), encodeJSON(list); !bytes.Equal(got, want) {
				t.Fatalf("\n got %s\nwant %s", got, want)
			}
			tasks += len(list)
		}
	}
	if tasks == 0 {
		t.Error("there was no task")
	}
}

// task is the JSON of a task. Lists are never null: clients index them.
type task struct {
	ID                 string         `json:"id"`
	AppID              spec.PathID    `json:"appId"`
	Host               string         `json:"host"`
	SlaveID            string         `json:"slaveId,omitempty"`
	Region             string         `json:"region,omitempty"`
	Zone               string         `json:"zone,omitempty"`
	State              string         `json:"state"`
	Ports              []int          `json:"ports"`
	ServicePorts       []int          `json:"servicePorts"`
	IPAddresses        []ipAddress    `json:"ipAddresses"`
	StagedAt           string         `json:"stagedAt,omitempty"`
	StartedAt          string         `json:"startedAt,omitempty"`
	Version            string         `json:"version,omitempty"`
	HealthCheckResults []healthResult `json:"healthCheckResults"`
	CheckResult        *checkResult   `json:"checkResult,omitempty"`
	LocalVolumes       []struct{}     `json:"localVolumes"`
	Role               string         `json:"role"`
}

// healthResult is what the last health check of an instance said.
type healthResult struct {
	InstanceID          string `json:"instanceId"`
	Alive               bool   `json:"alive"`
	ConsecutiveFailures uint32 `json:"consecutiveFailures"`
	FirstSuccess        string `json:"firstSuccess,omitempty"`
	LastSuccess         string `json:"lastSuccess,omitempty"`
	LastFailure         string `json:"lastFailure,omitempty"`
	LastFailureCause    string `json:"lastFailureCause,omitempty"`
}

// healthOf are the results of all checks, none while nothing is known by any of them.
func healthOf(i *scheduler.Instance) []healthResult {
	results, known := []healthResult{}, false
	for _, h := range i.Found.Health {
		moment := func(millis int64) string { return spec.Timestamp(millis).String() }
		known = known || h.State != sdk.HealthUnknown
		results = append(results, healthResult{
			i.InstanceID(), h.State == sdk.Healthy, h.ConsecutiveFailures, moment(h.FirstSuccess), moment(h.LastSuccess),
			moment(h.LastFailure), h.LastFailureCause,
		})
	}
	if !known {
		return []healthResult{}
	}
	return results
}

// checkResult is what a generic check found; one of its members is set.
type checkResult struct {
	HTTP    *httpResult    `json:"http,omitempty"`
	TCP     *tcpResult     `json:"tcp,omitempty"`
	Command *commandResult `json:"command,omitempty"`
}

type (
	httpResult struct {
		StatusCode int `json:"statusCode"`
	}
	tcpResult struct {
		Succeeded bool `json:"succeeded"`
	}
	commandResult struct {
		ExitCode int `json:"exitCode"`
	}
)

// resultOf makes the JSON of a check's result; nil for none.
func resultOf(c scheduler.CheckResult) *checkResult {
	switch c.Kind {
	case scheduler.CheckHTTP:
		return &checkResult{HTTP: &httpResult{c.Code}}
	case scheduler.CheckTCP:
		return &checkResult{TCP: &tcpResult{c.Code != 0}}
	case scheduler.CheckCommand:
		return &checkResult{Command: &commandResult{c.Code}}
	case scheduler.CheckSilent:
	}
	return nil
}

// taskOf makes the JSON of the instance's task. Ports and times are those of a
// task that exists; servicePorts is filled by the caller where it is shown.
func taskOf(i *scheduler.Instance) task {
	t := task{
		ID: i.TaskID(), AppID: i.App, Host: i.Agent.Hostname, SlaveID: i.Agent.ID, Region: i.Agent.Region, Zone: i.Agent.Zone,
		State: i.Condition.TaskState(), Ports: []int{}, ServicePorts: []int{}, IPAddresses: addresses(i),
		HealthCheckResults: []healthResult{}, LocalVolumes: []struct{}{}, Role: i.Role,
	}
	if i.Condition.Active() {
		t.Ports = hostPorts(i)
		t.StagedAt, t.StartedAt, t.Version = i.StagedAt.String(), i.StartedAt.String(), i.Version.String()
	}
	t.CheckResult = resultOf(i.CheckResult())
	if i.Found != nil {
		t.HealthCheckResults = healthOf(i)
	} else if i.Healthy != nil {
		t.HealthCheckResults = append(t.HealthCheckResults, healthResult{InstanceID: i.InstanceID(), Alive: *i.Healthy})
	}
	return t
}

// tasksOf makes the JSON of all tasks of an app.
func tasksOf(v *scheduler.AppView) []task {
	tasks := []task{}
	for _, i := range v.Instances {
		if hasTask(i) {
			tasks = append(tasks, taskOf(i))
		}
	}
	return tasks
}
