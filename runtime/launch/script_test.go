package launch_test

import (
	"bytes"
	"context"
	"strconv"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
	mesos "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// TestScripts runs testdata/tasks: an app as a client sends it, and the whole
// task that becomes of it on an agent that offers room enough.
//
//	task [ports=31000-31009] [role=R] [reserved=R] [prefix=P] [bridge=N] [enforced] [mirror=U]
//
// The ports are those offered; with reserved they, and part of everything else,
// are reserved for that role. A policy has the artifacts fetched from the mirror, each
// under the number of its place, and keeps them executable. The service ports that the app leaves open are
// assigned from 10000 on, as they are when an app is accepted.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/tasks", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "task" {
				t.Fatalf("%s: unknown command %q, expected task", d.Pos, d.Cmd)
			}
			app := appOf(t, d)
			if names := app.Uncovered(); names != nil {
				t.Fatalf("%s: the app is not launched because of %v", d.Pos, names)
			}
			task := placed(t, d, app)
			d.MaybeScanArgs(t, "prefix", &task.EnvPrefix)
			d.MaybeScanArgs(t, "bridge", &task.BridgeName)
			task.EnforceGroupRole = d.HasArg("enforced")
			if d.HasArg("mirror") {
				task.Place.Fetch = mirrored(t, d, app)
			}
			return showTask(t, encoded(t, task))
		})
	})
}

// mirrored is what a policy makes of the app's artifacts.
func mirrored(t *testing.T, d *datadriven.TestData, app *spec.App) *placement.Fetch {
	var mirror string
	d.ScanArgs(t, "mirror", &mirror)
	fetch := &placement.Fetch{}
	for i, a := range app.Fetch {
		a.URI, a.Executable = mirror+strconv.Itoa(i), true
		fetch.Artifacts = append(fetch.Artifacts, a)
	}
	if d.HasArg("checked") {
		fetch.Checks = make([]placement.FetchCheck, len(fetch.Artifacts))
		fetch.Checks[0] = placement.FetchCheck{SHA256: "ab", Limits: sdk.FetchLimits{Bytes: 1, Entries: 2, Depth: 3, Ratio: 4}}
	}
	return fetch
}

// appOf reads the app of a command. It has to be one that the API takes.
func appOf(t *testing.T, d *datadriven.TestData) *spec.App {
	t.Helper()
	role := "*"
	d.MaybeScanArgs(t, "role", &role)
	u, err := spec.ParseUpdate([]byte(d.Input), spec.Whole, false)
	if err != nil {
		t.Fatalf("%s: %v", d.Pos, err)
	}
	if len(u.Unknown) > 0 {
		t.Fatalf("%s: no fields of an app: %v", d.Pos, u.Unknown)
	}
	settings := spec.Settings{Features: []string{spec.FeatureSecrets, spec.FeatureExternalVolumes, spec.FeatureGPUs}}
	app := u.App(*u.ID, role, settings)
	if err := app.Validate(spec.Rules{Settings: settings, Roles: spec.Roles{Default: role, Allowed: []string{role, "prod", "*"}}}); err != nil {
		t.Fatalf("%s: %v", d.Pos, err)
	}
	service := app.ServicePorts()
	for i := range service {
		if service[i] == 0 {
			service[i] = 10000 + i
		}
	}
	app = app.WithServicePorts(service)
	app.Version = base().Version
	return app
}

// placed puts an instance of the app on an agent.
func placed(t *testing.T, d *datadriven.TestData, app *spec.App) launch.Task {
	t.Helper()
	ports, reserved := "31000-31009", ""
	d.MaybeScanArgs(t, "ports", &ports)
	d.MaybeScanArgs(t, "reserved", &reserved)
	first, last, _ := bytes.Cut([]byte(ports), []byte("-"))
	number := func(text []byte) uint16 {
		n, err := strconv.ParseUint(string(text), 10, 16)
		if err != nil {
			t.Fatalf("%s: ports: %v", d.Pos, err)
		}
		return uint16(n)
	}
	everything := share(placement.Reservation{}, 8, 4096, 10000)
	everything.Scalars[placement.GPUs] = placement.Milli(app.GPUs) * 1000
	shares := []placement.Share{everything}
	if reserved != "" {
		shares = append([]placement.Share{share(placement.Reservation{Role: reserved}, 0.5, 64, 0)}, shares...)
	}
	shares[0].Ports = []placement.Range{span(number(first), number(last))}
	whole := task(app, nil)
	offer := whole.Place.Offer
	offer.Shares = shares
	var m placement.Matcher
	result := m.Match(context.Background(), placement.Request{
		Wanted: []placement.Wanted{{App: app, Count: 1}}, Offers: []*placement.Offer{offer}, Agents: []*placement.Agent{offer.Agent},
	}, nil)
	if len(result.Placements) != 1 {
		t.Fatalf("%s: not placed: %+v", d.Pos, result.Refusals)
	}
	whole.Place = result.Placements[0]
	return whole
}

// encoded is the task on the wire. What the encoder remembers of an app must not
// show, and mesos-go has to read it all.
func encoded(t *testing.T, task launch.Task) []byte {
	t.Helper()
	var e launch.Encoder
	wire := e.AppendTaskInfo(nil, task)
	other := task
	other.ID += "1"
	e.AppendTaskInfo(nil, other)
	if again := e.AppendTaskInfo(nil, task); !bytes.Equal(wire, again) {
		t.Error("the second task of an app is encoded otherwise")
	}
	info := launch.TaskInfo(task)
	back, err := info.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var same mesos.TaskInfo
	if err := same.Unmarshal(back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(info, same); diff != "" {
		t.Errorf("mesos-go encodes it otherwise: %s", diff)
	}
	return wire
}
