package placement_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// mapped is an app with a container whose ports need these of the host; negative
// ones need none.
func mapped(mode spec.NetworkMode, hostPorts ...int) *spec.App {
	a := app("/a")
	a.Networks = []spec.Network{{Mode: mode}}
	a.Container = &spec.Container{}
	// Whatever is left of the host's network must not count.
	a.PortDefinitions, a.RequirePorts = ports(1, 2, 3), true
	for _, port := range hostPorts {
		m := spec.PortMapping{ContainerPort: 80}
		if port >= 0 {
			m.HostPort = &port
		}
		a.Container.PortMappings = append(a.Container.PortMappings, m)
	}
	return a
}

// TestPortMappings wants a place for each port in the list, and of the host no
// more than what is asked for.
func TestPortMappings(t *testing.T) {
	for name, test := range map[string]struct {
		hostPorts []int
		offered   []placement.Range
		want      []uint16 // nil: no place
		take      []placement.Range
	}{
		"none of the host": {hostPorts: []int{-1, -1}, want: []uint16{0, 0}},
		"any":              {hostPorts: []int{0}, offered: []placement.Range{span(31000, 31000)}, want: []uint16{31000}, take: []placement.Range{span(31000, 31000)}},
		"a certain one":    {hostPorts: []int{80}, offered: []placement.Range{span(79, 81)}, want: []uint16{80}, take: []placement.Range{span(80, 80)}},
		"none, a certain one, any": {
			hostPorts: []int{-1, 80, 0}, offered: []placement.Range{span(80, 81)},
			want: []uint16{0, 80, 81}, take: []placement.Range{span(80, 81)},
		},
		"one number for two protocols": {
			hostPorts: []int{53, 0, 53}, offered: []placement.Range{span(53, 54)},
			want: []uint16{53, 54, 53}, take: []placement.Range{span(53, 54)},
		},
		"too few":      {hostPorts: []int{0, 0}, offered: []placement.Range{span(80, 80)}},
		"not offered":  {hostPorts: []int{80, -1}, offered: []placement.Range{span(81, 85)}},
		"out of range": {hostPorts: []int{70000}, offered: []placement.Range{span(81, 85)}},
	} {
		for _, mode := range []spec.NetworkMode{spec.BridgeNetwork, spec.ContainerNetwork} {
			t.Run(name+" "+mode.String(), func(t *testing.T) {
				host := agent(0, 1)
				req := placement.Request{
					Wanted: []placement.Wanted{{App: mapped(mode, test.hostPorts...), Count: 1}},
					Agents: []*placement.Agent{host},
					Offers: []*placement.Offer{{ID: "o", Agent: host, Role: "*", Shares: []placement.Share{share("*", 8, 1000, test.offered...)}}},
				}
				var m placement.Matcher
				got := m.Match(context.Background(), req, nil)
				if test.want == nil {
					if got.Refusals[0].Declined[placement.InsufficientPorts] != 1 {
						t.Errorf("refusals %+v", got.Refusals)
					}
					return
				}
				if len(got.Placements) != 1 {
					t.Fatalf("not placed: %+v", got.Refusals)
				}
				if diff := cmp.Diff(test.want, got.Placements[0].Ports); diff != "" {
					t.Error(diff)
				}
				if !slices.Equal(got.Placements[0].Take[0].Ports, test.take) {
					t.Errorf("takes %v, want %v", got.Placements[0].Take[0].Ports, test.take)
				}
			})
		}
	}
}

// TestExecutorNeed wants room for the app's own executor beside its task.
func TestExecutorNeed(t *testing.T) {
	for executor, want := range map[string]placement.Milli{"": 1000, "//cmd": 1000, "/opt/run": 1500} {
		a := app("/a")
		a.Executor, a.ExecutorResources = executor, &spec.ExecutorResources{CPUs: 0.5, Mem: 32, Disk: 10}
		req := world(1, 8, 1000, 1000)
		req.Wanted = []placement.Wanted{{App: a, Count: 1}}
		var m placement.Matcher
		got := m.Match(context.Background(), req, nil).Placements
		if want == 1500 && len(got) == 0 {
			t.Errorf("%q: not placed", executor)
			continue
		}
		if taken := got[0].Take[0].Scalars[placement.CPUs]; taken != want {
			t.Errorf("%q takes %d thousandths of a cpu, want %d", executor, taken, want)
		}
	}
}
