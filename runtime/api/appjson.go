package api

import (
	"strconv"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// appendApp appends an app's JSON: its definition and the extras.
func appendApp(b []byte, v *scheduler.AppView, e embeds) []byte {
	b = v.App.AppendFields(append(b, '{'), true)
	if e.counts {
		b = appendCounts(b, countTasks(v.Instances))
	}
	if e.deployments {
		b = appendDeployments(b, v.Deployments)
	}
	return append(appendExtras(b, v, e), '}')
}

// appendExtras appends what comes after the counts and the deployments.
func appendExtras(b []byte, v *scheduler.AppView, e embeds) []byte {
	if e.readiness {
		b = append(append(b, `,"readinessCheckResults":`...), encodeJSON(e.readinessOf(v))...)
	}
	if e.tasks {
		b = appendTasks(append(b, `,"tasks":`...), v)
	}
	if e.lastTaskFailure && v.LastFailure != nil {
		b = append(append(b, `,"lastTaskFailure":`...), encodeJSON(failureOf(v.App.ID, v.LastFailure))...)
	}
	if e.taskStats {
		// Releases of the API disagree about the name; clients look for one of them.
		stats := encodeJSON(statisticsOf(v, e.now))
		b = append(append(b, `,"tasksStats":`...), stats...)
		b = append(append(b, `,"taskStats":`...), stats...)
	}
	return b
}

// counts are the tasks of an app by state and health.
type counts struct {
	Staged    int `json:"staged"`
	Running   int `json:"running"`
	Healthy   int `json:"healthy"`
	Unhealthy int `json:"unhealthy"`
}

// countTasks counts a task as healthy or unhealthy only when a check has spoken.
func countTasks(instances []*scheduler.Instance) counts {
	var c counts
	for _, i := range instances {
		switch i.Condition {
		case scheduler.Provisioned, scheduler.Staging:
			c.Staged++
		case scheduler.Running:
			c.Running++
		default: // the API has no count for the others
		}
		switch {
		case i.Healthy == nil || !i.Condition.Active():
		case *i.Healthy:
			c.Healthy++
		default:
			c.Unhealthy++
		}
	}
	return c
}

// appendCounts names the counts as the API has them in an app, which is not how
// it has them in statistics.
func appendCounts(b []byte, c counts) []byte {
	b = strconv.AppendInt(append(b, `,"tasksStaged":`...), int64(c.Staged), 10)
	b = strconv.AppendInt(append(b, `,"tasksRunning":`...), int64(c.Running), 10)
	b = strconv.AppendInt(append(b, `,"tasksHealthy":`...), int64(c.Healthy), 10)
	return strconv.AppendInt(append(b, `,"tasksUnhealthy":`...), int64(c.Unhealthy), 10)
}

// appendDeployments shows an empty list too: clients take an app without one for
// an app that is not under deployment, not for one of which nothing is known.
func appendDeployments(b []byte, ids []string) []byte {
	b = append(b, `,"deployments":[`...)
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(spec.AppendText(append(b, `{"id":`...), id), '}')
	}
	return append(b, ']')
}

// taskFailure is the JSON of the last failed task of an app.
type taskFailure struct {
	AppID     spec.PathID `json:"appId"`
	Host      string      `json:"host"`
	Message   string      `json:"message"`
	State     string      `json:"state"`
	TaskID    string      `json:"taskId"`
	Timestamp string      `json:"timestamp"`
	Version   string      `json:"version"`
	SlaveID   string      `json:"slaveId,omitempty"`
}

func failureOf(app spec.PathID, f *scheduler.TaskFailure) taskFailure {
	return taskFailure{
		AppID: app, Host: f.Host, Message: f.Message, State: f.State, TaskID: f.TaskID,
		Timestamp: f.At.String(), Version: f.Version.String(), SlaveID: f.AgentID,
	}
}
