package api

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// The states of an app, as why tells them.
const (
	whyRunning   = "running"
	whyStarting  = "starting"
	whyWaiting   = "waiting"
	whyHeld      = "held"
	whyDeploying = "deploying"
	whyPaused    = "paused"
	whyStrategy  = "strategyFault"
	whyPolicy    = "policyFault"
	whyUncovered = "notLaunchable"
)

// describe says in one sentence what keeps the app from being as asked. Of
// several causes it is the one that would have to end first.
func (b *whyBody) describe(snapshot *scheduler.Snapshot, v *scheduler.AppView, now spec.Timestamp, e *placement.Explanation) {
	b.Instances, b.Waiting, b.Uncovered = v.App.Instances, e.Waiting, v.App.Uncovered()
	for _, i := range v.Instances {
		if i.Condition == scheduler.Running {
			b.Running++
		}
	}
	b.Deployments = []deploymentID{}
	for _, id := range v.Deployments {
		b.Deployments = append(b.Deployments, deploymentID{id})
	}
	if f := v.LastFailure; f != nil {
		b.LastFailure = fmt.Sprintf("%s on %s at %s: %s", f.State, f.Host, f.At, f.Message)
	}
	if v.Backoff.Until > now {
		b.HeldUntil = v.Backoff.Until.String()
	}
	b.Fault = faultOf(v, e)
	b.State, b.Text = b.cause(snapshot, v, e)
	if u := v.Upgrade; b.Fault == nil && u != nil && u.Excess != nil {
		b.Fault = &policyFault{u.Excess.Module, u.Excess.Cause}
		b.Text += fmt.Sprintf("; what the policy module %s says of its upgrade is cut: %s", u.Excess.Module, u.Excess.Cause)
	}
}

// faultOf is the fault of a policy: of now, or else of the last match.
func faultOf(v *scheduler.AppView, e *placement.Explanation) *policyFault {
	err := e.Fault
	if err == nil && v.Refusals != nil && e.Waiting > 0 {
		err = v.Refusals.Fault
	}
	if err == nil {
		return nil
	}
	if fault, ok := errors.AsType[*sdk.Fault](err); ok {
		return &policyFault{fault.Module, fault.Cause}
	}
	return &policyFault{Cause: err.Error()}
}

func (b *whyBody) cause(snapshot *scheduler.Snapshot, v *scheduler.AppView, e *placement.Explanation) (state, text string) {
	switch u := v.Upgrade; {
	case len(b.Uncovered) > 0 && b.Waiting > 0:
		return whyUncovered, "it cannot be launched by this version because of its fields " + strings.Join(b.Uncovered, ", ")
	case u != nil && u.Paused != "":
		return whyPaused, "its upgrade is paused by its strategy: " + u.Paused
	case u != nil && u.Fault != "":
		return whyStrategy, "its upgrade waits because its strategy gave no answer: " + u.Fault
	case b.Waiting > 0 && b.HeldUntil != "" && v.LastFailure != nil:
		return whyHeld, fmt.Sprintf("it is held by its back-off until %s after the failure %s", b.HeldUntil, b.LastFailure)
	case b.Waiting > 0 && b.HeldUntil != "":
		return whyHeld, fmt.Sprintf("it is held by its back-off until %s", b.HeldUntil)
	case b.Waiting > 0 && b.Fault != nil && b.Fault.Module != "":
		return whyPolicy, fmt.Sprintf("it waits because the policy module %s failed: %s", b.Fault.Module, b.Fault.Cause)
	case b.Waiting > 0 && b.Fault != nil:
		return whyPolicy, "it waits because a policy could not be asked: " + b.Fault.Cause
	case b.Waiting > 0:
		return whyWaiting, waitingText(snapshot, b, e)
	case len(v.Deployments) > 0:
		return whyDeploying, deployingText(snapshot, v.Deployments[0])
	case b.Running == b.Instances && len(v.Instances) == b.Running:
		return whyRunning, "it runs as asked: " + count(b.Running, "instance")
	default:
		return whyStarting, fmt.Sprintf("%d of %s run, and none waits for a place", b.Running, count(b.Instances, "instance"))
	}
}

func waitingText(snapshot *scheduler.Snapshot, b *whyBody, e *placement.Explanation) string {
	if !snapshot.Subscribed {
		return fmt.Sprintf("%s without a place: no Mesos master is connected", count(b.Waiting, "instance"))
	}
	return fmt.Sprintf("%s without a place: by the last offers seen, %d of %s would do",
		count(b.Waiting, "instance"), e.Tally[placement.Fits], count(len(e.Agents), "agent"))
}

func deployingText(snapshot *scheduler.Snapshot, id string) string {
	for _, d := range snapshot.Deployments {
		if d.Plan.ID == id {
			return fmt.Sprintf("deployment %s holds the lock and is at step %d of %d", id, stepNumber(d.Current, d.Plan.Steps), len(d.Plan.Steps))
		}
	}
	return fmt.Sprintf("deployment %s holds the lock", id)
}

// count writes "1 instance", "2 instances".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
