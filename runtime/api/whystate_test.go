package api

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

func TestWhyState(t *testing.T) {
	const now = spec.Timestamp(10_000)
	fault := &sdk.Fault{Module: "zoo@1.0.0", Cause: "fuel exhausted"}
	snapshot := &scheduler.Snapshot{Subscribed: true, Deployments: []*scheduler.DeploymentView{
		{Plan: &deployment.Plan{ID: "d", Steps: []deployment.Step{{}, {Actions: []deployment.Action{{App: "/a"}, {App: "/b"}}}, {}}}, Current: 1},
		{Plan: &deployment.Plan{ID: "late", Steps: []deployment.Step{
			{}, {Actions: []deployment.Action{{App: "/b"}, {App: "/c"}, {App: "/d"}, {App: "/e"}}}, {Actions: []deployment.Action{{App: "/a"}}},
		}}, Current: 1},
	}}
	waiting := placement.Explanation{Waiting: 2}
	unknown := placement.Explanation{Waiting: 1}
	unknown.Tally[placement.NoOffer] = 3
	refused := placement.Explanation{Waiting: 1, Denied: []placement.Denial{{Name: "rack:UNIQUE", Agents: 1}}, DeniedAgents: 1}
	refused.Tally[placement.Refused] = 2
	unwell := false
	for _, tt := range []struct {
		name  string
		view  scheduler.AppView
		e     placement.Explanation
		state string
		text  string
	}{
		{
			"paused",
			scheduler.AppView{Upgrade: &scheduler.UpgradeView{Paused: "look first"}},
			waiting, whyPaused,
			"its upgrade is paused by its strategy: look first; promote it with POST /pacer/v1/apps/a/promote",
		},
		{
			"strategy's fault",
			scheduler.AppView{Upgrade: &scheduler.UpgradeView{Fault: "no module"}},
			waiting, whyStrategy,
			"its upgrade waits because its strategy gave no answer: no module",
		},
		{
			"its volumes are elsewhere",
			scheduler.AppView{Instances: []*scheduler.Instance{{
				Condition: scheduler.Failed, Agent: &placement.Agent{Hostname: "h7"}, Reservation: &scheduler.Reservation{},
			}}},
			unknown, whyResident,
			"1 instance waits for what it has reserved on h7, where its volumes are",
		},
		{
			"being reserved",
			scheduler.AppView{Instances: []*scheduler.Instance{{
				Agent: &placement.Agent{Hostname: "h7"}, Reservation: &scheduler.Reservation{Deadline: 1},
			}}},
			unknown, whyResident,
			"1 instance waits for what is being reserved for it on h7",
		},
		{
			"health rule's fault",
			scheduler.AppView{HealthFault: "policy module zoo@1.0.0: fuel exhausted"},
			placement.Explanation{},
			whyRuleFault,
			"its instances stay as healthy as they were because the health rule gave no answer: policy module zoo@1.0.0: fuel exhausted",
		},
		{
			"built-in health rule in place of one that fails",
			scheduler.AppView{HealthFault: "policy module zoo@1.0.0: fuel exhausted", HealthStandIn: true},
			placement.Explanation{},
			whyRuleFault,
			"its instances are judged by the built-in health rule because its own gave no answer: policy module zoo@1.0.0: fuel exhausted",
		},
		{
			"deploying",
			scheduler.AppView{Deployments: []string{"d"}},
			placement.Explanation{},
			whyDeploying,
			"deployment d holds the lock and is at step 2 of 3",
		},
		{
			"strategy that asks for too much",
			scheduler.AppView{
				Deployments: []string{"d"},
				Upgrade:     &scheduler.UpgradeView{Excess: &sdk.Fault{Module: "zoo@1.0.0", Cause: "it asked to kill 9"}},
			},
			placement.Explanation{},
			whyDeploying,
			"deployment d holds the lock and is at step 2 of 3; what the policy module zoo@1.0.0 says of its upgrade is cut: it asked to kill 9",
		},
		{
			"waits for many",
			scheduler.AppView{Deployments: []string{"late"}},
			placement.Explanation{},
			whyDependency,
			"it waits for step 2 of 3 of deployment late: /b, /c, /d and 1 more",
		},
		{
			"held without a failure",
			scheduler.AppView{Backoff: scheduler.Backoff{Until: now + 1}},
			waiting, whyHeld,
			"it is held by its back-off until 1970-01-01T00:00:10.001Z",
		},
		{
			"back-off over",
			scheduler.AppView{Backoff: scheduler.Backoff{Until: now}},
			waiting, whyWaiting,
			"2 instances without a place: it waits for offers, and no agent is known yet",
		},
		{
			"no offer of known agents",
			scheduler.AppView{},
			unknown, whyWaiting,
			"1 instance without a place: it waits for offers, and none was seen of 3 known agents",
		},
		{
			"refused, but not by policies alone",
			scheduler.AppView{},
			refused, whyWaiting,
			"1 instance without a place: by the last offers seen, 0 of 2 agents would do",
		},
		{
			"suspended",
			scheduler.AppView{Instances: []*scheduler.Instance{{Condition: scheduler.Killing}}},
			placement.Explanation{},
			whySuspended, "it is suspended, and 1 instance still to end",
		},
		{
			"its upgrade at one that is not well, and an old one",
			scheduler.AppView{
				Deployments: []string{"d"}, Upgrade: &scheduler.UpgradeView{},
				Instances: []*scheduler.Instance{
					{Condition: scheduler.Running, Version: 1, Healthy: &unwell},
					{Condition: scheduler.Running, Version: 1},
					{Condition: scheduler.Running},
					{Condition: scheduler.Staging, Version: 1},
				},
			},
			placement.Explanation{},
			whyHealth,
			"its upgrade waits for health: 1 of 2 new instances are well",
		},
		{
			"fault of the last match",
			scheduler.AppView{Refusals: &placement.Refusals{Fault: fault}},
			waiting, whyPolicy,
			"it waits because the policy module zoo@1.0.0 failed: fuel exhausted",
		},
		{
			"denied by a fetch policy",
			scheduler.AppView{Refusals: &placement.Refusals{Denied: "ftp://a/b: denied by the fetch policy schemes: the scheme ftp is forbidden"}},
			waiting, whyDenied,
			"2 instances without a place: ftp://a/b: denied by the fetch policy schemes: the scheme ftp is forbidden",
		},
		{
			"denied by a fetch policy, and all have a place",
			scheduler.AppView{Refusals: &placement.Refusals{Denied: "ftp://a/b: denied"}},
			placement.Explanation{},
			whySuspended, "it is suspended: it asks for no instances",
		},
		{
			"fault of nobody known",
			scheduler.AppView{},
			placement.Explanation{Waiting: 1, Fault: errors.New("not loaded")},
			whyPolicy,
			"it waits because a policy could not be asked: not loaded",
		},
		{
			"an old fault of an app that waits for nothing",
			scheduler.AppView{Refusals: &placement.Refusals{Fault: fault}},
			placement.Explanation{},
			whySuspended, "it is suspended: it asks for no instances",
		},
		{
			"health rule's fault",
			scheduler.AppView{HealthFault: fault.Error(), HealthFailed: fault},
			placement.Explanation{},
			whyRuleFault,
			"its instances stay as healthy as they were because the health rule gave no answer: policy module zoo@1.0.0: fuel exhausted",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.view.App = &spec.App{ID: "/a", LastConfigChangeAt: 1}
			var b whyBody
			b.describe(snapshot, &tt.view, now, &tt.e)
			if b.State != tt.state || b.Text != tt.text {
				t.Errorf("%s: %s\nwant %s: %s", b.State, b.Text, tt.state, tt.text)
			}
		})
	}
}

// TestModuleOfOperator: a module without a version is named without one, and one
// that is not loaded answers nothing.
func TestModuleOfOperator(t *testing.T) {
	s := &server{Config: Config{Modules: func() []Module {
		return []Module{
			{Name: "builtin", Operators: []string{"UNIQUE"}, Loaded: true},
			{Name: "zoo", Version: "1.0.0", Operators: []string{"ZOO"}, Loaded: true},
			{Name: "broken", Operators: []string{"BROKEN"}},
		}
	}}}
	want := map[string]string{"UNIQUE": "builtin", "ZOO": "zoo@1.0.0"}
	if got := s.operators(); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Whatever kind of policy failed, the fault names the module, and when it is asked
// again.
func TestWhyNamesTheModuleOfAFault(t *testing.T) {
	const now = spec.Timestamp(10_000)
	fault := &sdk.Fault{Module: "zoo@1.0.0", Kind: "some", Cause: "fuel exhausted"}
	absent := gone{sdk.Invalid{Message: "the policy module zoo is off"}}
	for name, tt := range map[string]struct {
		view  scheduler.AppView
		e     placement.Explanation
		want  policyFault
		retry string
	}{
		"constraint": {
			scheduler.AppView{Refusals: &placement.Refusals{Fault: fault}, PausedUntil: now + 1000},
			placement.Explanation{Waiting: 1},
			policyFault{Module: "zoo@1.0.0", Kind: "some", Cause: "fuel exhausted"},
			"1970-01-01T00:00:11.000Z",
		},
		"upgrade": {
			scheduler.AppView{Upgrade: &scheduler.UpgradeView{Fault: fault.Error(), Failed: fault}},
			placement.Explanation{},
			policyFault{Module: "zoo@1.0.0", Kind: "some", Cause: "fuel exhausted"},
			"",
		},
		"health": {
			scheduler.AppView{HealthFault: fault.Error(), HealthFailed: fault},
			placement.Explanation{},
			policyFault{Module: "zoo@1.0.0", Kind: "some", Cause: "fuel exhausted"},
			"",
		},
		"a module that is off": {
			scheduler.AppView{Refusals: &placement.Refusals{Fault: fmt.Errorf("constraint x: %w", &absent)}},
			placement.Explanation{Waiting: 1},
			policyFault{Module: "zoo", Kind: "constraint", Cause: "constraint x: the policy module zoo is off", absent: true},
			"",
		},
		"an upgrade without a word of whose fault it is": {
			scheduler.AppView{Upgrade: &scheduler.UpgradeView{Fault: "it took too long"}},
			placement.Explanation{},
			policyFault{Cause: "it took too long"},
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tt.view.App = &spec.App{ID: "/a"}
			var b whyBody
			b.describe(&scheduler.Snapshot{Subscribed: true}, &tt.view, now, &tt.e)
			if b.Fault == nil || *b.Fault != tt.want || b.RetryAt != tt.retry {
				t.Errorf("%+v, again at %q; want %+v at %q", b.Fault, b.RetryAt, tt.want, tt.retry)
			}
		})
	}
}

// gone is an error about a module that cannot be asked.
type gone struct{ sdk.Invalid }

func (*gone) Absent() (module, kind string) { return "zoo", "constraint" }

// A policy that failed holds an app as a back-off does: it is not overdue, and who
// reads the queue as Marathon's shows it as delayed.
func TestQueueShowsThePauseAfterAFault(t *testing.T) {
	v := &scheduler.AppView{
		App: &spec.App{ID: "/a"}, Refusals: &placement.Refusals{Fault: errors.New("fuel exhausted")}, PausedUntil: 20_000,
		Instances: []*scheduler.Instance{{Goal: scheduler.GoalRunning}},
	}
	if got, want := queueItemOf(v, 10_500).Delay, (queueDelay{10, false}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	v.Backoff.Until = 30_000 // the longer of the two
	if got, want := queueItemOf(v, 10_500).Delay, (queueDelay{20, false}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, want := queueItemOf(v, 30_000).Delay, (queueDelay{0, true}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
