package api

import (
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// TestPlanWarnings: three agents, and what was predicted there.
func TestPlanWarnings(t *testing.T) {
	full := spec.UpgradeStrategy{MinimumHealthCapacity: 1, MaximumOverCapacity: 1}
	half := spec.UpgradeStrategy{MinimumHealthCapacity: 0.5, MaximumOverCapacity: 1}
	unique := []spec.Constraint{{Field: "hostname", Operator: "unique"}}
	ports := map[string]int{placement.InsufficientPorts.String(): 3}
	for _, tt := range []struct {
		name     string
		app      spec.App
		old      int
		placed   int
		refused  map[string]int
		warnings string // codes
	}{
		{"an upgrade with room for all", spec.App{Instances: 3, Constraints: unique, UpgradeStrategy: full}, 3, 3, nil, ""},
		{"an upgrade with room for some", spec.App{Instances: 3, UpgradeStrategy: full}, 3, 1, nil, ""},
		{"the same with UNIQUE", spec.App{Instances: 3, Constraints: unique, UpgradeStrategy: full}, 3, 1, nil, "uniqueUpgrade "},
		{"where old ones may go first", spec.App{Instances: 3, Constraints: unique, UpgradeStrategy: half}, 3, 1, nil, ""},
		{"an upgrade with no room", spec.App{Instances: 3, Constraints: unique, UpgradeStrategy: full}, 3, 0, nil, "noRoom "},
		{"where old ones may go before", spec.App{Instances: 3, UpgradeStrategy: half}, 3, 0, nil, ""},
		{"fixed ports", spec.App{Instances: 3, RequirePorts: true, PortDefinitions: []spec.PortDefinition{{Port: 8080}}, UpgradeStrategy: full}, 3, 0, ports, "fixedPorts "},
		{"more than there are values", spec.App{Instances: 4, Constraints: unique, UpgradeStrategy: full}, 0, 3, nil, "unique capacity "},
		{"more than there is room", spec.App{Instances: 3, UpgradeStrategy: full}, 0, 2, nil, "capacity "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := placement.Cluster{Offers: make([]*placement.Offer, 3)}
			for _, host := range []string{"h1", "h2", "h3"} {
				c.Agents = append(c.Agents, &placement.Agent{ID: host, Hostname: host})
			}
			p := planning{after: &tt.app, old: tt.old}
			p.Starts = tt.app.Instances
			p.Places = &placesBody{Wanted: tt.app.Instances, Placed: tt.placed, Refused: tt.refused}
			var got strings.Builder
			for _, w := range p.warnings(c) {
				got.WriteString(w.Code + " ")
			}
			if got.String() != tt.warnings {
				t.Errorf("warned of %q, want %q", got.String(), tt.warnings)
			}
		})
	}
}
