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
	whyRunning     = "running"
	whyStarting    = "starting"
	whySuspended   = "suspended"
	whyWaiting     = "waiting"
	whyDenied      = "denied"
	whyHeld        = "held"
	whyResident    = "waitingForAgent"
	whyUnreachable = "unreachable"
	whyHealth      = "health"
	whyDependency  = "dependency"
	whyDeploying   = "deploying"
	whyPaused      = "paused"
	whyStrategy    = "strategyFault"
	whyPolicy      = "policyFault"
	whyRuleFault   = "ruleFault"
	whyUncovered   = "notLaunchable"
)

// describe says in one sentence what keeps the app from being as asked. Of
// several causes it is the one that would have to end first.
func (b *whyBody) describe(snapshot *scheduler.Snapshot, v *scheduler.AppView, now spec.Timestamp, e *placement.Explanation) {
	b.Instances, b.Waiting, b.Uncovered = v.App.Instances, e.Waiting, v.App.Uncovered()
	census := censusOf(v)
	b.Running = census.running
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
	if b.Fault = faultOf(v, e); b.Fault != nil && v.PausedUntil > now {
		b.RetryAt = v.PausedUntil.String()
	}
	if b.Waiting > 0 {
		b.Denied = deniedWord(v)
	}
	for _, cause := range []func() (state, text string){
		func() (string, string) { return b.strategyCause(v) },
		func() (string, string) { return b.placeCause(snapshot, v, e) },
		func() (string, string) { return deploymentCause(snapshot, v, census) },
		func() (string, string) { return instanceCause(v, census) },
	} {
		if b.State, b.Text = cause(); b.State != "" {
			break
		}
	}
	if u := v.Upgrade; b.Fault == nil && u != nil && u.Excess != nil {
		b.Fault = faultOfWord("", u.Excess)
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
		return &policyFault{Module: fault.Module, Kind: fault.Kind, Cause: fault.Cause}
	}
	var absent interface{ Absent() (module, kind string) } // a module that is there, and cannot be asked
	if errors.As(err, &absent) {
		module, kind := absent.Absent()
		return &policyFault{module, kind, err.Error(), true}
	}
	return &policyFault{Cause: err.Error()}
}

// faultOfWord is a fault of which the core has the text, and the module where it is
// known.
func faultOfWord(text string, of *sdk.Fault) *policyFault {
	if of == nil {
		return &policyFault{Cause: text}
	}
	return &policyFault{Module: of.Module, Kind: of.Kind, Cause: of.Cause}
}

// strategyCause is what is not to be launched at all, or the word of the upgrade
// strategy, or what the health rule did not say; "" for none.
func (b *whyBody) strategyCause(v *scheduler.AppView) (state, text string) {
	switch u := v.Upgrade; {
	case len(b.Uncovered) > 0 && b.Waiting > 0:
		return whyUncovered, "it cannot be launched by this version because of its fields " + strings.Join(b.Uncovered, ", ")
	case u != nil && u.Paused != "":
		return whyPaused, fmt.Sprintf("its upgrade is paused by its strategy: %s; promote it with %s", u.Paused, promotePath(v.App.ID))
	case u != nil && u.Fault != "":
		b.Fault = faultOfWord(u.Fault, u.Failed)
		return whyStrategy, "its upgrade waits because its strategy gave no answer: " + u.Fault
	case v.HealthStandIn:
		b.Fault = faultOfWord(v.HealthFault, v.HealthFailed)
		return whyRuleFault, "its instances are judged by the built-in health rule because its own gave no answer: " + v.HealthFault
	case v.HealthFault != "":
		b.Fault = faultOfWord(v.HealthFault, v.HealthFailed)
		return whyRuleFault, "its instances stay as healthy as they were because the health rule gave no answer: " + v.HealthFault
	}
	return "", ""
}

// placeCause is why instances have no place; "" when all have one.
func (b *whyBody) placeCause(snapshot *scheduler.Snapshot, v *scheduler.AppView, e *placement.Explanation) (state, text string) {
	waiting := count(b.Waiting, "instance") + " without a place: "
	offered := e.Tally[placement.Fits] + e.Tally[placement.Refused] + e.Tally[placement.Faulted]
	agents := offered + e.Tally[placement.NoOffer]
	switch {
	case b.Waiting == 0:
		return "", ""
	case b.HeldUntil != "" && v.LastFailure != nil:
		return whyHeld, fmt.Sprintf("it is held by its back-off until %s after the failure %s", b.HeldUntil, b.LastFailure)
	case b.HeldUntil != "":
		return whyHeld, fmt.Sprintf("it is held by its back-off until %s", b.HeldUntil)
	case b.Fault != nil && b.Fault.Module != "" && !b.Fault.absent:
		return whyPolicy, fmt.Sprintf("it waits because the policy module %s failed: %s", b.Fault.Module, b.Fault.Cause) + b.retryText()
	case b.Fault != nil:
		return whyPolicy, "it waits because a policy could not be asked: " + b.Fault.Cause + b.retryText()
	case b.Denied != "":
		return whyDenied, waiting + b.Denied
	case !snapshot.Subscribed:
		return whyWaiting, waiting + "no Mesos master is connected"
	case heldText(v) != "":
		return whyResident, heldText(v)
	case agents == 0:
		return whyWaiting, waiting + "it waits for offers, and no agent is known yet"
	case offered == 0:
		return whyWaiting, waiting + fmt.Sprintf("it waits for offers, and none was seen of %s", count(agents, "known agent"))
	case e.DeniedAgents == offered:
		return whyDenied, waiting + deniedText(e, offered)
	case e.Tally[placement.Fits] > 0:
		return whyWaiting, waiting + fmt.Sprintf("it waits for the next offers, and by the last ones seen %d of %s would do",
			e.Tally[placement.Fits], count(agents, "agent"))
	}
	return whyWaiting, waiting + fmt.Sprintf("by the last offers seen, 0 of %s would do", count(agents, "agent"))
}

// retryText is when a policy that failed is asked again; "" for at once.
func (b *whyBody) retryText() string {
	if b.RetryAt == "" {
		return ""
	}
	return "; it is asked again at " + b.RetryAt
}

// heldText says what instances wait for that can only go where their volumes are;
// "" when there are others, or none.
func heldText(v *scheduler.AppView) string {
	var first *scheduler.Instance
	n := 0
	for _, i := range v.Instances {
		if i.Goal != scheduler.GoalRunning || hasTask(i) {
			continue
		}
		if i.Reservation == nil {
			return ""
		}
		if n++; first == nil {
			first = i
		}
	}
	switch {
	case n == 0:
		return ""
	case n > 1:
		return count(n, "instance") + " wait for the agents that have their volumes"
	case first.Reservation.Deadline != 0:
		return "1 instance waits for what is being reserved for it on " + first.Agent.Hostname
	}
	return "1 instance waits for what it has reserved on " + first.Agent.Hostname + ", where its volumes are"
}

// deniedText names the constraints by which policies refuse all agents.
func deniedText(e *placement.Explanation, offered int) string {
	var constraints []string
	for _, d := range e.Denied {
		constraints = append(constraints, fmt.Sprintf("%s refuses %d", d.Name, d.Agents))
	}
	return fmt.Sprintf("denied by policy on %s with offers: %s", count(offered, "agent"), strings.Join(constraints, ", "))
}

// count writes "1 instance", "2 instances".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
