package scheduler

import (
	"fmt"
	"strconv"
	"strings"
)

// TaskName is a task's id, taken apart. Besides those of Pacer's own tasks it
// stands for the ids that Marathon has given over the years, and for tasks of pods.
type TaskName struct {
	SafePath    string // of the app: "prod_web"
	Instance    UUID
	Incarnation uint32 // 1 when the id does not count
	// Foreign: no instance of Pacer can have a task of this id.
	Foreign bool
	prefix  string // of the instance's id: "instance-" or "marathon-"
}

// InstanceID returns the id of the task's instance.
func (n TaskName) InstanceID() string { return n.SafePath + "." + n.prefix + n.Instance.String() }

// The forms of instance ids.
const (
	instanceWord = "instance-"
	marathonWord = "marathon-"
)

// ReadTaskID takes a task id of any form apart:
//
//	<app>.instance-<uuid>._app.<n>   Pacer's, and Marathon's from 1.9 on
//	<app>.instance-<uuid>._app       without a count; also without what stands for the container
//	<app>.marathon-<uuid>…           instances of before 1.5
//	<app>.<uuid>, <app>.<uuid>.<n>   tasks of before there were instances
//
// A pod's container may stand in the place of _app.
func ReadTaskID(id string) (TaskName, error) {
	bad := fmt.Errorf("task id %q: expected <app>.instance-<uuid>._app.<n>, or a form of Marathon's earlier versions", id)
	at := lastUUID(id)
	if at < 0 {
		return TaskName{}, bad
	}
	n := TaskName{Incarnation: 1, prefix: instanceWord}
	n.Instance, _ = ParseUUID(id[at : at+uuidLength])
	before, after := id[:at], id[at+uuidLength:]
	old := false
	switch {
	case strings.HasSuffix(before, "."+instanceWord):
	case strings.HasSuffix(before, "."+marathonWord):
		n.prefix = marathonWord
	default:
		old, n.prefix = true, marathonWord
	}
	if !old {
		before = strings.TrimSuffix(before, n.prefix)
	}
	n.SafePath = strings.TrimRight(before, "._")
	container, counted := n.count(after)
	n.Foreign = n.prefix != instanceWord || container != "._app" && container != ""
	if n.SafePath == "" || len(before)-len(n.SafePath) != 1 || !counted || old && container != "" {
		return TaskName{}, bad
	}
	return n, nil
}

// count reads what follows the UUID: the container, with what joins it, and the
// incarnation. ok is false when it is neither.
func (n *TaskName) count(after string) (container string, ok bool) {
	container = after
	if i := strings.LastIndexByte(container, '.'); i >= 0 {
		if count, err := strconv.ParseUint(container[i+1:], 10, 32); err == nil {
			n.Incarnation, container = uint32(count), container[:i]
		}
	}
	if container == "" {
		return "", true
	}
	joined := container[0] == '.' || container[0] == '_'
	return container, joined && len(container) > 1 && !strings.Contains(container[1:], ".")
}

const uuidLength = 36

// lastUUID returns where the last UUID of a text begins that something stands
// before, -1 when there is none.
func lastUUID(text string) int {
	for at := len(text) - uuidLength; at > 0; at-- {
		if text[at+8] != '-' {
			continue
		}
		if _, err := ParseUUID(text[at : at+uuidLength]); err == nil {
			return at
		}
	}
	return -1
}
