package api

import (
	"strings"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

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
	LocalVolumes       []localVolume  `json:"localVolumes"`
	Role               string         `json:"role"`
}

type ipAddress struct {
	IPAddress string `json:"ipAddress"`
	Protocol  string `json:"protocol"`
}

// healthResult is what the last health check of an instance said.
type healthResult struct {
	InstanceID          string `json:"instanceId"`
	Alive               bool   `json:"alive"`
	ConsecutiveFailures int    `json:"consecutiveFailures"`
}

// hasTask tells whether an instance has a task on an agent. One that waits for
// its first or its next place has none to show: load balancers take the ports of
// every task in the list.
func hasTask(i *scheduler.Instance) bool {
	return i.Agent != nil && i.Condition != scheduler.Scheduled && !i.Condition.Terminal()
}

// taskOf makes the JSON of the instance's task. Ports and times are those of a
// task that exists; servicePorts is filled by the caller where it is shown.
func taskOf(i *scheduler.Instance) task {
	t := task{
		ID: i.TaskID(), AppID: i.App, Host: i.Agent.Hostname, SlaveID: i.Agent.ID, Region: i.Agent.Region, Zone: i.Agent.Zone,
		State: i.Condition.TaskState(), Ports: []int{}, ServicePorts: []int{}, IPAddresses: addresses(i),
		HealthCheckResults: []healthResult{}, LocalVolumes: localVolumes(i), Role: i.Role,
	}
	if i.Condition.Active() {
		t.Ports = hostPorts(i)
		t.StagedAt, t.StartedAt, t.Version = i.StagedAt.String(), i.StartedAt.String(), i.Version.String()
	}
	if i.Healthy != nil {
		t.HealthCheckResults = append(t.HealthCheckResults, healthResult{InstanceID: i.InstanceID(), Alive: *i.Healthy})
	}
	return t
}

// localVolume is a persistent volume of an instance.
type localVolume struct {
	RunSpecID     spec.PathID `json:"runSpecId"`
	ContainerPath string      `json:"containerPath"`
	UUID          string      `json:"uuid"`
	PersistenceID string      `json:"persistenceId"`
}

// localVolumes are what the instance holds on its agent.
func localVolumes(i *scheduler.Instance) []localVolume {
	list := []localVolume{}
	if i.Reservation == nil {
		return list
	}
	for _, v := range i.Reservation.Volumes {
		list = append(list, localVolume{
			RunSpecID: i.App, ContainerPath: v.ContainerPath, UUID: v.UUID.String(), PersistenceID: i.PersistenceID(v),
		})
	}
	return list
}

// hostPorts are in the order of the definitions: clients pair the two lists.
func hostPorts(i *scheduler.Instance) []int {
	ports := make([]int, len(i.Ports))
	for n, p := range i.Ports {
		ports[n] = int(p)
	}
	return ports
}

// addresses are the container's own, or the agent's on the host's network.
func addresses(i *scheduler.Instance) []ipAddress {
	list := []ipAddress{}
	ips := i.IPs
	if len(ips) == 0 && i.Agent != nil && i.Agent.IP != "" {
		ips = []string{i.Agent.IP}
	}
	for _, ip := range ips {
		protocol := "IPv4"
		if strings.Contains(ip, ":") {
			protocol = "IPv6"
		}
		list = append(list, ipAddress{ip, protocol})
	}
	return list
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
