package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	marathon "github.com/gambol99/go-marathon"
	"github.com/google/go-cmp/cmp"
)

// sdkPatience ends a test that waits in vain; nothing takes as long.
const sdkPatience = 60 * time.Second

// client is the Go client of Marathon, which was not made with this server in mind.
//
// Two of its calls are not made. TaskEndpoints reads port mappings in a place
// where Marathon has shown none since 1.5; AbdicateLeader would end the server, see
// TestAbdicated of package e2e.
type client struct{ marathon.Marathon }

// startSDK makes a client of a whole server.
func startSDK(t *testing.T) client {
	t.Helper()
	cfg := marathon.NewDefaultConfig()
	cfg.URL, cfg.EventsTransport = startNode(t, 10*time.Millisecond), marathon.EventsTransportSSE
	cfg.PollingWaitTime = 2 * time.Millisecond
	cfg.HTTPClient = &http.Client{} // a listener for events changes it: not the one that all share
	made, err := marathon.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client{made}
}

// sdkCall is one call of the client and what it has to return, or what the
// server tells after it.
type sdkCall struct {
	name string
	call func() (any, error)
	want any
}

// runSDK makes calls that build on one another.
func runSDK(t *testing.T, calls []sdkCall) {
	t.Helper()
	for _, c := range calls {
		ok := t.Run(c.name, func(t *testing.T) {
			got, err := c.call()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
		if !ok {
			return
		}
	}
}

// sleeper is an app as users of the client write it.
func sleeper(id string, instances int) *marathon.Application {
	app := new(marathon.Application).Name(id).Command("sleep 1000").Count(instances)
	return app.CPU(0.1).Memory(16).AddLabel("team", "front")
}

// app tells of an app in words.
func (c client) app(id string) (any, error) {
	app, err := c.Application(id)
	if err != nil {
		return nil, err
	}
	return fmt.Sprintf("%s: %d of %d run %s", app.ID, app.TasksRunning, *app.Instances, *app.Cmd), nil
}

// after waits for the end of a deployment and tells of an app.
func (c client) after(id string) func(*marathon.DeploymentID, error) (any, error) {
	return func(d *marathon.DeploymentID, err error) (any, error) {
		if err := c.settled(d, err); err != nil {
			return nil, err
		}
		return c.app(id)
	}
}

// settled waits for the end of a deployment.
func (c client) settled(d *marathon.DeploymentID, err error) error {
	if err != nil {
		return err
	}
	if d.DeploymentID == "" || d.Version == "" {
		return fmt.Errorf("the answer names no deployment or version: %+v", d)
	}
	return c.WaitOnDeployment(d.DeploymentID, sdkPatience)
}

// refusal is the client's reading of an answer that has to be a refusal.
func refusal(err error) (any, error) {
	if refused, ok := errors.AsType[*marathon.APIError](err); ok {
		return refused.ErrCode, nil
	}
	return nil, fmt.Errorf("it was not refused: %w", err)
}

// ids are the ids of tasks, in order.
func ids(tasks []marathon.Task) []string {
	var all []string
	for _, task := range tasks {
		all = append(all, task.ID)
	}
	slices.Sort(all)
	return all
}

// replaced polls until that many tasks of an app run and none of the old does.
func (c client) replaced(id string, n int, old []string) (any, error) {
	deadline, tick := time.After(sdkPatience), time.NewTicker(2*time.Millisecond)
	defer tick.Stop()
	for {
		list, err := c.AllTasks(&marathon.AllTasksOpts{Status: "running"})
		if err != nil {
			return nil, err
		}
		now := slices.DeleteFunc(list.Tasks, func(task marathon.Task) bool { return task.AppID != id })
		kept := slices.ContainsFunc(now, func(task marathon.Task) bool { return slices.Contains(old, task.ID) })
		if len(now) == n && !kept {
			return n, nil
		}
		select {
		case <-tick.C:
		case <-deadline:
			return nil, fmt.Errorf("%s has tasks %v, old ones are %v", id, ids(now), old)
		}
	}
}
