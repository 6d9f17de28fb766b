package cluster

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// maintenance is what operators plan for machines. It outlives masters, as the registry of real ones does, but not the
// cluster: one that starts again has no plans and no machine that is down. It belongs to the loop.
type maintenance struct {
	windows  []window
	machines map[machineID]*machine // those in the windows
}

// machine is a machine that is to be maintained, or that is down for it. Several agents may run on one.
type machine struct {
	plan mesos.Unavailability
	down bool
}

// The following are the JSON forms of the endpoints.
type (
	// machineID names a machine as its agents do: by their host name and their address, both.
	machineID struct {
		Hostname string `json:"hostname,omitempty"`
		IP       string `json:"ip,omitempty"`
	}
	window struct {
		MachineIDs     []machineID     `json:"machine_ids"`
		Unavailability *unavailability `json:"unavailability"`
	}
	unavailability struct {
		Duration *nanoseconds `json:"duration,omitempty"`
		Start    *nanoseconds `json:"start"`
	}
	nanoseconds struct {
		Nanoseconds int64 `json:"nanoseconds"`
	}
	schedule struct {
		Windows []window `json:"windows,omitempty"`
	}
)

func newMaintenance() *maintenance { return &maintenance{machines: map[machineID]*machine{}} }

// String is the machine as messages quote it.
func (id machineID) String() string {
	text, err := json.Marshal(id)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// machine is the one that the agent runs on.
func (h *host) machine() machineID {
	return machineID{Hostname: strings.ToLower(h.spec.hostname), IP: h.url.Address.GetIP()}
}

func (u *unavailability) proto() mesos.Unavailability {
	out := mesos.Unavailability{Start: mesos.TimeInfo{Nanoseconds: u.Start.Nanoseconds}}
	if u.Duration != nil {
		out.Duration = &mesos.DurationInfo{Nanoseconds: u.Duration.Nanoseconds}
	}
	return out
}

// check says what is wrong with a machine's name.
func (id machineID) check() string {
	if id.Hostname == "" && id.IP == "" {
		return "Both 'hostname' and 'ip' for a machine are empty"
	}
	if id.IP != "" {
		if _, err := netip.ParseAddr(id.IP); err != nil {
			return fmt.Sprintf("Failed to parse the IP '%s'", id.IP)
		}
	}
	return ""
}

// checkSchedule judges a new schedule: each machine once, none without a time, and none left out that is down.
func (m *maintenance) checkSchedule(s *schedule) string {
	seen := map[machineID]bool{}
	for _, w := range s.Windows {
		switch {
		case len(w.MachineIDs) == 0:
			return "List of machines in the maintenance window is empty"
		case w.Unavailability == nil || w.Unavailability.Start == nil:
			return "Missing required fields: windows.unavailability.start"
		case w.Unavailability.Duration != nil && w.Unavailability.Duration.Nanoseconds < 0:
			return "Unavailability 'duration' is negative"
		}
		for i := range w.MachineIDs {
			id := &w.MachineIDs[i]
			id.Hostname = strings.ToLower(id.Hostname)
			if why := id.check(); why != "" {
				return why
			}
			if seen[*id] {
				return fmt.Sprintf("Machine '%s' appears more than once in the schedule", id)
			}
			seen[*id] = true
		}
	}
	for _, id := range m.sorted() {
		if m.machines[id].down && !seen[id] {
			return fmt.Sprintf("Machine '%s' is deactivated and cannot be removed from the schedule", id)
		}
	}
	return ""
}

// replace puts a schedule that was judged in the place of the one before.
func (m *maintenance) replace(s *schedule) {
	before := m.machines
	m.windows, m.machines = s.Windows, map[machineID]*machine{}
	for _, w := range s.Windows {
		for _, id := range w.MachineIDs {
			m.machines[id] = &machine{plan: w.Unavailability.proto(), down: before[id] != nil && before[id].down}
		}
	}
}

// sorted is the order in which machines are told of.
func (m *maintenance) sorted() []machineID {
	out := make([]machineID, 0, len(m.machines))
	for id := range m.machines {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b machineID) int { return compareText(a.Hostname, a.IP, b.Hostname, b.IP) })
	return out
}

// checkMachines judges the list of machines of an operator's call: all of them must be scheduled, and down or not.
func (m *maintenance) checkMachines(ids []machineID, down bool) string {
	if len(ids) == 0 {
		return "List of machines is empty"
	}
	for i := range ids {
		ids[i].Hostname = strings.ToLower(ids[i].Hostname)
		id := ids[i]
		if why := id.check(); why != "" {
			return why
		}
		switch known := m.machines[id]; {
		case slices.Contains(ids[:i], id):
			return fmt.Sprintf("Machine '%s' appears more than once in the schedule", id)
		case known == nil:
			return fmt.Sprintf("Machine '%s' is not part of a maintenance schedule", id)
		case down && known.down:
			return fmt.Sprintf("Machine '%s' is not in DRAINING mode and cannot be brought down", id)
		case !down && !known.down:
			return fmt.Sprintf("Machine '%s' is not in DOWN mode and cannot be brought up", id)
		}
	}
	return ""
}

// forget takes machines that are up again out of the schedule.
func (m *maintenance) forget(ids []machineID) {
	var left []window
	for _, w := range m.windows {
		w.MachineIDs = slices.DeleteFunc(slices.Clone(w.MachineIDs), func(id machineID) bool { return slices.Contains(ids, id) })
		if len(w.MachineIDs) > 0 {
			left = append(left, w)
		}
	}
	m.windows = left
	for _, id := range ids {
		delete(m.machines, id)
	}
}

// planOf is the plan for the agent's machine, nil if there is none.
func (m *maintenance) planOf(h *host) *mesos.Unavailability {
	if known := m.machines[h.machine()]; known != nil {
		return &known.plan
	}
	return nil
}

func (m *maintenance) isDown(h *host) bool {
	known := m.machines[h.machine()]
	return known != nil && known.down
}
