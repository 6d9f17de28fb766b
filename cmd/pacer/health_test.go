package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/health"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// TestAddressOf: where an instance is asked, by its network and its ports.
func TestAddressOf(t *testing.T) {
	bridge, own := []spec.Network{{Mode: spec.BridgeNetwork}}, []spec.Network{{Mode: spec.ContainerNetwork, Name: "n"}}
	mapped := &spec.Container{PortMappings: []spec.PortMapping{
		{ContainerPort: 80, HostPort: new(0), Name: "a"}, {ContainerPort: 81, Name: "b"}, {HostPort: new(0), Name: "c"},
	}}
	for _, tt := range []struct {
		name     string
		networks []spec.Network
		c        *spec.Container
		ports    []uint16
		ips      []string
		n        int
		want     string
	}{
		{"host", nil, nil, []uint16{31000, 31001}, nil, 1, "host:31001"},
		{"host without the port", nil, nil, []uint16{31000}, nil, 1, "host:0"},
		{"no such name", nil, nil, []uint16{31000}, nil, -1, "host:0"},
		{"a bridge", bridge, mapped, []uint16{31000, 0, 31002}, []string{"172.17.0.2"}, 0, "host:31000"},
		{"a bridge without a host port", bridge, mapped, []uint16{31000, 0, 31002}, nil, 1, "host:0"},
		{"host ports alone", bridge, mapped, []uint16{31000, 31002}, nil, 2, "host:31002"},
		{"its own address", own, mapped, []uint16{31000, 0, 31002}, []string{"10.1.0.7"}, 0, "10.1.0.7:80"},
		{"its own address and no host port", own, mapped, []uint16{31000, 0, 31002}, []string{"10.1.0.7", "x"}, 1, "10.1.0.7:81"},
		{"the host's port within", own, mapped, []uint16{31000, 0, 31002}, []string{"10.1.0.7"}, 2, "10.1.0.7:31002"},
		{"its own address, not known yet", own, mapped, []uint16{31000, 0, 31002}, nil, 0, ":80"},
		{"beyond the mappings", own, mapped, nil, []string{"10.1.0.7"}, 3, "10.1.0.7:0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			app := &spec.App{Networks: tt.networks, Container: tt.c}
			i := &scheduler.Instance{Agent: &placement.Agent{Hostname: "host"}, Ports: tt.ports, IPs: tt.ips}
			host, port := addressOf(app, i, tt.n)
			if got := fmt.Sprintf("%s:%d", host, port); got != tt.want {
				t.Errorf("asked at %s, want %s", got, tt.want)
			}
		})
	}
}

// TestTargets: what the core wants checked, as the prober is told.
func TestTargets(t *testing.T) {
	app := &spec.App{
		ID: "/web", Version: 7, PortDefinitions: []spec.PortDefinition{{Name: "admin"}, {Name: "http-api"}},
		HealthChecks: []spec.HealthCheck{
			{Protocol: spec.CheckTCP, PortIndex: new(1), Interval: time.Second, Timeout: time.Minute},
			{Protocol: spec.CheckHTTP, Port: new(8080), Path: "/h", IgnoreHTTP1xx: true},
		},
		ReadinessChecks: []spec.ReadinessCheck{{HTTPS: true, Path: "/r", PortName: "http-api", StatusCodes: []int{200}, PreserveLastResponse: true}},
	}
	i := &scheduler.Instance{App: "/web", Incarnation: 2, Agent: &placement.Agent{Hostname: "h"}, Ports: []uint16{31000, 31001}}
	p := &scheduler.Probing{Instance: i, Version: app, Health: true, Readiness: true}
	key := func(n int) health.Key { return health.Key{Instance: i.TaskID(), Check: n} }
	want := []*health.Target{
		{Key: key(0), App: "/web", Version: 7, Protocol: spec.CheckTCP, Host: "h", Port: 31001, Interval: time.Second, Timeout: time.Minute},
		{Key: key(1), App: "/web", Version: 7, Protocol: spec.CheckHTTP, Host: "h", Port: 8080, Path: "/h", IgnoreHTTP1xx: true},
		{
			Key: key(-1), App: "/web", Version: 7, Protocol: spec.CheckHTTPS, Host: "h", Port: 31001, Path: "/r",
			Readiness: &health.Readiness{StatusCodes: []int{200}, PreserveLastResponse: true},
		},
	}
	got := []*health.Target{healthTarget(key(0), p), healthTarget(key(1), p), readinessTarget(key(-1), p)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	checks, _ := newProber(1, func(scheduler.Event) {})
	checks.Change([]scheduler.Probing{*p})
	if n := checks.Stats().Targets; n != 3 {
		t.Errorf("%d targets, want 3", n)
	}
	// The last word counts.
	checks.Change([]scheduler.Probing{{Instance: i, Version: app}, {Instance: i, Version: app, Health: true}})
	if n := checks.Stats().Targets; n != 2 {
		t.Errorf("%d targets without the readiness check, want 2", n)
	}
	checks.Change([]scheduler.Probing{{Instance: i, Version: app, Health: true}, {Instance: i, Version: app}})
	if n := checks.Stats().Targets; n != 0 {
		t.Errorf("%d targets in the end, want none", n)
	}
}

// TestPostResults: one event for the results of each kind.
func TestPostResults(t *testing.T) {
	var got []scheduler.Event
	postResults([]health.Result{
		{Key: health.Key{Instance: "a", Check: 1}, Ended: time.UnixMilli(5), Good: true},
		{Key: health.Key{Instance: "b", Check: health.ReadinessCheck}, Response: &health.Response{Status: 503, ContentType: "text/plain", Body: "x"}},
		{Key: health.Key{Instance: "c"}, Ended: time.UnixMilli(6), Cause: "refused"},
	}, func(ev scheduler.Event) { got = append(got, ev) })
	want := []scheduler.Event{
		scheduler.HealthObserved{Results: []scheduler.HealthObservation{
			{TaskID: "a", Check: 1, HealthResult: sdk.HealthResult{AtMillis: 5, Alive: true}},
			{TaskID: "c", HealthResult: sdk.HealthResult{AtMillis: 6, Cause: "refused"}},
		}},
		scheduler.ReadinessObserved{Results: []scheduler.ReadinessObservation{
			{TaskID: "b", Response: &scheduler.ReadinessResponse{Status: 503, ContentType: "text/plain", Body: "x"}},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
