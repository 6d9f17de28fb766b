package scheduler

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Condition is where an instance is.
type Condition uint8

const (
	Scheduled   Condition = iota // wanted, without a place
	Provisioned                  // its launch is saved, no status yet
	Staging
	Starting
	Running
	Killing
	Unreachable
	UnreachableInactive // unreachable for so long that it is replaced
	Finished
	Failed
	Killed
	Errored
	Gone
	Dropped
	Unknown
)

// String returns the name of the API.
func (c Condition) String() string {
	return [...]string{
		"Scheduled", "Provisioned", "Staging", "Starting", "Running", "Killing", "Unreachable",
		"UnreachableInactive", "Finished", "Failed", "Killed", "Error", "Gone", "Dropped", "Unknown",
	}[c]
}

// Terminal tells whether Mesos will say no more about the task.
func (c Condition) Terminal() bool { return c >= Finished }

// Active tells whether a task exists, or may exist, on an agent that can be reached or may return.
func (c Condition) Active() bool { return c >= Provisioned && c <= Unreachable }

// TaskState returns the state that the API shows for the condition.
func (c Condition) TaskState() string {
	switch c {
	case Scheduled, Provisioned, Staging:
		return "TASK_STAGING"
	case UnreachableInactive:
		return "TASK_UNREACHABLE"
	default:
		return "TASK_" + strings.ToUpper(c.String())
	}
}

// Goal is where an instance should be.
type Goal uint8

const (
	GoalRunning        Goal = iota // whenever it ends it is scheduled again
	GoalDecommissioned             // kill it, then forget it
	GoalStopped                    // kill it, and keep what it has reserved
)

// String returns the name of the API.
func (g Goal) String() string {
	return [...]string{"Running", "Decommissioned", "Stopped"}[g]
}

// UUID identifies an instance for its whole life.
type UUID [16]byte

// String returns the usual 36 characters.
func (u UUID) String() string {
	var b [36]byte
	hex.Encode(b[:], u[:4])
	b[8] = '-'
	hex.Encode(b[9:], u[4:6])
	b[13] = '-'
	hex.Encode(b[14:], u[6:8])
	b[18] = '-'
	hex.Encode(b[19:], u[8:10])
	b[23] = '-'
	hex.Encode(b[24:], u[10:])
	return string(b[:])
}

// Instance is one wanted copy of an app. A value is never changed: a new state
// is a new value.
type Instance struct {
	ID          UUID
	App         spec.PathID
	Version     spec.Timestamp // of the app it was launched from
	Incarnation uint32         // 0 before the first launch
	Condition   Condition
	Goal        Goal
	Agent       *placement.Agent // nil before the first launch, or reservation
	Ports       []uint16         // host ports, in the order of the app's ports; 0: none of the host's
	Role        string
	IPs         []string  // container addresses; nil means the agent's
	Healthy     *bool     // by all health checks; nil while it is not known
	Found       *Findings // of its task's checks; nil while there is nothing
	StagedAt    spec.Timestamp
	StartedAt   spec.Timestamp
	Since       spec.Timestamp // when Condition was entered
	// UnreachableSince is when contact was lost; 0 while there is contact.
	UnreachableSince spec.Timestamp
	Reservation      *Reservation // nil for instances without persistent volumes
}

// InstanceID returns the text form: "prod_web.instance-<uuid>".
func (i *Instance) InstanceID() string { return i.App.Safe() + ".instance-" + i.ID.String() }

// TaskID returns the id of the task of the current incarnation:
// "prod_web.instance-<uuid>._app.<incarnation>".
func (i *Instance) TaskID() string {
	return i.InstanceID() + "._app." + strconv.FormatUint(uint64(i.Incarnation), 10)
}

// ParseTaskID takes a task id apart. It accepts the form of TaskID only; other
// forms belong to tasks that Pacer did not launch, see ReadTaskID.
func ParseTaskID(id string) (safePath string, instance UUID, incarnation uint32, err error) {
	safePath, rest, ok := strings.Cut(id, ".instance-")
	for ok && strings.Contains(rest, ".instance-") { // app names may contain the word
		head, tail, _ := strings.Cut(rest, ".instance-")
		safePath, rest = safePath+".instance-"+head, tail
	}
	text, count, ok2 := strings.Cut(rest, "._app.")
	n, convErr := strconv.ParseUint(count, 10, 32)
	if !ok || !ok2 || convErr != nil {
		return "", UUID{}, 0, fmt.Errorf("task id %q: expected <app>.instance-<uuid>._app.<n>", id)
	}
	instance, err = ParseUUID(text)
	return safePath, instance, uint32(n), err
}

// ParseUUID reads the usual 36 characters.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		if b, err := hex.DecodeString(strings.ReplaceAll(s, "-", "")); err == nil && len(b) == 16 {
			copy(u[:], b)
			return u, nil
		}
	}
	return u, fmt.Errorf("uuid %q: expected 8-4-4-4-12 hexadecimal digits", s)
}
