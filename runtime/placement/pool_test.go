package placement_test

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/runtime/placement"
)

// partOf is an offer of an agent that has some shares.
func partOf(a *placement.Agent, id string, shares ...placement.Share) *placement.Offer {
	return &placement.Offer{ID: id, Agent: a, Role: "dev", Shares: shares}
}

// ids are the ids of every offer, those of a pool together.
func ids(offers []*placement.Offer) (out [][]string) {
	for _, o := range offers {
		out = append(out, o.IDs())
	}
	return out
}

// TestPool wants together what Mesos takes together, and nothing else.
func TestPool(t *testing.T) {
	a, b := agent(0, 1), agent(1, 1)
	changed := *a
	later := func(o *placement.Offer, w placement.Window) *placement.Offer { o.Unavailable = &w; return o }
	starred := partOf(a, "role")
	starred.Role = "*"
	got := placement.Pool([]*placement.Offer{
		partOf(a, "1"), partOf(b, "other agent"), partOf(a, "2"), starred, partOf(&changed, "other facts"),
		later(partOf(a, "window"), placement.Window{Begin: 1}), later(partOf(a, "other window"), placement.Window{Begin: 2}),
		later(partOf(a, "same window"), placement.Window{Begin: 1}), partOf(a, "3"),
	})
	want := [][]string{{"1", "2", "3"}, {"other agent"}, {"role"}, {"other facts"}, {"window", "same window"}, {"other window"}}
	if diff := cmp.Diff(want, ids(got)); diff != "" {
		t.Error(diff)
	}
	if len(placement.Pool(nil)) != 0 {
		t.Error("a pool of nothing")
	}
}

// TestPoolAddsUp wants amounts by reservation, ports as ranges, and the parts as
// they were.
func TestPoolAddsUp(t *testing.T) {
	a := agent(0, 1)
	parts := func() []*placement.Offer {
		return []*placement.Offer{
			partOf(a, "1", share("*", 1, 10, span(20, 29)), dynamic()),
			partOf(a, "2", share("dev", 1, 1), share("*", 0.5, 0, span(10, 12), span(30, 31))),
			partOf(a, "3", share("*", 0.25, 5, span(13, 14)), dynamic()),
		}
	}
	offers := parts()
	got := placement.Pool(offers)
	doubled := dynamic()
	doubled.Scalars[placement.CPUs], doubled.Scalars[placement.Mem] = 2000, 20000
	want := partOf(a, "3", share("*", 1.75, 15, span(10, 14), span(20, 31)), doubled, share("dev", 1, 1))
	want.Parts = offers
	if diff := cmp.Diff([]*placement.Offer{want}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(parts(), offers); diff != "" {
		t.Errorf("the parts were changed: %s", diff)
	}
	if alone := placement.Pool(offers[:1]); alone[0] != offers[0] {
		t.Error("an offer that stays alone is another one")
	}
}

// TestPoolKnowsOffers fails when an offer or a share gets a field that Pool does
// not add up.
func TestPoolKnowsOffers(t *testing.T) {
	for kind, want := range map[reflect.Type][]string{
		reflect.TypeFor[placement.Offer](): {"ID", "Agent", "Role", "Shares", "Disks", "Unavailable", "Parts"},
		reflect.TypeFor[placement.Share](): {"Reservation", "Scalars", "Ports"},
	} {
		var got []string
		for field := range kind.Fields() {
			got = append(got, field.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: make Pool add the field up, then name it here: %s", kind, diff)
		}
	}
}

// TestPoolTogether wants an instance placed that fits no part alone: its cpus from
// two of them, its ports from both, and no more than there is.
func TestPoolTogether(t *testing.T) {
	a := agent(0, 1)
	halves := []*placement.Offer{
		partOf(a, "1", share("*", 1, 10, span(80, 80))), partOf(a, "2", share("*", 1, 10, span(443, 443))),
	}
	web := app("/web")
	web.Role, web.CPUs, web.Mem, web.RequirePorts, web.PortDefinitions = "dev", 2, 20, true, ports(443, 80)
	match := func(offers []*placement.Offer, count int) placement.Result {
		var m placement.Matcher
		return m.Match(context.Background(), placement.Request{
			Wanted: []placement.Wanted{{App: web, Count: count}}, Agents: []*placement.Agent{a}, Offers: offers,
		}, nil)
	}
	if n := len(match(halves, 1).Placements); n != 0 {
		t.Fatalf("placed %d on halves", n)
	}
	got := match(placement.Pool(halves), 2)
	if len(got.Placements) != 1 {
		t.Fatalf("placed %d", len(got.Placements))
	}
	want := []placement.Share{share("*", 2, 20, span(80, 80), span(443, 443))}
	if diff := cmp.Diff(want, got.Placements[0].Take); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]string{{"1", "2"}}, ids([]*placement.Offer{got.Placements[0].Offer})); diff != "" {
		t.Error(diff)
	}
	e := placement.Explain(context.Background(), placement.Cluster{Offers: placement.Pool(halves), Agents: []*placement.Agent{a}},
		placement.Wanted{App: web, Count: 1}, nil)
	if e.Tally[placement.Fits] != 1 || len(e.Agents[0].Others) != 0 {
		t.Errorf("explained as %v with %d other offers", e.Tally, len(e.Agents[0].Others))
	}
}

// TestPoolIsTheWhole cuts an offer into parts and wants the pool of them to be
// what was cut.
func TestPoolIsTheWhole(t *testing.T) {
	fixSeed(t)
	rapid.Check(t, func(t *rapid.T) {
		a := agent(0, 1)
		whole := placement.Pool([]*placement.Offer{drawOffer(t, a, 0), {Agent: a}})[0] // each reservation once
		if whole.Parts == nil {
			whole = &placement.Offer{Agent: a} // it was not to the same role
		}
		parts := make([]*placement.Offer, rapid.IntRange(2, 4).Draw(t, "parts"))
		for i := range parts {
			parts[i] = &placement.Offer{ID: "part", Agent: a, Role: whole.Role, Unavailable: whole.Unavailable}
		}
		for _, s := range whole.Shares {
			cut(t, s, parts)
		}
		got := placement.Pool(parts)
		if len(got) != 1 {
			t.Fatalf("%d pools", len(got))
		}
		if diff := cmp.Diff(whole.Shares, got[0].Shares, cmp.Transformer("sort", byReservation)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// cut gives each thousandth hundred and each port of the share to one of the parts.
func cut(t *rapid.T, s placement.Share, parts []*placement.Offer) {
	pieces := make([]placement.Share, len(parts))
	for i := range pieces {
		pieces[i].Reservation = s.Reservation
	}
	for k, left := range s.Scalars {
		for i := range pieces {
			amount := placement.Milli(rapid.Int64Range(0, int64(left)).Draw(t, "amount"))
			if i == len(pieces)-1 {
				amount = left
			}
			pieces[i].Scalars[k], left = amount, left-amount
		}
	}
	for _, port := range numbers(s.Ports) {
		i := rapid.IntRange(0, len(pieces)-1).Draw(t, "port")
		pieces[i].Ports = append(pieces[i].Ports, span(port, port))
	}
	for i, p := range pieces {
		parts[i].Shares = append(parts[i].Shares, p)
	}
}

func byReservation(shares []placement.Share) map[placement.Reservation]placement.Share {
	out := map[placement.Reservation]placement.Share{}
	for _, s := range shares {
		s.Ports = slices.Clone(s.Ports)
		out[s.Reservation] = s
	}
	return out
}
