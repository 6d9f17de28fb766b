package placement_test

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// reference is a matcher's result gone through step by step.
type reference struct {
	req    placement.Request
	max    int
	left   map[*placement.Offer][]placement.Share
	on     map[*placement.Offer]int
	hosts  map[*spec.App]map[*placement.Offer]bool
	placed map[*spec.App][]*placement.Agent
	count  map[*spec.App]int
}

func newReference(req placement.Request, limit int) *reference {
	r := &reference{
		req: req, max: limit,
		left: map[*placement.Offer][]placement.Share{}, on: map[*placement.Offer]int{},
		hosts:  map[*spec.App]map[*placement.Offer]bool{},
		placed: map[*spec.App][]*placement.Agent{}, count: map[*spec.App]int{},
	}
	for _, o := range req.Offers {
		for _, s := range o.Shares {
			s.Ports = slices.Clone(s.Ports)
			r.left[o] = append(r.left[o], s)
		}
	}
	for _, w := range req.Wanted {
		r.placed[w.App], r.hosts[w.App] = slices.Clone(w.Placed), map[*placement.Offer]bool{}
	}
	return r
}

func (r *reference) check(t *rapid.T, got placement.Result) {
	for _, p := range got.Placements {
		if reason := r.reason(p.App, p.Offer); reason != "" {
			t.Fatalf("%s on %s: %s", p.App.ID, p.Offer.ID, reason)
		}
		r.take(t, p)
		r.on[p.Offer]++
		r.hosts[p.App][p.Offer] = true
		r.placed[p.App] = append(r.placed[p.App], p.Offer.Agent)
		r.count[p.App]++
	}
	for i, w := range r.req.Wanted {
		want := placement.Refusals{App: w.App, Processed: len(r.hosts[w.App])}
		if r.count[w.App] > w.Count {
			t.Fatalf("%s: placed %d, wanted %d", w.App.ID, r.count[w.App], w.Count)
		}
		for _, o := range r.req.Offers {
			reason := r.reason(w.App, o)
			if r.count[w.App] == w.Count || r.hosts[w.App][o] || reason == "full" {
				continue
			}
			want.Processed++
			kind, ok := reasons[reason]
			if !ok {
				t.Fatalf("%s was not put on %s (%q)", w.App.ID, o.ID, reason)
			}
			want.Declined[kind]++
		}
		if diff := cmp.Diff(want, got.Refusals[i]); diff != "" {
			t.Fatalf("%s: %s", w.App.ID, diff)
		}
	}
}

var reasons = map[string]placement.Reason{
	"role": placement.UnfulfilledRole, "constraint": placement.UnfulfilledConstraint,
	"maintenance": placement.AgentMaintenance, "cpus": placement.InsufficientCpus, "mem": placement.InsufficientMemory,
	"gpus": placement.DeclinedScarceResources, "ports": placement.InsufficientPorts,
}

// reason says why the offer, as it is now, cannot host one more instance.
func (r *reference) reason(a *spec.App, o *placement.Offer) string {
	var sum [4]placement.Milli
	var ports []uint16
	usable, gpus := false, false
	for i, s := range r.left[o] {
		gpus = gpus || o.Shares[i].Scalars[placement.GPUs] > 0
		if !accepts(a, s.Reservation.Role) {
			continue
		}
		usable = true
		for k, v := range s.Scalars {
			sum[k] += v
		}
		ports = append(ports, numbers(s.Ports)...)
	}
	switch {
	case r.max > 0 && r.on[o] >= r.max:
		return "full"
	case o.Role != a.Role || !usable:
		return "role"
	case !r.holds(a, o.Agent):
		return "constraint"
	case o.Unavailable != nil:
		return "maintenance"
	case sum[placement.CPUs] < scalarsOf(a)[placement.CPUs]:
		return "cpus"
	case sum[placement.Mem] < scalarsOf(a)[placement.Mem]:
		return "mem"
	case gpus:
		return "gpus"
	case len(ports) < takenPorts(a):
		return "ports"
	}
	for _, port := range hostPorts(a) {
		if port > 0 && !slices.Contains(ports, uint16(port)) {
			return "ports"
		}
	}
	return ""
}

// scalarsOf is what an instance takes, its executor included.
func scalarsOf(a *spec.App) [4]placement.Milli {
	cpus, mem := a.CPUs, a.Mem
	if a.ExecutorResources != nil {
		cpus, mem = cpus+a.ExecutorResources.CPUs, mem+a.ExecutorResources.Mem
	}
	return [4]placement.Milli{placement.MilliOf(cpus), placement.MilliOf(mem)}
}

// hostPorts is what each port wants of the host: 0 any, -1 nothing.
func hostPorts(a *spec.App) (ports []int) {
	if a.Container != nil {
		for _, m := range a.Container.PortMappings {
			if m.HostPort == nil {
				ports = append(ports, -1)
			} else {
				ports = append(ports, *m.HostPort)
			}
		}
		return ports
	}
	for _, d := range a.PortDefinitions {
		if !a.RequirePorts {
			d.Port = 0
		}
		ports = append(ports, d.Port)
	}
	return ports
}

// takenPorts counts the ports of the host that an instance takes.
func takenPorts(a *spec.App) int {
	count, seen := 0, map[int]bool{}
	for _, port := range hostPorts(a) {
		if port == 0 || port > 0 && !seen[port] {
			count++
		}
		seen[port] = true
	}
	return count
}

func accepts(a *spec.App, role string) bool {
	if role == "" {
		role = "*"
	}
	return role == "*" || role == a.Role && len(a.AcceptedResourceRoles) == 0
}

func numbers(ranges []placement.Range) (out []uint16) {
	for _, g := range ranges {
		for p := g.Begin; p <= g.End; p++ {
			out = append(out, p)
		}
	}
	return out
}

// holds checks all constraints against the instances placed so far.
func (r *reference) holds(a *spec.App, on *placement.Agent) bool {
	for _, c := range a.Constraints {
		field := c.Field
		if field == "hostname" {
			field = "@hostname"
		}
		if !r.rule(a, c, field, on) {
			return false
		}
	}
	return true
}

func (r *reference) rule(a *spec.App, c spec.Constraint, field string, on *placement.Agent) bool {
	const absent = "\x00absent"
	value := func(g *placement.Agent) string {
		if v, ok := g.Value(field); ok {
			return v
		}
		return absent
	}
	groups, mine := map[string]int{}, value(on)
	for _, g := range r.req.Agents {
		if v := value(g); v != absent {
			groups[v] += 0
		}
	}
	for _, g := range r.placed[a] {
		groups[value(g)]++
	}
	if mine == absent {
		return c.Operator == "UNLIKE"
	}
	n, _ := strconv.Atoi(c.Value)
	switch c.Operator {
	case "LIKE":
		return regexp.MustCompile("^(?:" + c.Value + ")$").MatchString(mine)
	case "UNLIKE":
		return !regexp.MustCompile("^(?:" + c.Value + ")$").MatchString(mine)
	case "IS":
		return mine == c.Value
	case "CLUSTER":
		if c.HasValue {
			return mine == c.Value
		}
		return len(r.placed[a]) == 0 || value(r.placed[a][0]) == mine
	case "UNIQUE":
		return groups[mine] == 0
	case "MAX_PER":
		return groups[mine] < n
	}
	delete(groups, absent) // nobody else can join it
	for _, size := range groups {
		if size < groups[mine] {
			return false
		}
	}
	return len(groups) >= n || groups[mine] == 0
}

// take takes a placement from what is left and wants it to be all the app needs.
func (r *reference) take(t *rapid.T, p placement.Placement) {
	var sum [4]placement.Milli
	var ports []uint16
	for _, part := range p.Take {
		ports = append(ports, numbers(part.Ports)...)
		found := false
		for i := range r.left[p.Offer] {
			s := &r.left[p.Offer][i]
			if found || s.Reservation != part.Reservation || !r.holdsPart(s, part) {
				continue
			}
			found = true
			for k, v := range part.Scalars {
				s.Scalars[k] -= v
				sum[k] += v
			}
			var rest []placement.Range
			for _, port := range numbers(s.Ports) {
				if !slices.Contains(numbers(part.Ports), port) {
					rest = append(rest, placement.Range{Begin: port, End: port})
				}
			}
			s.Ports = rest
		}
		if !found || !accepts(p.App, part.Reservation.Role) {
			t.Fatalf("%s on %s takes what is not there: %+v", p.App.ID, p.Offer.ID, part)
		}
	}
	slices.Sort(ports)
	mine := slices.Compact(slices.Sorted(slices.Values(p.Ports)))
	mine = slices.DeleteFunc(mine, func(port uint16) bool { return port == 0 })
	wants := hostPorts(p.App)
	if sum != scalarsOf(p.App) || !slices.Equal(ports, mine) || len(mine) != takenPorts(p.App) || len(p.Ports) != len(wants) {
		t.Fatalf("%s takes %v and ports %v for %v", p.App.ID, sum, ports, p.Ports)
	}
	for i, want := range wants {
		if port := p.Ports[i]; want < 0 && port != 0 || want == 0 && port == 0 || want > 0 && int(port) != want {
			t.Fatalf("%s: port %d is %d, wanted %d", p.App.ID, i, port, want)
		}
	}
}

func (r *reference) holdsPart(s *placement.Share, part placement.Share) bool {
	for k, v := range part.Scalars {
		if s.Scalars[k] < v {
			return false
		}
	}
	have := numbers(s.Ports)
	for _, port := range numbers(part.Ports) {
		if !slices.Contains(have, port) {
			return false
		}
	}
	return true
}
