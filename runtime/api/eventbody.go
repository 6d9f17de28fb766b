package api

import (
	"strings"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// head is what every event body begins with.
type head struct {
	EventType string `json:"eventType"`
	Timestamp string `json:"timestamp"`
}

// statusUpdate has every field of the API even when it is empty: service proxies
// read them without asking.
type statusUpdate struct {
	head
	SlaveID     string      `json:"slaveId"`
	TaskID      string      `json:"taskId"`
	TaskStatus  string      `json:"taskStatus"`
	Message     string      `json:"message"`
	AppID       spec.PathID `json:"appId"`
	Host        string      `json:"host"`
	IPAddresses []ipAddress `json:"ipAddresses"`
	Ports       []int       `json:"ports"`
	Version     string      `json:"version"`
}

// instanceChanged shows null for the agent of an instance that has none.
type instanceChanged struct {
	head
	InstanceID     string      `json:"instanceId"`
	Condition      string      `json:"condition"`
	RunSpecID      spec.PathID `json:"runSpecId"`
	AgentID        *string     `json:"agentId"`
	Host           *string     `json:"host"`
	RunSpecVersion string      `json:"runSpecVersion"`
}

type unknownTerminated struct {
	head
	InstanceID string      `json:"instanceId"`
	RunSpecID  spec.PathID `json:"runSpecId"`
	Condition  string      `json:"condition"`
}

type groupChanged struct {
	head
	GroupID spec.PathID `json:"groupId"`
	Version string      `json:"version"`
}

type groupRefused struct {
	groupChanged
	Reason string `json:"reason"`
}

// healthChanged shows null for an instance of which nothing is known any more.
type healthChanged struct {
	head
	InstanceID     string      `json:"instanceId"`
	RunSpecID      spec.PathID `json:"runSpecId"`
	Healthy        *bool       `json:"healthy"`
	RunSpecVersion string      `json:"runSpecVersion"`
}

// planBody is a plan without the definitions before and after it, the only form
// that events have had for years.
type planBody struct {
	ID      string `json:"id"`
	Steps   []step `json:"steps"`
	Version string `json:"version"`
}

// deploymentStep is a step's beginning or its end.
type deploymentStep struct {
	head
	Plan        planBody `json:"plan"`
	CurrentStep step     `json:"currentStep"`
}

// deploymentEnded has the id twice, in the plan and beside it: clients look in
// either place.
type deploymentEnded struct {
	head
	ID     string   `json:"id"`
	Plan   planBody `json:"plan"`
	Reason string   `json:"reason,omitempty"`
}

// upgradePaused is an upgrade that its strategy has stopped, or that goes on. The
// reason is that of the pause.
type upgradePaused struct {
	head
	AppID  spec.PathID `json:"appId"`
	Plan   planBody    `json:"plan"`
	Reason string      `json:"reason,omitempty"`
}

type appTerminated struct {
	head
	AppID spec.PathID `json:"appId"`
}

type registered struct {
	head
	FrameworkID string `json:"frameworkId"`
	Master      string `json:"master"`
}

type reregistered struct {
	head
	Master string `json:"master"`
}

// frameworkMessage shows the bytes one by one: they need not be text.
type frameworkMessage struct {
	head
	ExecutorID string `json:"executorId"`
	SlaveID    string `json:"slaveId"`
	Message    []int  `json:"message"`
}

// streamChanged is a client that comes or goes.
type streamChanged struct {
	head
	RemoteAddress string `json:"remoteAddress"`
}

// subscription is a callback that comes or goes.
type subscription struct {
	head
	ClientIP    string `json:"clientIp"`
	CallbackURL string `json:"callbackUrl"`
}

// apiPost is an accepted definition, as it is in force.
type apiPost struct {
	head
	ClientIP      string    `json:"clientIp"`
	URI           string    `json:"uri"`
	AppDefinition *spec.App `json:"appDefinition"`
}

// eventOf returns the type and the body of a notice. now is the time of those
// that carry none.
func eventOf(n scheduler.Notice, now spec.Timestamp) (string, any) {
	switch n := n.(type) {
	case scheduler.Registered:
		h := headOf("scheduler_registered_event", now)
		return h.EventType, registered{h, n.FrameworkID, n.Master}
	case scheduler.Reregistered:
		h := headOf("scheduler_reregistered_event", now)
		return h.EventType, reregistered{h, n.Master}
	case scheduler.MasterLost:
		h := headOf("scheduler_disconnected_event", now)
		return h.EventType, h
	case scheduler.MessageCame:
		return messageEvent(n)
	case scheduler.GroupChanged:
		h := headOf("group_change_success", n.At)
		return h.EventType, groupChanged{h, n.Group, n.Version.String()}
	case scheduler.ChangeRefused:
		return refusedEvent(n)
	case scheduler.AppTerminated:
		h := headOf("app_terminated_event", n.At)
		return h.EventType, appTerminated{h, n.App}
	case scheduler.StepBegun:
		return stepEvent("deployment_info", n.At, n.Plan, n.Step)
	case scheduler.StepEnded:
		return stepEvent("deployment_step_success", n.At, n.Plan, n.Step)
	case scheduler.StepFailed:
		return stepEvent("deployment_step_failure", n.At, n.Plan, n.Step)
	case scheduler.DeploymentEnded:
		return endEvent(n)
	case scheduler.UpgradePaused:
		h := headOf("upgrade_paused_event", n.At)
		return h.EventType, upgradePaused{h, n.App, planOf(n.Plan), n.Reason}
	case scheduler.UpgradeResumed:
		return resumedEvent(n)
	case scheduler.StatusApplied:
		return statusEvent(n)
	case scheduler.InstanceChanged:
		return instanceEvent(n)
	case scheduler.HealthChanged:
		return healthEvent(n)
	case scheduler.UnknownTerminated:
		return unknownEvent(n)
	case scheduler.HealthCheckAdded, scheduler.HealthCheckRemoved, scheduler.HealthCheckFailed, scheduler.AliveChanged, scheduler.UnhealthyKilled:
		return checkEventOf(n)
	default:
		return "", nil
	}
}

func messageEvent(n scheduler.MessageCame) (string, any) {
	h := headOf("framework_message_event", n.At)
	body := frameworkMessage{h, n.Message.ExecutorID, n.Message.AgentID, make([]int, len(n.Message.Data))}
	for i := range len(n.Message.Data) {
		body.Message[i] = int(int8(n.Message.Data[i])) // the API's bytes have a sign
	}
	return h.EventType, body
}

func instanceEvent(n scheduler.InstanceChanged) (string, any) {
	i, h := n.Instance, headOf("instance_changed_event", n.At)
	body := instanceChanged{
		head: h, InstanceID: i.InstanceID(), Condition: i.Condition.String(), RunSpecID: i.App, RunSpecVersion: i.Version.String(),
	}
	if i.Agent != nil {
		body.AgentID, body.Host = &i.Agent.ID, &i.Agent.Hostname
	}
	return h.EventType, body
}

func healthEvent(n scheduler.HealthChanged) (string, any) {
	i, h := n.Instance, headOf("instance_health_changed_event", n.At)
	return h.EventType, healthChanged{h, i.InstanceID(), i.App, i.Healthy, i.Version.String()}
}

// resumedEvent tells an upgrade that somebody let go on from one whose strategy did.
func resumedEvent(n scheduler.UpgradeResumed) (string, any) {
	name := "upgrade_resumed_event"
	if n.Promoted {
		name = "upgrade_promoted_event"
	}
	return name, upgradePaused{head: headOf(name, n.At), AppID: n.App, Plan: planOf(n.Plan)}
}

func refusedEvent(n scheduler.ChangeRefused) (string, any) {
	h := headOf("group_change_failed", n.At)
	return h.EventType, groupRefused{groupChanged{h, n.Group, n.Version.String()}, n.Reason}
}

func unknownEvent(n scheduler.UnknownTerminated) (string, any) {
	h := headOf("unknown_instance_terminated_event", n.At)
	// No id has a "_", so the form of task ids can be turned back.
	app := spec.PathID("/" + strings.ReplaceAll(n.SafePath, "_", "/"))
	return h.EventType, unknownTerminated{h, n.InstanceID, app, n.Condition.String()}
}

// statusEvent shows the state in Mesos' own words, also those that have no
// counterpart among the conditions of an instance.
func statusEvent(n scheduler.StatusApplied) (string, any) {
	i, h := n.Instance, headOf("status_update_event", n.At)
	body := statusUpdate{
		head: h, SlaveID: n.AgentID, TaskID: n.TaskID, TaskStatus: n.State.String(), Message: n.Message, AppID: i.App,
		IPAddresses: addresses(i), Ports: hostPorts(i), Version: i.Version.String(),
	}
	if i.Agent != nil {
		body.Host = i.Agent.Hostname
	}
	return h.EventType, body
}

// stepEvent takes the step from the plan. A plan without steps has none to show.
func stepEvent(name string, at spec.Timestamp, plan *deployment.Plan, n int) (string, any) {
	body := deploymentStep{head: headOf(name, at), Plan: planOf(plan), CurrentStep: step{[]action{}}}
	if n >= 0 && n < len(plan.Steps) {
		body.CurrentStep = body.Plan.Steps[n]
	}
	return name, body
}

func endEvent(n scheduler.DeploymentEnded) (string, any) {
	name := "deployment_success"
	if n.Failed {
		name = "deployment_failed"
	}
	return name, deploymentEnded{headOf(name, n.At), n.Plan.ID, planOf(n.Plan), n.Reason}
}

func planOf(p *deployment.Plan) planBody { return planBody{p.ID, stepsOf(p.Steps), p.Version.String()} }

func headOf(name string, at spec.Timestamp) head { return head{name, at.String()} }
