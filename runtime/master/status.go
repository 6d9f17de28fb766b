package master

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// maxMessage bounds the message of a status, in characters. Failed pulls and
// fetches have sent megabytes.
const maxMessage = 10_000

// statusOf turns a TaskStatus into the core's own.
func statusOf(s *mesos.TaskStatus) scheduler.Status {
	state, known := stateOf(s.GetState())
	status := scheduler.Status{
		TaskID:  s.TaskID.Value,
		AgentID: s.GetAgentID().GetValue(),
		State:   state,
		Message: cutMessage(s.GetMessage()),
		Healthy: s.Healthy,
		Check:   checkResult(s.CheckStatus),
		IPs:     addresses(s.GetContainerStatus()),
	}
	if !known {
		status.Message = cutMessage(fmt.Sprintf("unknown task state %d: %s", s.GetState(), s.GetMessage()))
	}
	if s.Reason != nil {
		status.Reason = enumName(s.Reason.String(), "REASON_")
	}
	if s.Source != nil {
		status.Source = enumName(s.Source.String(), "SOURCE_")
	}
	// Anything but 16 bytes could not be acknowledged: masters answer 400.
	if len(s.UUID) == len(status.UUID) {
		copy(status.UUID[:], s.UUID)
	}
	if s.Timestamp != nil {
		status.Timestamp = unixMilli(*s.Timestamp)
	}
	if s.UnreachableTime != nil {
		status.UnreachableSince = s.UnreachableTime.Nanoseconds / int64(time.Millisecond)
	}
	return status
}

// stateOf translates a state; the zero value of Mesos' enum is STARTING. A number
// that is not known is TaskUnknown: the core then asks instead of guessing.
func stateOf(s mesos.TaskState) (state scheduler.TaskState, known bool) {
	switch s {
	case mesos.TASK_STAGING:
		return scheduler.TaskStaging, true
	case mesos.TASK_STARTING:
		return scheduler.TaskStarting, true
	case mesos.TASK_RUNNING:
		return scheduler.TaskRunning, true
	case mesos.TASK_KILLING:
		return scheduler.TaskKilling, true
	case mesos.TASK_FINISHED:
		return scheduler.TaskFinished, true
	case mesos.TASK_FAILED:
		return scheduler.TaskFailed, true
	case mesos.TASK_KILLED:
		return scheduler.TaskKilled, true
	case mesos.TASK_ERROR:
		return scheduler.TaskError, true
	case mesos.TASK_LOST:
		return scheduler.TaskLost, true
	case mesos.TASK_DROPPED:
		return scheduler.TaskDropped, true
	case mesos.TASK_UNREACHABLE:
		return scheduler.TaskUnreachable, true
	case mesos.TASK_GONE:
		return scheduler.TaskGone, true
	case mesos.TASK_GONE_BY_OPERATOR:
		return scheduler.TaskGoneByOperator, true
	case mesos.TASK_UNKNOWN:
		return scheduler.TaskUnknown, true
	}
	return scheduler.TaskUnknown, false
}

// enumName is the name of an enum value; mesos-go gives the bare number for one
// that it does not know.
func enumName(name, prefix string) string {
	if _, err := strconv.Atoi(name); err == nil {
		return prefix + name
	}
	return name
}

// checkResult is what a generic check found; nil when there is no check. Mesos
// tells of the check from the start on, without a result at first.
func checkResult(c *mesos.CheckStatusInfo) *scheduler.CheckResult {
	if c == nil {
		return nil
	}
	var result scheduler.CheckResult
	switch {
	case c.HTTP != nil && c.HTTP.StatusCode != nil:
		result = scheduler.CheckResult{Kind: scheduler.CheckHTTP, Code: int(*c.HTTP.StatusCode)}
	case c.TCP != nil && c.TCP.Succeeded != nil:
		result.Kind = scheduler.CheckTCP
		if *c.TCP.Succeeded {
			result.Code = 1
		}
	case c.Command != nil && c.Command.ExitCode != nil:
		result = scheduler.CheckResult{Kind: scheduler.CheckCommand, Code: int(*c.Command.ExitCode)}
	}
	return &result
}

// addresses are the IP addresses of a container; nil for none.
func addresses(c *mesos.ContainerStatus) []string {
	var ips []string
	for _, network := range c.GetNetworkInfos() {
		for _, address := range network.IPAddresses {
			if ip := address.GetIPAddress(); ip != "" {
				ips = append(ips, ip)
			}
		}
	}
	return ips
}

// unixMilli turns seconds since the epoch into milliseconds; 0 for a number that
// is no time.
func unixMilli(seconds float64) int64 {
	if math.Abs(seconds) < 1e15 { // false for NaN
		return int64(math.Round(seconds * 1000))
	}
	return 0
}

// cutMessage shortens a message to maxMessage characters and makes it valid text.
func cutMessage(s string) string {
	if len(s) > maxMessage {
		count := 0
		for i := range s {
			if count == maxMessage {
				s = s[:i]
				break
			}
			count++
		}
	}
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, string(utf8.RuneError))
}
