package api

import (
	"strconv"

	"github.com/pacer-run/pacer/runtime/spec"
)

// appendTasks appends the JSON of tasks. There may be very many, so they do not go
// through encoding/json, whose bytes these are.
func appendTasks(b []byte, tasks []task) []byte {
	b = append(b, '[')
	for i := range tasks {
		if i > 0 {
			b = append(b, ',')
		}
		b = tasks[i].append(b)
	}
	return append(b, ']')
}

func (t *task) append(b []byte) []byte {
	b = spec.AppendText(append(b, `{"id":`...), t.ID)
	b = spec.AppendText(append(b, `,"appId":`...), string(t.AppID))
	b = spec.AppendText(append(b, `,"host":`...), t.Host)
	b = appendSet(b, `,"slaveId":`, t.SlaveID)
	b = appendSet(b, `,"region":`, t.Region)
	b = appendSet(b, `,"zone":`, t.Zone)
	b = spec.AppendText(append(b, `,"state":`...), t.State)
	b = appendNumbers(append(b, `,"ports":`...), t.Ports)
	b = appendNumbers(append(b, `,"servicePorts":`...), t.ServicePorts)
	b = append(b, `,"ipAddresses":[`...)
	for n, a := range t.IPAddresses {
		if n > 0 {
			b = append(b, ',')
		}
		b = spec.AppendText(append(b, `{"ipAddress":`...), a.IPAddress)
		b = append(spec.AppendText(append(b, `,"protocol":`...), a.Protocol), '}')
	}
	b = append(b, ']')
	b = appendSet(b, `,"stagedAt":`, t.StagedAt)
	b = appendSet(b, `,"startedAt":`, t.StartedAt)
	b = appendSet(b, `,"version":`, t.Version)
	b = append(b, `,"healthCheckResults":[`...)
	for n, h := range t.HealthCheckResults {
		if n > 0 {
			b = append(b, ',')
		}
		b = spec.AppendText(append(b, `{"instanceId":`...), h.InstanceID)
		b = strconv.AppendBool(append(b, `,"alive":`...), h.Alive)
		b = append(strconv.AppendInt(append(b, `,"consecutiveFailures":`...), int64(h.ConsecutiveFailures), 10), '}')
	}
	b = append(b, `],"localVolumes":[]`...) // there are none yet
	return append(spec.AppendText(append(b, `,"role":`...), t.Role), '}')
}

// appendSet leaves out what is empty.
func appendSet(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return spec.AppendText(append(b, name...), text)
}

// appendNumbers never shows null.
func appendNumbers(b []byte, list []int) []byte {
	b = append(b, '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, ']')
}
