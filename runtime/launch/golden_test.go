package launch_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// rewriting tells whether the files of testdata are to be written anew. The flag
// is that of the scripts.
func rewriting() bool { return flag.Lookup("rewrite").Value.String() == "true" }

// share makes a share of what a reservation has.
func share(r placement.Reservation, cpus, mem, disk float64, ports ...placement.Range) placement.Share {
	s := placement.Share{Reservation: r, Ports: ports}
	s.Scalars[placement.CPUs] = placement.MilliOf(cpus)
	s.Scalars[placement.Mem] = placement.MilliOf(mem)
	s.Scalars[placement.Disk] = placement.MilliOf(disk)
	return s
}

// task makes a task of an app at its place.
func task(a *spec.App, shares []placement.Share, ports ...uint16) launch.Task {
	agent := &placement.Agent{ID: "f1-S7", Hostname: "host-7.example.com"}
	return launch.Task{
		ID:  a.ID.Safe() + ".instance-0c2b._app.1",
		App: a,
		Place: placement.Placement{
			App: a, Offer: &placement.Offer{ID: "O1", Agent: agent, Role: a.Role}, Take: shares, Ports: ports,
		},
	}
}

func span(begin, end uint16) placement.Range { return placement.Range{Begin: begin, End: end} }

// base is an app that each shape changes.
func base() *spec.App {
	return &spec.App{
		ID: "/prod/web", Cmd: "sleep 100", CPUs: 0.1, Mem: 128, Role: "*",
		Version: spec.TimestampOf(time.Date(2026, 3, 1, 12, 30, 0, 5e6, time.UTC)),
	}
}

var free = []placement.Share{share(placement.Reservation{}, 0.1, 128, 0)}

var shapes = map[string]func() launch.Task{
	"command": func() launch.Task { return task(base(), free) },
	"arguments": func() launch.Task {
		a := base()
		a.Cmd, a.Args, a.User = "", []string{"/usr/bin/env", "-i", "true"}, "nobody"
		return task(a, free)
	},
	"neither command nor arguments": func() launch.Task {
		a := base()
		a.Cmd = ""
		return task(a, free)
	},
	"at the top": func() launch.Task {
		a := base()
		a.ID = "/web"
		return task(a, free)
	},
	"ports": func() launch.Task {
		a := base()
		a.PortDefinitions = []spec.PortDefinition{
			{Port: 0, Name: "http", Protocol: "tcp"},
			{Port: 8080, Name: "admin", Protocol: "udp,tcp", Labels: map[string]string{"VIP_0": "/web:80", "a": ""}},
			{Port: 10002, Protocol: "udp"},
		}
		shares := []placement.Share{share(placement.Reservation{}, 0.1, 128, 0, span(31001, 31002), span(31500, 31500))}
		return task(a, shares, 31001, 31002, 31500)
	},
	"ports of one number": func() launch.Task {
		a := base()
		a.PortDefinitions = []spec.PortDefinition{{Port: 31002, Name: "a"}, {Port: 0, Name: "A"}, {Port: 10000, Name: "31001"}}
		return task(a, free, 31001, 31002, 31003)
	},
	"prefix": func() launch.Task {
		a := base()
		a.PortDefinitions = []spec.PortDefinition{{Port: 10000, Name: "http", Protocol: "tcp"}}
		t := task(a, free, 31001)
		t.EnvPrefix, t.EnforceGroupRole = "CUSTOM_", true
		return t
	},
	"user wins": func() launch.Task {
		a := base()
		a.PortDefinitions = []spec.PortDefinition{{Port: 10000, Name: "http"}, {Port: 0, Name: "admin"}}
		a.Env = map[string]string{
			"MARATHON_APP_ID": "mine", "MESOS_TASK_ID": "mine", "HOST": "mine", "PORT": "mine", "PORT1": "mine",
			"PORT_10000": "mine", "PORT_31002": "mine", "PORT_ADMIN": "", "B": "b", "A": "a",
		}
		return task(a, free, 31001, 31002)
	},
	"labels": func() launch.Task {
		a := base()
		long := strings.Repeat("x", 512)
		a.Labels = map[string]string{
			"owner": "ops", "com.example/tier-1": "a b", "x.y": "1", "x-y": "2", "empty": "", "too-long": long,
		}
		a.Env = map[string]string{"MARATHON_APP_LABEL_OWNER": "me"}
		return task(a, free)
	},
	"all resources": func() launch.Task {
		a := base()
		a.CPUs, a.Mem, a.Disk, a.GPUs = 2, 1.5e7, 1e7, 2
		s := share(placement.Reservation{}, 2, 1.5e7, 1e7)
		s.Scalars[placement.GPUs] = 2000
		return task(a, []placement.Share{s})
	},
	"tiny resources": func() launch.Task {
		a := base()
		a.CPUs, a.Mem = 0.0005, 0.25
		return task(a, []placement.Share{share(placement.Reservation{}, 0.001, 0.25, 0)})
	},
	"reservations": func() launch.Task {
		a := base()
		a.Role = "prod"
		labels := placement.CanonicalLabels([]placement.Label{{Key: "team", Value: "a", HasValue: true}, {Key: "bare"}})
		return task(a, []placement.Share{
			share(placement.Reservation{Role: "prod"}, 0.05, 0, 0, span(80, 80)),
			share(placement.Reservation{Role: "prod", Dynamic: true, Principal: "ops", Labels: labels}, 0.03, 100, 0),
			share(placement.Reservation{Role: "prod", Dynamic: true}, 0.01, 0, 0),
			share(placement.Reservation{Role: "*"}, 0.01, 28, 0),
		})
	},
	"grace period": func() launch.Task {
		a := base()
		grace := 90 * time.Second
		a.TaskKillGracePeriod = &grace
		return task(a, free)
	},
	"no grace": func() launch.Task {
		a := base()
		grace := time.Duration(0)
		a.TaskKillGracePeriod = &grace
		return task(a, free)
	},
}

// TestTaskInfo compares the task of each shape of app with testdata.
func TestTaskInfo(t *testing.T) {
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			got, err := json.MarshalIndent(launch.TaskInfo(shape()), "", " ")
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".json")
			if rewriting() {
				if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
				t.Error(diff)
			}
		})
	}
}
