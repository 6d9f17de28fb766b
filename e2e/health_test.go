package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// serveTask is the command of a task that is a web server: this test's own binary. It
// answers what files in the folder CONTROL say: /health with 500 where there is one
// of the name "sick-" and the task's id or VERSION, /ready with 503 where there is
// none of the name "ready-" and VERSION.
func serveTask() {
	control, version, id := os.Getenv("CONTROL"), os.Getenv("VERSION"), os.Getenv("MESOS_TASK_ID")
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(control, name))
		return err == nil
	}
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		if exists("sick-"+id) || exists("sick-"+version) {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	http.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !exists("ready-" + version) {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "not yet")
		}
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT0"), nil))
	os.Exit(1)
}

// checked is what the test reads of an app with health checks.
type checked struct {
	App struct {
		TasksHealthy, TasksUnhealthy int
		Deployments                  []struct{ ID string }
		Tasks                        []struct {
			ID                 string
			HealthCheckResults []struct {
				Alive               bool
				ConsecutiveFailures int
				FirstSuccess        string
			}
		}
		LastTaskFailure *struct{ State, Message, TaskID string }
	}
}

func (a api) checked(t *testing.T, id string) (c checked) {
	t.Helper()
	_, text := a.try(t, "GET", "/v2/apps"+id, "")
	_ = json.Unmarshal([]byte(text), &c) // nothing while nobody leads
	return c
}

// settled waits until all n tasks of an app are healthy and no deployment is left.
func (a api) settled(t *testing.T, id string, n int) (c checked) {
	t.Helper()
	until(t, fmt.Sprintf("%s has %d healthy tasks", id, n), func() bool {
		c = a.checked(t, id)
		return c.App.TasksHealthy == n && len(c.App.Tasks) == n && len(c.App.Deployments) == 0
	})
	return c
}

// TestHealth is the life of an app whose health Pacer checks: it becomes healthy, is
// replaced when it is sick, keeps its health through a crash of Pacer, and upgrades
// wait until what is new is healthy, and ready.
func TestHealth(t *testing.T) {
	dir, control := dataDir(t), t.TempDir()
	touch := func(name string) {
		if err := os.WriteFile(filepath.Join(control, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	definition := func(version, more string) string {
		return fmt.Sprintf(`{"id":"/web","cmd":"exec %s","env":{"E2E_SERVE":"1","CONTROL":%q,"VERSION":%q},"cpus":0.1,"mem":64,
			"portDefinitions":[{"port":0,"name":"http-api"}],
			"healthChecks":[{"protocol":"HTTP","path":"/health","portIndex":0,"intervalSeconds":1,"timeoutSeconds":1,
				"gracePeriodSeconds":0,"maxConsecutiveFailures":2}]%s}`, self, control, version, more)
	}
	p, a := dev(t, dir)
	events := a.events(t)
	a.must(t, "POST", "/v2/apps", definition("1", ""))
	awaitEvent(t, events, "add_health_check_event", `"appId":"/web"`)
	awaitEvent(t, events, "health_status_changed_event", `"alive":true`)
	awaitEvent(t, events, "instance_health_changed_event", `"healthy":true`)
	awaitEvent(t, events, "deployment_success", "")
	first := a.settled(t, "/web", 1).App.Tasks[0]

	touch("sick-" + first.ID)
	awaitEvent(t, events, "failed_health_check_event", `"appId":"/web"`)
	awaitEvent(t, events, "unhealthy_instance_kill_event", `"taskId":"`+first.ID+`"`)
	awaitEvent(t, events, "status_update_event", `"taskStatus":"TASK_KILLED"`)
	awaitEvent(t, events, "instance_health_changed_event", `"healthy":true`)
	second := a.settled(t, "/web", 1)
	if f := second.App.LastTaskFailure; f == nil || f.TaskID != first.ID || f.State != "TASK_KILLED" ||
		f.Message != "Task was killed since health check failed. Reason: HTTP status 500 Internal Server Error" {
		t.Errorf("last failure: %+v", f)
	}
	if second.App.Tasks[0].ID == first.ID {
		t.Error("the task that was sick is there still")
	}

	p.kill()
	_, a = dev(t, dir)
	until(t, "somebody leads", func() bool { _, ok := a.app(t, "/web"); return ok })
	if r := a.checked(t, "/web").App.Tasks[0].HealthCheckResults; len(r) != 1 || !r[0].Alive || r[0].FirstSuccess == "" {
		t.Errorf("health after a crash: %+v", r)
	}
	events = a.events(t)
	t.Run("upgrade", func(t *testing.T) { upgradeHealth(t, a, events, definition, touch, control) })
}

// upgradeHealth has an upgrade wait for health, and another for readiness.
func upgradeHealth(t *testing.T, a api, events <-chan event, definition func(version, more string) string, touch func(string), control string) {
	old := a.checked(t, "/web").App.Tasks[0].ID
	holdsOld := func(why string) {
		t.Helper()
		if c := a.checked(t, "/web"); len(c.App.Tasks) == 0 || c.App.Tasks[0].ID != old || len(c.App.Deployments) != 1 {
			t.Errorf("%s: %+v", why, c.App)
		}
	}
	touch("sick-2")
	a.must(t, "PUT", "/v2/apps/web", definition("2", ""))
	awaitEvent(t, events, "failed_health_check_event", `"appId":"/web"`)
	holdsOld("what is new is sick")
	if err := os.Remove(filepath.Join(control, "sick-2")); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, events, "deployment_success", "")
	after := a.settled(t, "/web", 1)
	if old = after.App.Tasks[0].ID; after.App.Tasks[0].HealthCheckResults[0].ConsecutiveFailures != 0 {
		t.Errorf("after an upgrade: %+v", after.App)
	}

	a.must(t, "PUT", "/v2/apps/web", definition("3", `,"readinessChecks":[{"name":"web","path":"/ready","portName":"http-api",
		"intervalSeconds":2,"timeoutSeconds":1,"preserveLastResponse":true}]`))
	awaitEvent(t, events, "instance_health_changed_event", `"healthy":true`)
	until(t, "it is said not to be ready", func() bool {
		text := a.must(t, "GET", "/v2/deployments", "")
		return strings.Contains(text, `"ready":false,"lastResponse":{"status":503,"contentType":"text/plain; charset=utf-8","body":"not yet"}`)
	})
	holdsOld("what is new is not ready")
	touch("ready-3")
	awaitEvent(t, events, "deployment_success", "")
	a.settled(t, "/web", 1)
}
