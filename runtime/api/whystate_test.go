package api

import (
	"errors"
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
		{Plan: &deployment.Plan{ID: "d", Steps: make([]deployment.Step, 3)}, Current: 1},
	}}
	waiting := placement.Explanation{Waiting: 2}
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
			"its upgrade is paused by its strategy: look first",
		},
		{
			"strategy's fault",
			scheduler.AppView{Upgrade: &scheduler.UpgradeView{Fault: "no module"}},
			waiting, whyStrategy,
			"its upgrade waits because its strategy gave no answer: no module",
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
			"held without a failure",
			scheduler.AppView{Backoff: scheduler.Backoff{Until: now + 1}},
			waiting, whyHeld,
			"it is held by its back-off until 1970-01-01T00:00:10.001Z",
		},
		{
			"back-off over",
			scheduler.AppView{Backoff: scheduler.Backoff{Until: now}},
			waiting, whyWaiting,
			"2 instances without a place: by the last offers seen, 0 of 0 agents would do",
		},
		{
			"fault of the last match",
			scheduler.AppView{Refusals: &placement.Refusals{Fault: fault}},
			waiting, whyPolicy,
			"it waits because the policy module zoo@1.0.0 failed: fuel exhausted",
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
			whyRunning, "it runs as asked: 0 instances",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.view.App = &spec.App{ID: "/a"}
			var b whyBody
			b.describe(snapshot, &tt.view, now, &tt.e)
			if b.State != tt.state || b.Text != tt.text {
				t.Errorf("%s: %s\nwant %s: %s", b.State, b.Text, tt.state, tt.text)
			}
		})
	}
}
