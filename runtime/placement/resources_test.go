package placement_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// share makes a share of cpus, mem and ports.
func share(role string, cpus, mem float64, ports ...placement.Range) placement.Share {
	s := placement.Share{Reservation: placement.Reservation{Role: role}, Ports: ports}
	s.Scalars[placement.CPUs], s.Scalars[placement.Mem] = placement.MilliOf(cpus), placement.MilliOf(mem)
	return s
}

// ports makes definitions of the numbers.
func ports(n ...int) (out []spec.PortDefinition) {
	for _, p := range n {
		out = append(out, spec.PortDefinition{Port: p})
	}
	return out
}

func span(b, e uint16) placement.Range { return placement.Range{Begin: b, End: e} }

// dynamic is a share of a dynamic reservation.
func dynamic() placement.Share {
	s := share("dev", 1, 10)
	s.Reservation.Dynamic, s.Reservation.Principal = true, "ops"
	return s
}

var spreadTests = map[string]struct {
	shares   []placement.Share
	accepted []string
	ports    []spec.PortDefinition
	take     []placement.Share // nil: does not fit
	numbers  []uint16
}{
	"one share": {
		shares: []placement.Share{share("*", 4, 100)},
		take:   []placement.Share{share("*", 2, 20)},
	},
	"own role first because it is offered first": {
		shares: []placement.Share{share("dev", 1.5, 100), share("*", 4, 100)},
		take:   []placement.Share{share("dev", 1.5, 20), share("*", 0.5, 0)},
	},
	"unreserved first because it is offered first": {
		shares: []placement.Share{share("*", 4, 10), share("dev", 1, 100)},
		take:   []placement.Share{share("*", 2, 10), share("dev", 0, 10)},
	},
	"only unreserved accepted": {
		shares:   []placement.Share{share("dev", 4, 100), share("", 2, 100)},
		accepted: []string{"*"},
		take:     []placement.Share{share("", 2, 20)},
	},
	"only reserved accepted": {
		shares:   []placement.Share{share("*", 4, 100), share("dev", 2, 20)},
		accepted: []string{"dev"},
		take:     []placement.Share{share("dev", 2, 20)},
	},
	"only reserved accepted, too small": {
		shares:   []placement.Share{share("*", 4, 100), share("dev", 1.999, 20)},
		accepted: []string{"dev"},
	},
	"another role's share is passed over": {
		shares: []placement.Share{share("prod", 4, 100), share("dev", 2, 20)},
		take:   []placement.Share{share("dev", 2, 20)},
	},
	"static and dynamic reservations are told apart": {
		shares: []placement.Share{dynamic(), share("dev", 1, 10)},
		take:   []placement.Share{dynamic(), share("dev", 1, 10)},
	},
	"required ports from two shares, in the app's order": {
		shares:  []placement.Share{share("*", 2, 20, span(31000, 31009)), share("dev", 0, 0, span(80, 81), span(443, 443))},
		ports:   ports(443, 31002, 80, 31003, 81, 31007),
		take:    []placement.Share{share("*", 2, 20, span(31002, 31003), span(31007, 31007)), share("dev", 0, 0, span(80, 81), span(443, 443))},
		numbers: []uint16{443, 31002, 80, 31003, 81, 31007},
	},
	"required port offered to a role that is not accepted": {
		shares:   []placement.Share{share("*", 2, 20), share("dev", 0, 0, span(80, 80))},
		accepted: []string{"*"},
		ports:    ports(80),
	},
	"any port besides required ones": {
		shares:  []placement.Share{share("*", 2, 20, span(10, 12))},
		ports:   ports(10, 0, 12),
		take:    []placement.Share{share("*", 2, 20, span(10, 12))},
		numbers: []uint16{10, 11, 12},
	},
}

// TestSpread wants resources from several shares in the offer's order, from
// accepted roles only, and ports from where they are.
func TestSpread(t *testing.T) {
	for name, test := range spreadTests {
		t.Run(name, func(t *testing.T) {
			a := app("/a")
			a.Role, a.CPUs, a.Mem, a.AcceptedResourceRoles = "dev", 2, 20, test.accepted
			a.PortDefinitions, a.RequirePorts = test.ports, true
			host := agent(0, 1)
			req := placement.Request{
				Wanted: []placement.Wanted{{App: a, Count: 1}},
				Agents: []*placement.Agent{host},
				Offers: []*placement.Offer{{ID: "o", Agent: host, Role: "dev", Shares: test.shares}},
			}
			var m placement.Matcher
			got := m.Match(context.Background(), req, nil).Placements
			if test.take == nil {
				if len(got) != 0 {
					t.Errorf("placed: %+v", got[0])
				}
				return
			}
			if len(got) != 1 {
				t.Fatal("not placed")
			}
			if diff := cmp.Diff(test.take, got[0].Take); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.numbers, got[0].Ports); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRandomPorts wants consecutive ports that wrap around, from a place that
// the seed changes, each once, until none is left.
func TestRandomPorts(t *testing.T) {
	firsts := map[uint16]bool{}
	for seed := range uint64(20) {
		req := world(1, 1, 100, 1000)
		req.Seed = seed
		a := app("/a")
		a.PortDefinitions = make([]spec.PortDefinition, 7)
		req.Wanted = []placement.Wanted{{App: a, Count: 100}}
		var m placement.Matcher
		got := m.Match(context.Background(), req, nil).Placements
		if len(got) != 14 { // 100 ports are offered
			t.Fatalf("placed %d", len(got))
		}
		firsts[got[0].Ports[0]] = true
		for i := 1; i < 7; i++ {
			before, port := got[0].Ports[i-1], got[0].Ports[i]
			if port != before+1 && (before != 31099 || port != 31000) {
				t.Errorf("port %d behind %d", port, before)
			}
		}
		seen := map[uint16]bool{}
		for _, p := range got {
			for _, port := range p.Ports {
				if seen[port] || port < 31000 || port > 31099 {
					t.Errorf("port %d", port)
				}
				seen[port] = true
			}
		}
	}
	if len(firsts) < 10 {
		t.Errorf("20 seeds gave only %d first ports", len(firsts))
	}
}

func TestCanonical(t *testing.T) {
	scalars := map[float64]string{
		1: "1", 1.0005: "1", 1.00051: "1.001", 1.1005: "1.101", 0.5: "0.5", 1e7: "10000000",
		-1.5: "-1.5", 0: "0", -0.0001: "0", 100: "100", 7.0: "7", 0.125: "0.125", 1e21: "1000000000000000000000",
	}
	for v, want := range scalars {
		if got := placement.CanonicalScalar(v); got != want {
			t.Errorf("CanonicalScalar(%v) = %s, want %s", v, got, want)
		}
	}
	type span = placement.Span
	for want, spans := range map[string][]span{
		"[6-7]": {{6, 7}}, "[1-2,5-9]": {{5, 9}, {1, 2}}, "[]": nil, "[3-3]": {{3, 3}},
	} {
		if got := placement.CanonicalRanges(spans); got != want {
			t.Errorf("CanonicalRanges(%v) = %s, want %s", spans, got, want)
		}
	}
	for want, items := range map[string][]string{"{0,1}": {"1", "0"}, "{}": nil, "{a,b}": {"b", "a"}} {
		if got := placement.CanonicalSet(items); got != want {
			t.Errorf("CanonicalSet(%v) = %s, want %s", items, got, want)
		}
	}
}

func TestReservationLabels(t *testing.T) {
	labels := []placement.Label{{Key: "b", Value: "x,\"=", HasValue: true}, {Key: "a"}, {Key: "c", HasValue: true}}
	text := placement.CanonicalLabels(labels)
	if want := `"a","b"="x,\"=","c"=""`; text != want {
		t.Errorf("text = %s, want %s", text, want)
	}
	got, err := placement.ParseLabels(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]placement.Label{labels[1], labels[0], labels[2]}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"a", `"a`, `"a"="b`, `"a"=`, `"a""b"`, `"a",`} {
		if _, err := placement.ParseLabels(bad); err == nil {
			t.Errorf("ParseLabels(%s) took it", bad)
		}
	}
}
