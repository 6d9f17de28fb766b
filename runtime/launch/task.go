// Package launch turns an app's definition and a place into the TaskInfo that
// Mesos runs. It is pure.
package launch

import (
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Task is one launch: which app, where, under which id.
type Task struct {
	ID    string // task id, see scheduler.Instance.TaskID
	App   *spec.App
	Place placement.Placement
}
