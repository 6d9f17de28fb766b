package api

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// appendHealth appends a result for each health check, in the order of the
// definition: clients take them by their place. As long as the health rule has said
// nothing about any there are none, which clients take for not known. Times are left
// out while there are none.
func appendHealth(b []byte, i *scheduler.Instance, safe string) []byte {
	if i.Found == nil || len(i.Found.Health) == 0 {
		if i.Healthy != nil { // Mesos has said so, of a check that nobody defined
			b = appendInstanceID(append(b, `{"instanceId":"`...), i, safe)
			b = strconv.AppendBool(append(b, `","alive":`...), *i.Healthy)
			b = append(b, `,"consecutiveFailures":0}`...)
		}
		return b
	}
	if !slices.ContainsFunc(i.Found.Health, func(h scheduler.CheckHealth) bool { return h.State != sdk.HealthUnknown }) {
		return b
	}
	for n := range i.Found.Health {
		if n > 0 {
			b = append(b, ',')
		}
		h := &i.Found.Health[n]
		b = appendInstanceID(append(b, `{"instanceId":"`...), i, safe)
		b = strconv.AppendBool(append(b, `","alive":`...), h.State == sdk.Healthy)
		b = strconv.AppendUint(append(b, `,"consecutiveFailures":`...), uint64(h.ConsecutiveFailures), 10)
		b = appendTime(b, `,"firstSuccess":"`, spec.Timestamp(h.FirstSuccess))
		b = appendTime(b, `,"lastSuccess":"`, spec.Timestamp(h.LastSuccess))
		b = appendTime(b, `,"lastFailure":"`, spec.Timestamp(h.LastFailure))
		b = append(appendSet(b, `,"lastFailureCause":`, h.LastFailureCause), '}')
	}
	return b
}

// readinessResult is what the readiness check of a task has found last.
type readinessResult struct {
	Name         string             `json:"name"`
	TaskID       string             `json:"taskId"`
	Ready        bool               `json:"ready"`
	LastResponse *readinessResponse `json:"lastResponse,omitempty"`
}

type readinessResponse struct {
	Status      int    `json:"status"`
	ContentType string `json:"contentType"`
	Body        string `json:"body"`
}

// readinessOf are the results of the instances that a deployment has started.
func readinessOf(v *scheduler.AppView, d *scheduler.DeploymentView) []readinessResult {
	results := []readinessResult{}
	for _, i := range v.Instances {
		if i.Found == nil || i.Found.Readiness == nil || i.StagedAt < d.Began || !hasTask(i) {
			continue
		}
		r := readinessResult{Name: i.Found.Readiness.Name, TaskID: i.TaskID(), Ready: i.Found.Readiness.Ready}
		if p := i.Found.Readiness.Response; p != nil {
			r.LastResponse = &readinessResponse{p.Status, p.ContentType, p.Body}
		}
		results = append(results, r)
	}
	return results
}

// unready counts the instances that a deployment has started, and that run and have
// not said that they are ready.
func unready(v *scheduler.AppView, d *scheduler.DeploymentView) (n int) {
	for _, i := range v.Instances {
		if i.Condition != scheduler.Running || i.Goal != scheduler.GoalRunning || i.StagedAt < d.Began {
			continue
		}
		version := v.App
		if old := versionOf(v, i.Version); old != nil {
			version = old
		}
		ready := i.Found != nil && i.Found.Readiness != nil && i.Found.Readiness.Ready
		if len(version.ReadinessChecks) > 0 && !ready {
			n++
		}
	}
	return n
}

// readinessOf are those of an app, while a step of a deployment is about it.
func (e embeds) readinessOf(v *scheduler.AppView) []readinessResult {
	for _, d := range e.under {
		if !slices.Contains(v.Deployments, d.Plan.ID) || d.Current >= len(d.Plan.Steps) {
			continue
		}
		for _, a := range d.Plan.Steps[d.Current].Actions {
			if a.App == v.App.ID {
				return readinessOf(v, d)
			}
		}
	}
	return []readinessResult{}
}

// The bodies of events about health checks. In one of them the API's taskId holds
// the id of the instance.
type (
	checkAdded struct {
		head
		AppID       spec.PathID     `json:"appId"`
		Version     string          `json:"version"`
		HealthCheck json.RawMessage `json:"healthCheck"`
	}
	checkRemoved struct {
		head
		AppID spec.PathID `json:"appId"`
	}
	checkFailed struct {
		head
		AppID       spec.PathID     `json:"appId"`
		TaskID      string          `json:"taskId"`
		HealthCheck json.RawMessage `json:"healthCheck"`
	}
	aliveChanged struct {
		head
		AppID      spec.PathID `json:"appId"`
		InstanceID string      `json:"instanceId"`
		Version    string      `json:"version"`
		Alive      bool        `json:"alive"`
	}
	unhealthyKilled struct {
		head
		AppID      spec.PathID `json:"appId"`
		TaskID     string      `json:"taskId"`
		InstanceID string      `json:"instanceId"`
		Version    string      `json:"version"`
		Reason     string      `json:"reason"`
		Host       string      `json:"host"`
		SlaveID    string      `json:"slaveId,omitempty"`
	}
)

// checkEventOf is eventOf for what happens to an instance by its checks.
func checkEventOf(n any) (string, any) {
	switch n := n.(type) {
	case scheduler.HealthCheckAdded:
		h := headOf("add_health_check_event", n.At)
		return h.EventType, checkAdded{h, n.App.ID, n.App.Version.String(), n.Check.AppendJSON(nil)}
	case scheduler.HealthCheckRemoved:
		h := headOf("remove_health_check_event", n.At)
		return h.EventType, checkRemoved{h, n.App}
	case scheduler.HealthCheckFailed:
		h := headOf("failed_health_check_event", n.At)
		return h.EventType, checkFailed{h, n.Instance.App, n.Instance.InstanceID(), n.Check.AppendJSON(nil)}
	case scheduler.AliveChanged:
		i, h := n.Instance, headOf("health_status_changed_event", n.At)
		return h.EventType, aliveChanged{h, i.App, i.InstanceID(), i.Version.String(), n.Alive}
	case scheduler.UnhealthyKilled:
		i, h := n.Instance, headOf("unhealthy_instance_kill_event", n.At)
		return h.EventType, unhealthyKilled{h, i.App, i.TaskID(), i.InstanceID(), i.Version.String(), n.Reason, i.Agent.Hostname, i.Agent.ID}
	default:
		return "", nil
	}
}
