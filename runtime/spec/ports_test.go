package spec

import (
	"slices"
	"testing"
)

// TestHostPort: what each port asks of the host, on every network.
func TestHostPort(t *testing.T) {
	definitions := []PortDefinition{{Port: 8080}, {Port: 0}}
	mapped := func(mode NetworkMode) App {
		return App{
			Networks: []Network{{Mode: mode}}, PortDefinitions: definitions, RequirePorts: true,
			Container: &Container{PortMappings: []PortMapping{{ContainerPort: 80}, {HostPort: new(0)}, {HostPort: new(31000)}}},
		}
	}
	type port struct {
		number int
		wanted bool
	}
	for _, tt := range []struct {
		name string
		app  App
		want []port
	}{
		{"nothing", App{}, nil},
		{"any", App{PortDefinitions: definitions}, []port{{0, true}, {0, true}}},
		{"required", App{PortDefinitions: definitions, RequirePorts: true}, []port{{8080, true}, {0, true}}},
		{"bridge", mapped(BridgeNetwork), []port{{0, false}, {0, true}, {31000, true}}},
		{"container", mapped(ContainerNetwork), []port{{0, false}, {0, true}, {31000, true}}},
		{"no container", App{Networks: []Network{{Mode: ContainerNetwork}}, PortDefinitions: definitions}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if n := tt.app.Ports(); n != len(tt.want) {
				t.Fatalf("%d ports, want %d", n, len(tt.want))
			}
			certain := slices.ContainsFunc(tt.want, func(p port) bool { return p.number != 0 })
			if tt.app.CertainPorts() != certain {
				t.Errorf("certain ports: %v, want %v", !certain, certain)
			}
			for i, want := range tt.want {
				if number, wanted := tt.app.HostPort(i); (port{number, wanted}) != want {
					t.Errorf("port %d: %d, %v, want %v", i, number, wanted, want)
				}
			}
		})
	}
}
