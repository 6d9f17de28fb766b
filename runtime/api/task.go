package api

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// hasTask tells whether an instance has a task on an agent. One that waits for
// its first or its next place has none to show: load balancers take the ports of
// every task in the list.
func hasTask(i *scheduler.Instance) bool {
	return i.Agent != nil && i.Condition != scheduler.Scheduled && !i.Condition.Terminal()
}

// appendTasks appends the list of the tasks of an app.
func appendTasks(b []byte, v *scheduler.AppView) []byte {
	b = append(b, '[')
	safe := v.App.ID.Safe()
	first := true
	for _, i := range v.Instances {
		if !hasTask(i) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendTask(b, i, safe, nil)
	}
	return append(b, ']')
}

// appendTask appends the JSON of the instance's task. There are very many of them in
// some answers, so they do not go through encoding/json. Lists are never null:
// clients index them. Ports and times are those of a task that exists. safe is the
// safe form of the app's id.
func appendTask(b []byte, i *scheduler.Instance, safe string, servicePorts []int) []byte {
	b = appendInstanceID(append(b, `{"id":"`...), i, safe)
	b = strconv.AppendUint(append(b, `._app.`...), uint64(i.Incarnation), 10)
	b = spec.AppendText(append(b, `","appId":`...), string(i.App))
	b = spec.AppendText(append(b, `,"host":`...), i.Agent.Hostname)
	b = appendSet(b, `,"slaveId":`, i.Agent.ID)
	b = appendSet(b, `,"region":`, i.Agent.Region)
	b = appendSet(b, `,"zone":`, i.Agent.Zone)
	b = append(append(b, `,"state":"`...), taskState(i.Condition)...)
	b = append(b, `","ports":[`...)
	if i.Condition.Active() {
		b = appendNumbers(b, i.Ports)
	}
	b = appendNumbers(append(b, `],"servicePorts":[`...), servicePorts)
	b = appendAddresses(append(b, `],"ipAddresses":[`...), i)
	b = append(b, ']')
	if i.Condition.Active() {
		b = appendTime(b, `,"stagedAt":"`, i.StagedAt)
		b = appendTime(b, `,"startedAt":"`, i.StartedAt)
		b = appendTime(b, `,"version":"`, i.Version)
	}
	b = append(b, `,"healthCheckResults":[`...)
	b = appendHealth(b, i, safe)
	b = append(b, ']')
	b = appendCheck(b, i.CheckResult())
	b = appendVolumes(append(b, `,"localVolumes":[`...), i)
	b = append(b, `],"role":`...)
	return append(spec.AppendText(b, i.Role), '}')
}

// appendCheck appends what a generic check found; nothing where there is none.
func appendCheck(b []byte, c scheduler.CheckResult) []byte {
	switch c.Kind {
	case scheduler.CheckHTTP:
		b = append(b, `,"checkResult":{"http":{"statusCode":`...)
		b = strconv.AppendInt(b, int64(c.Code), 10)
	case scheduler.CheckTCP:
		b = append(b, `,"checkResult":{"tcp":{"succeeded":`...)
		b = strconv.AppendBool(b, c.Code != 0)
	case scheduler.CheckCommand:
		b = append(b, `,"checkResult":{"command":{"exitCode":`...)
		b = strconv.AppendInt(b, int64(c.Code), 10)
	case scheduler.CheckSilent:
		return b
	}
	return append(b, "}}"...)
}

// appendInstanceID is the text of Instance.InstanceID.
func appendInstanceID(b []byte, i *scheduler.Instance, safe string) []byte {
	b = append(append(b, safe...), `.instance-`...)
	b = append(hex.AppendEncode(b, i.ID[:4]), '-')
	b = append(hex.AppendEncode(b, i.ID[4:6]), '-')
	b = append(hex.AppendEncode(b, i.ID[6:8]), '-')
	b = append(hex.AppendEncode(b, i.ID[8:10]), '-')
	return hex.AppendEncode(b, i.ID[10:])
}

// taskState is that of nearly all tasks without making its text anew.
func taskState(c scheduler.Condition) string {
	if c == scheduler.Running {
		return "TASK_RUNNING"
	}
	return c.TaskState()
}

// appendAddresses appends the container's own, or the agent's on the host's network.
func appendAddresses(b []byte, i *scheduler.Instance) []byte {
	if len(i.IPs) == 0 && i.Agent.IP != "" {
		return appendAddress(b, i.Agent.IP)
	}
	for n, ip := range i.IPs {
		if n > 0 {
			b = append(b, ',')
		}
		b = appendAddress(b, ip)
	}
	return b
}

func appendAddress(b []byte, ip string) []byte {
	b = spec.AppendText(append(b, `{"ipAddress":`...), ip)
	return append(append(append(b, `,"protocol":"`...), protocolOf(ip)...), `"}`...)
}

func protocolOf(ip string) string {
	if strings.Contains(ip, ":") {
		return "IPv6"
	}
	return "IPv4"
}

// appendSet leaves out what is empty.
func appendSet(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return spec.AppendText(append(b, name...), text)
}

// appendTime is Timestamp.String, and leaves out what is not set. The standard
// library has a quick way for times without a fraction.
func appendTime(b []byte, name string, t spec.Timestamp) []byte {
	if t == 0 {
		return b
	}
	at := t.Time()
	b = at.AppendFormat(append(b, name...), time.RFC3339)
	millis := at.Nanosecond() / int(time.Millisecond)
	return append(b[:len(b)-len("Z")], '.', byte('0'+millis/100), byte('0'+millis/10%10), byte('0'+millis%10), 'Z', '"')
}

// appendNumbers appends the elements of a list; their order is that of the
// definitions, as clients pair lists of ports.
func appendNumbers[N int | uint16](b []byte, list []N) []byte {
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return b
}

// ipAddress is an address of a task as events have it.
type ipAddress struct {
	IPAddress string `json:"ipAddress"`
	Protocol  string `json:"protocol"`
}

// appendVolumes appends the persistent volumes that the instance holds on its agent.
func appendVolumes(b []byte, i *scheduler.Instance) []byte {
	if i.Reservation == nil {
		return b
	}
	for n, v := range i.Reservation.Volumes {
		if n > 0 {
			b = append(b, ',')
		}
		b = spec.AppendText(append(b, `{"runSpecId":`...), string(i.App))
		b = spec.AppendText(append(b, `,"containerPath":`...), v.ContainerPath)
		b = spec.AppendText(append(b, `,"uuid":`...), v.UUID.String())
		b = append(spec.AppendText(append(b, `,"persistenceId":`...), i.PersistenceID(v)), '}')
	}
	return b
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
		list = append(list, ipAddress{ip, protocolOf(ip)})
	}
	return list
}
