package api

import (
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Instances in containers are launched by others; here are some that run.
func TestTextListOfContainers(t *testing.T) {
	any := 0
	container := &scheduler.AppView{
		App: &spec.App{
			ID:       "/g/web",
			Networks: []spec.Network{{Mode: spec.ContainerNetwork, Name: "blue"}, {Mode: spec.ContainerNetwork, Name: "green"}},
			Container: &spec.Container{PortMappings: []spec.PortMapping{
				{ContainerPort: 80, ServicePort: 10000, NetworkNames: []string{"blue"}},
				{ContainerPort: 81, HostPort: &any, ServicePort: 10001, NetworkNames: []string{"green"}},
				{ContainerPort: 82, ServicePort: 10002},
			}},
		},
		Instances: []*scheduler.Instance{
			{Condition: scheduler.Running, Agent: &placement.Agent{Hostname: "h1"}, Ports: []uint16{0, 31001, 0}, IPs: []string{"10.0.0.1"}},
			{Condition: scheduler.Running, Agent: &placement.Agent{Hostname: "h2"}, Ports: []uint16{0, 31002, 0}, IPs: []string{"fd00::1"}},
			{Condition: scheduler.Staging, Agent: &placement.Agent{Hostname: "h3"}, Ports: []uint16{0, 31003, 0}, IPs: []string{"10.0.0.3"}},
			{Condition: scheduler.Running, Agent: &placement.Agent{Hostname: "h4"}},
		},
	}
	const host = "g_web\t10001\th1:31001\th2:31002\t\n"
	for _, tt := range []struct{ query, want string }{
		{"", "g_web\t10000\t\n" + host + "g_web\t10002\t\n"},
		{"?containerNetworks=red", "g_web\t10000\t\n" + host + "g_web\t10002\t\n"},
		{"?containerNetworks=blue", "g_web\t10000\t10.0.0.1:80\t[fd00::1]:80\t\n" + host + "g_web\t10002\t10.0.0.1:82\t[fd00::1]:82\t\n"},
		{"?containerNetworks=red,green", "g_web\t10000\t\n" + host + "g_web\t10002\t10.0.0.1:82\t[fd00::1]:82\t\n"},
		{"?containerNetworks=red&containerNetworks=*", "g_web\t10000\t10.0.0.1:80\t[fd00::1]:80\t\n" + host + "g_web\t10002\t10.0.0.1:82\t[fd00::1]:82\t\n"},
	} {
		got := string(taskLines([]*scheduler.AppView{container}, networksOf(httptest.NewRequest("GET", "/v2/tasks"+tt.query, nil))))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q, -want +got:\n%s", tt.query, diff)
		}
	}
}
