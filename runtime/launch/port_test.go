package launch_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/spec"
)

// unnumbered is a task in a container of which nothing says where its ports are;
// it has those of the host.
func unnumbered(ports int, hosts ...uint16) launch.Task {
	a := base()
	a.Networks = []spec.Network{{Mode: spec.ContainerNetwork, Name: "n"}}
	a.Container = &spec.Container{Type: spec.MesosContainer, PortMappings: make([]spec.PortMapping, ports)}
	a.HealthChecks = []spec.HealthCheck{{Protocol: spec.CheckMesosTCP, PortIndex: new(ports - 1)}}
	return task(a, free, hosts...)
}

// generated are the ports that the task is told of.
func generated(t *testing.T, task launch.Task) []int {
	t.Helper()
	values := map[string]string{}
	for _, v := range launch.TaskInfo(task).Command.Environment.Variables {
		values[v.Name] = v.GetValue()
	}
	var ports []int
	for i := range task.Place.Ports {
		n, err := strconv.Atoi(values[fmt.Sprint("PORT", i)])
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, n)
	}
	return ports
}

// TestGeneratedPorts wants numbers that nothing else has, that are the same for
// the same task, and seldom for others.
func TestGeneratedPorts(t *testing.T) {
	const ports = 50
	used, firsts := map[int]bool{}, map[int]bool{}
	one := unnumbered(ports, make([]uint16, ports)...)
	for i, n := range generated(t, one) {
		if n < 1025 || n > 65535 || used[n] {
			t.Errorf("port %d is %d", i, n)
		}
		used[n] = true
	}
	first := uint16(generated(t, one)[0])
	taken := unnumbered(2, 0, first)
	if got := generated(t, taken)[0]; got == int(first) {
		t.Errorf("%d is a port of the host already", got)
	}
	taken = unnumbered(2, 0, 0)
	taken.App.Container.PortMappings[1].ContainerPort = int(first)
	if got := generated(t, taken)[0]; got == int(first) {
		t.Errorf("%d is a port of the container already", got)
	}
	for i := range 100 {
		one.ID = fmt.Sprint("task-", i)
		firsts[generated(t, one)[0]] = true
	}
	if len(firsts) < 90 {
		t.Errorf("100 tasks have only %d first ports", len(firsts))
	}
}

// TestFewerPorts: a task that was given fewer ports than its app has now gets by
// without the last ones.
func TestFewerPorts(t *testing.T) {
	for _, tt := range []launch.Task{unnumbered(3), unnumbered(3, 31000), shapes["ports"]()} {
		tt.Place.Ports = tt.Place.Ports[:min(1, len(tt.Place.Ports))]
		for i := range tt.App.Ports() {
			if tt.App.OnHost() {
				continue
			}
			tt.App.Container.PortMappings[i].HostPort = new(0)
		}
		info := launch.TaskInfo(tt)
		if got, want := len(info.Discovery.GetPorts().GetPorts()), len(tt.Place.Ports); got != want {
			t.Errorf("%d ports to be discovered, want %d", got, want)
		}
		if port := info.HealthCheck.GetTCP().GetPort(); port != 0 {
			t.Errorf("the check asks port %d", port)
		}
	}
}
