package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	marathon "github.com/gambol99/go-marathon"
)

func TestSDKTasks(t *testing.T) {
	c := startSDK(t)
	if _, err := c.CreateApplication(sleeper("/shop/web", 3)); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitOnApplication("/shop/web", sdkPatience); err != nil {
		t.Fatal(err)
	}
	var old []string
	read := func(tasks *marathon.Tasks, err error) (any, error) {
		if err != nil {
			return nil, err
		}
		old = ids(tasks.Tasks)
		for _, task := range tasks.Tasks {
			if task.AppID != "/shop/web" || task.State != "TASK_RUNNING" || task.Host == "" || task.StartedAt == "" || len(task.Ports) != 1 {
				return nil, fmt.Errorf("task %+v", task)
			}
		}
		return len(old), nil
	}
	runSDK(t, []sdkCall{
		{"AllTasks", func() (any, error) { return read(c.AllTasks(nil)) }, 3},
		{"AllTasks that are staged", func() (any, error) {
			tasks, err := c.AllTasks(&marathon.AllTasksOpts{Status: "staging"})
			return len(tasks.Tasks), err
		}, 0},
		{"Tasks", func() (any, error) { return read(c.Tasks("/shop/web")) }, 3},
		{"KillTask", func() (any, error) {
			killed, err := c.KillTask(old[2], nil)
			if err != nil {
				return nil, err
			}
			if killed.ID != old[2] {
				return nil, fmt.Errorf("it tells of the end of %s, want %s", killed.ID, old[2])
			}
			return c.replaced("/shop/web", 3, old[2:])
		}, 3},
		{"Tasks after it", func() (any, error) { return read(c.Tasks("/shop/web")) }, 3},
		{"KillTasks", func() (any, error) {
			if err := c.KillTasks(old[:2], nil); err != nil {
				return nil, err
			}
			return c.replaced("/shop/web", 3, old[:2])
		}, 3},
		{"KillApplicationTasks", func() (any, error) {
			killed, err := c.KillApplicationTasks("/shop/web", &marathon.KillApplicationTasksOpts{Force: true})
			if err != nil {
				return nil, err
			}
			if len(killed.Tasks) != 3 {
				return nil, fmt.Errorf("it tells of %d killed tasks", len(killed.Tasks))
			}
			return c.replaced("/shop/web", 3, ids(killed.Tasks))
		}, 3},
		{"Tasks of no app", func() (any, error) { _, err := c.Tasks("/none"); return refusal(err) }, marathon.ErrCodeNotFound},
	})
}

func TestSDKGroups(t *testing.T) {
	c := startSDK(t)
	shop := func(instances int) *marathon.Group {
		return marathon.NewApplicationGroup("/shop").App(sleeper("/shop/web", instances)).App(sleeper("/shop/db", 1))
	}
	runSDK(t, []sdkCall{
		{"HasGroup before", func() (any, error) { return c.HasGroup("/shop") }, false},
		{"CreateGroup", func() (any, error) { return nil, c.CreateGroup(shop(1)) }, nil},
		{"WaitOnGroup", func() (any, error) { return nil, c.WaitOnGroup("/shop", sdkPatience) }, nil},
		{"HasGroup", func() (any, error) { return c.HasGroup("/shop") }, true},
		{"Group", func() (any, error) {
			group, err := c.Group("/shop")
			if err != nil {
				return nil, err
			}
			return []any{group.ID, len(group.Apps), len(group.Groups)}, nil
		}, []any{"/shop", 2, 0}},
		{"GroupBy", func() (any, error) {
			group, err := c.GroupBy("/shop", &marathon.GetGroupOpts{Embed: []string{"group.groups"}})
			if err != nil {
				return nil, err
			}
			return []any{group.ID, len(group.Apps)}, nil
		}, []any{"/shop", 0}},
		{"Groups", func() (any, error) {
			root, err := c.Groups()
			if err != nil || len(root.Groups) != 1 {
				return root, err
			}
			return []any{root.ID, root.Groups[0].ID, len(root.Groups[0].Apps)}, nil
		}, []any{"/", "/shop", 2}},
		{"GroupsBy", func() (any, error) {
			root, err := c.GroupsBy(&marathon.GetGroupOpts{Embed: []string{"group.groups", "group.apps"}})
			if err != nil || len(root.Groups) != 1 {
				return root, err
			}
			return len(root.Groups[0].Apps), nil
		}, 2},
		{"UpdateGroup", func() (any, error) {
			return c.after("/shop/web")(c.UpdateGroup("/shop", shop(2), false))
		}, "/shop/web: 2 of 2 run sleep 1000"},
		{"DeleteGroup", func() (any, error) {
			if err := c.settled(c.DeleteGroup("/shop", true)); err != nil {
				return nil, err
			}
			return c.HasGroup("/shop")
		}, false},
	})
}

// TestSDKDeploymentsAndQueue looks at an app that no agent has room for.
func TestSDKDeploymentsAndQueue(t *testing.T) {
	c := startSDK(t)
	var deployment string
	runSDK(t, []sdkCall{
		{"Deployments without any", func() (any, error) { list, err := c.Deployments(); return len(list), err }, 0},
		{"Queue without any", func() (any, error) { queue, err := c.Queue(); return len(queue.Items), err }, 0},
		{"ApplicationDeployments", func() (any, error) {
			if _, err := c.CreateApplication(sleeper("/big", 2).CPU(1000)); err != nil {
				return nil, err
			}
			list, err := c.ApplicationDeployments("/big")
			if err == nil && len(list) == 1 {
				deployment = list[0].DeploymentID
			}
			return len(list), err
		}, 1},
		{"ApplicationOK", func() (any, error) { return c.ApplicationOK("/big") }, false},
		{"HasDeployment", func() (any, error) { return c.HasDeployment(deployment) }, true},
		{"WaitOnDeployment in vain", func() (any, error) {
			return errors.Is(c.WaitOnDeployment(deployment, time.Millisecond), marathon.ErrTimeoutError), nil
		}, true},
		{"Deployments", func() (any, error) {
			list, err := c.Deployments()
			if err != nil || len(list) != 1 {
				return list, err
			}
			d := list[0]
			var actions []string
			for _, step := range d.Steps {
				for _, action := range step {
					actions = append(actions, action.Action+" "+action.App)
				}
			}
			return []any{d.ID == deployment, d.AffectedApps, d.TotalSteps, len(d.CurrentActions), actions}, nil
		}, []any{true, []string{"/big"}, 2, 1, []string{"StartApplication /big", "ScaleApplication /big"}}},
		{"Queue", func() (any, error) {
			queue, err := c.Queue()
			if err != nil || len(queue.Items) != 1 {
				return queue, err
			}
			item := queue.Items[0]
			return []any{item.Application.ID, item.Count, item.Delay.Overdue}, nil
		}, []any{"/big", 2, true}},
		{"DeleteQueueDelay", func() (any, error) { return nil, c.DeleteQueueDelay("/big") }, nil},
		{"DeleteQueueDelay of none", func() (any, error) { return refusal(c.DeleteQueueDelay("/none")) }, marathon.ErrCodeNotFound},
		{"DeleteDeployment", func() (any, error) {
			if err := c.settled(c.DeleteDeployment(deployment, false)); err != nil {
				return nil, err
			}
			return c.HasDeployment(deployment)
		}, false},
		{"what it has rolled back", func() (any, error) { _, err := c.Application("/big"); return refusal(err) }, marathon.ErrCodeNotFound},
	})
}

func TestSDKSystem(t *testing.T) {
	c := startSDK(t)
	address := strings.TrimPrefix(c.GetMarathonURL(), "http://")
	runSDK(t, []sdkCall{
		{"Ping", func() (any, error) { return c.Ping() }, true},
		{"Leader", func() (any, error) { return c.Leader() }, address},
		{"Info", func() (any, error) {
			info, err := c.Info()
			if err != nil {
				return nil, err
			}
			return []any{info.Leader, info.Name, info.FrameworkID != ""}, nil
		}, []any{address, "marathon", true}},
		// Callbacks are gone since Marathon 1.5.
		{"Subscriptions", func() (any, error) { _, err := c.Subscriptions(); return refusal(err) }, marathon.ErrCodeNotFound},
		{"Subscribe", func() (any, error) { return refusal(c.Subscribe("http://127.0.0.1/x")) }, marathon.ErrCodeNotFound},
		{"Unsubscribe", func() (any, error) { return refusal(c.Unsubscribe("http://127.0.0.1/x")) }, marathon.ErrCodeNotFound},
	})
}

// TestSDKEvents awaits each event that the start of an app makes. The client
// hands them on in no order.
func TestSDKEvents(t *testing.T) {
	c := startSDK(t)
	events, err := c.AddEventsListener(1<<30 - 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateApplication(sleeper("/a", 1)); err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{
		"event_stream_attached": true, "api_post_event": true, "group_change_success": true, "deployment_info": true,
		"status_update_event": true, "deployment_step_success": true, "deployment_success": true,
	}
	for deadline := time.After(sdkPatience); len(missing) > 0; {
		select {
		case e := <-events:
			if !tells(e.Event) {
				t.Errorf("%s has %+v", e.Name, e.Event)
			}
			delete(missing, e.Name)
		case <-deadline:
			t.Fatalf("no event %v", missing)
		}
	}
	c.RemoveEventsListener(events)
	for range events { // until it is closed
	}
}

// tells is whether the client has found in an event what it is about.
func tells(event any) bool {
	switch e := event.(type) {
	case *marathon.EventAPIRequest:
		return e.URI == "/v2/apps" && e.AppDefinition.ID == "/a"
	case *marathon.EventStatusUpdate:
		return e.AppID == "/a" && e.TaskID != "" && strings.HasPrefix(e.TaskStatus, "TASK_")
	case *marathon.EventDeploymentInfo:
		return len(e.Plan.Steps) > 0 && e.CurrentStep != nil
	case *marathon.EventDeploymentStepSuccess:
		return len(e.Plan.Steps) > 0 && e.CurrentStep != nil
	case *marathon.EventDeploymentSuccess:
		return e.ID != ""
	}
	return true
}
