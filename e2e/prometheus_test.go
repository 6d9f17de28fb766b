package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// discovery has Prometheus ask for the instances each second. A scrape is an hour
// off: it is the discovery that is looked at.
const discovery = `scrape_configs:
- job_name: apps
  scrape_interval: 1h
  marathon_sd_configs:
  - servers: [%q]
    refresh_interval: 1s
`

// target is what Prometheus knows of an instance.
type target struct{ Address, App, Team, Task, Mark, PortIndex string }

// TestPrometheusDiscovers: a Prometheus that was made for Marathon finds the
// instances of every app, and follows them.
func TestPrometheusDiscovers(t *testing.T) {
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatalf("%v: tools/needs.sh installs it", err)
	}
	_, a := dev(t, dataDir(t))
	for _, body := range []string{
		`{"id":"/shop/web","cmd":"exec sleep 100000","cpus":0.1,"mem":16,"instances":2,"labels":{"team":"front"},
		  "portDefinitions":[{"port":0,"name":"http","labels":{"metrics":"yes"}},{"port":0,"name":"admin"}]}`,
		`{"id":"/db","cmd":"exec sleep 100000","cpus":0.1,"mem":16,"instances":1,"labels":{"team":"back"},
		  "portDefinitions":[{"port":0,"labels":{"metrics":"no"}}]}`,
	} {
		a.must(t, "POST", "/v2/apps", body)
	}
	want := append(targetsOf(t, a.running(t, "/shop/web", 2), "front", "yes", ""), targetsOf(t, a.running(t, "/db", 1), "back", "no")...)
	prometheus := startPrometheus(t, program, a)
	awaitTargets(t, prometheus, want)

	a.must(t, "PUT", "/v2/apps/shop/web", `{"instances":1}`)
	want = append(targetsOf(t, a.running(t, "/shop/web", 1), "front", "yes", ""), targetsOf(t, a.running(t, "/db", 1), "back", "no")...)
	awaitTargets(t, prometheus, want)
}

// startPrometheus runs Prometheus on a free port until the test ends.
func startPrometheus(t *testing.T, program string, a api) api {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, discovery, a), 0o600); err != nil {
		t.Fatal(err)
	}
	// It logs on stderr; where it listens is read from stdout.
	p := startProgram(t, "/bin/sh", "-c", `exec "$0" "$@" 2>&1`, program, "--config.file="+file,
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0")
	address := p.printed(t, `msg="Listening on" address=(\S+)`)[1]
	p.printed(t, `Server is ready`)
	return api("http://" + address)
}

// targetsOf are the targets that an app's tasks make: one for each port. marks
// are the ports' values of the label metrics.
func targetsOf(t *testing.T, x app, team string, marks ...string) []target {
	t.Helper()
	var all []target
	for _, task := range x.Tasks {
		if len(task.Ports) != len(marks) {
			t.Fatalf("%s has ports %v, want %d", task.ID, task.Ports, len(marks))
		}
		for i, port := range task.Ports {
			all = append(all, target{
				Address: net.JoinHostPort(task.Host, strconv.Itoa(port)), App: x.ID, Team: team,
				Task: task.ID, Mark: marks[i], PortIndex: strconv.Itoa(i),
			})
		}
	}
	return all
}

// awaitTargets polls until Prometheus has discovered exactly these targets.
func awaitTargets(t *testing.T, prometheus api, want []target) {
	t.Helper()
	byPlace := func(a, b target) int {
		return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.PortIndex, b.PortIndex))
	}
	slices.SortFunc(want, byPlace)
	var got []target
	defer func() {
		if t.Failed() {
			t.Logf("targets (-want +got):\n%s", gocmp.Diff(want, got))
		}
	}()
	until(t, "Prometheus knows the instances", func() bool {
		got = discovered(t, prometheus)
		slices.SortFunc(got, byPlace)
		return slices.Equal(got, want)
	})
}

// discovered asks for the targets and what was discovered about each.
func discovered(t *testing.T, prometheus api) []target {
	t.Helper()
	var body struct {
		Data struct {
			ActiveTargets []struct{ DiscoveredLabels map[string]string }
		}
	}
	text := prometheus.must(t, "GET", "/api/v1/targets?state=active", "")
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var all []target
	for _, active := range body.Data.ActiveTargets {
		l := active.DiscoveredLabels
		all = append(all, target{
			Address: l["__address__"], App: l["__meta_marathon_app"], Team: l["__meta_marathon_app_label_team"],
			Task: l["__meta_marathon_task"], PortIndex: l["__meta_marathon_port_index"],
			Mark: l["__meta_marathon_port_definition_label_metrics"],
		})
	}
	return all
}
