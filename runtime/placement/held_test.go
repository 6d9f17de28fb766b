package placement_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// resident makes an app with a volume of each kind named, of 100 MiB.
func resident(kinds ...string) *spec.App {
	a := app("/db")
	a.Role, a.Container = "dev", &spec.Container{}
	for _, kind := range kinds {
		a.Container.Volumes = append(a.Container.Volumes, spec.Volume{
			ContainerPath: "data" + kind, Persistent: &spec.PersistentVolume{Type: kind, Size: 100},
		})
	}
	return a
}

// disk is one of its own.
func disk(kind placement.DiskKind, root string, size float64) placement.DiskPart {
	return placement.DiskPart{Size: placement.MilliOf(size), Source: placement.DiskSource{Kind: kind, Root: root}}
}

// devOffer is an offer to the role dev with disks.
func devOffer(n int, disks ...placement.DiskPart) *placement.Offer {
	o := offer(agent(n, 2), 4, 100)
	o.Role, o.Disks = "dev", disks
	return o
}

func one(o *placement.Offer, w placement.Wanted) placement.Request {
	return placement.Request{Now: 1000, Offers: []*placement.Offer{o}, Agents: []*placement.Agent{o.Agent}, Wanted: []placement.Wanted{w}}
}

// TestVolumesFindDisks: which disks new volumes lie on.
func TestVolumesFindDisks(t *testing.T) {
	limit := int64(300)
	path, mount := placement.PathDisk, placement.MountDisk
	for name, c := range map[string]struct {
		kinds  []string
		change func(v *spec.PersistentVolume)
		disks  []placement.DiskPart
		want   []placement.DiskPart // nil: none fit
	}{
		"root":                     {kinds: []string{"root"}, want: []placement.DiskPart{disk(0, "", 100)}},
		"no more of the root disk": {kinds: []string{"root"}, change: func(v *spec.PersistentVolume) { v.Size = 20000 }},
		"path, of the largest": {
			kinds: []string{"path"},
			disks: []placement.DiskPart{disk(path, "/a", 150), disk(path, "/b", 500), disk(mount, "/m", 900)},
			want:  []placement.DiskPart{disk(path, "/b", 100)},
		},
		"two of one path": {
			kinds: []string{"path", "path"}, disks: []placement.DiskPart{disk(path, "/a", 200)},
			want: []placement.DiskPart{disk(path, "/a", 100), disk(path, "/a", 100)},
		},
		"too little left": {kinds: []string{"path", "path"}, disks: []placement.DiskPart{disk(path, "/a", 199)}},
		"mount, the first that will do, whole": {
			kinds: []string{"mount"}, disks: []placement.DiskPart{disk(mount, "/s", 50), disk(mount, "/m", 200), disk(mount, "/n", 100)},
			want: []placement.DiskPart{disk(mount, "/m", 200)},
		},
		"mount up to its limit": {
			kinds: []string{"mount"}, change: func(v *spec.PersistentVolume) { v.MaxSize = &limit },
			disks: []placement.DiskPart{disk(mount, "/m", 301), disk(mount, "/n", 300)},
			want:  []placement.DiskPart{disk(mount, "/n", 300)},
		},
		"each mount once": {kinds: []string{"mount", "mount"}, disks: []placement.DiskPart{disk(mount, "/m", 900)}},
		"a path that matches": {
			kinds: []string{"path"},
			change: func(v *spec.PersistentVolume) {
				v.Constraints = []spec.Constraint{constraint("path", "LIKE", "/a.*"), constraint("path", "UNLIKE", "/a")}
			},
			disks: []placement.DiskPart{disk(path, "/a", 900), disk(path, "/b", 900), disk(path, "/ab", 100)},
			want:  []placement.DiskPart{disk(path, "/ab", 100)},
		},
		"another profile": {
			kinds: []string{"mount"}, change: func(v *spec.PersistentVolume) { v.ProfileName = "fast" },
			disks: []placement.DiskPart{disk(mount, "/m", 900)},
		},
		"reserved": {kinds: []string{"mount"}, disks: []placement.DiskPart{{
			Reservation: placement.Reservation{Role: "dev"}, Size: 900_000, Source: placement.DiskSource{Kind: mount, Root: "/m"},
		}}},
	} {
		a := resident(c.kinds...)
		for i := range a.Container.Volumes {
			if c.change != nil {
				c.change(a.Container.Volumes[i].Persistent)
			}
		}
		var m placement.Matcher
		result := m.Match(context.Background(), one(devOffer(1, c.disks...), placement.Wanted{App: a, Count: 1}), nil)
		if c.want == nil {
			if len(result.Placements) > 0 || result.Refusals[0].Declined[placement.InsufficientDisk] != 1 {
				t.Errorf("%s: %+v", name, result)
			}
			continue
		}
		if len(result.Placements) != 1 {
			t.Errorf("%s: refused %v", name, result.Refusals)
			continue
		}
		for i := range c.want {
			c.want[i].Volume.ContainerPath = a.Container.Volumes[i].ContainerPath
		}
		if diff := cmp.Diff(c.want, result.Placements[0].Disks); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if got := result.Placements[0].Take[0].Scalars[placement.Disk]; got != 0 {
			t.Errorf("%s: %d of the root disk taken besides", name, got)
		}
	}
}

var held = placement.Held{
	Owner: placement.Owner{Framework: "f1", Instance: "db.1"}, AgentID: "S1", Volumes: []string{"v1"},
}

// heldOffer holds what held says, and a little besides.
func heldOffer() *placement.Offer {
	r := placement.Reservation{Role: "dev", Dynamic: true, Principal: "p", Labels: held.Owner.Labels()}
	o := devOffer(1, placement.DiskPart{Reservation: r, Size: 100_000, Volume: placement.Persistence{ID: "v1", ContainerPath: "dataroot"}})
	s := placement.Share{Reservation: r, Ports: []placement.Range{{Begin: 31500, End: 31500}}}
	s.Scalars[placement.CPUs], s.Scalars[placement.Mem] = 1000, 10_000
	o.Shares = append(o.Shares, s)
	return o
}

// TestHeldPlace: an instance goes to what it holds, and takes nothing else.
func TestHeldPlace(t *testing.T) {
	type world struct {
		app   *spec.App
		offer *placement.Offer
		held  placement.Held
		rules []placement.Rule
	}
	for name, c := range map[string]struct {
		change func(w *world)
		reason placement.Reason
	}{
		"fits":            {func(*world) {}, placement.Reasons},
		"on its own port": {func(w *world) { w.app.PortDefinitions = make([]spec.PortDefinition, 1) }, placement.Reasons},
		"two ports, one held": {func(w *world) {
			w.app.PortDefinitions = make([]spec.PortDefinition, 2)
		}, placement.InsufficientPorts},
		"in spite of GPUs": {func(w *world) { w.offer.Shares[0].Scalars[placement.GPUs] = 1000 }, placement.Reasons},
		"on another agent": {func(w *world) { w.held.AgentID = "S2" }, placement.NoCorrespondingReservationFound},
		"one volume is missing": {func(w *world) {
			w.held.Volumes = []string{"v1", "v2"}
		}, placement.NoCorrespondingReservationFound},
		"less is held than it needs": {func(w *world) {
			w.offer.Shares[1].Scalars[placement.CPUs] = 900
		}, placement.InsufficientCpus},
		"held for another": {func(w *world) {
			w.offer.Shares[1].Reservation.Labels = placement.Owner{Framework: "f1", Instance: "db.2"}.Labels()
		}, placement.InsufficientCpus},
		"maintenance": {func(w *world) { w.offer.Unavailable = &placement.Window{Begin: 1} }, placement.AgentMaintenance},
		"a constraint": {func(w *world) {
			c := constraint("rack", "UNLIKE", "r1")
			w.app.Constraints = []spec.Constraint{c}
			w.rules = []placement.Rule{{Constraint: c, Prepared: prepare(c)}}
		}, placement.UnfulfilledConstraint},
	} {
		w := world{app: resident("root"), offer: heldOffer(), held: held}
		c.change(&w)
		var m placement.Matcher
		result := m.Match(context.Background(), one(w.offer, placement.Wanted{App: w.app, Count: 1, Held: &w.held}),
			func(*spec.App) []placement.Rule { return w.rules })
		if c.reason != placement.Reasons {
			if len(result.Placements) > 0 || result.Refusals[0].Declined[c.reason] != 1 {
				t.Errorf("%s: %+v", name, result)
			}
			continue
		}
		if len(result.Placements) != 1 {
			t.Errorf("%s: refused %v", name, result.Refusals)
			continue
		}
		p := result.Placements[0]
		want := heldOffer()
		if len(w.app.PortDefinitions) == 0 {
			want.Shares[1].Ports = nil
		}
		if diff := cmp.Diff(want.Shares[1:], p.Take); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(want.Disks, p.Disks); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for _, port := range p.Ports {
			if port != 31500 {
				t.Errorf("%s: port %d", name, port)
			}
		}
	}
}

// TestHeldIsNobodyElses: a new instance does not take what another one holds.
func TestHeldIsNobodyElses(t *testing.T) {
	o := heldOffer()
	o.Shares = o.Shares[1:]
	a := app("/web")
	a.Role = "dev"
	for _, a := range []*spec.App{a, resident("root")} {
		var m placement.Matcher
		result := m.Match(context.Background(), one(o, placement.Wanted{App: a, Count: 1}), nil)
		if len(result.Placements) > 0 || result.Refusals[0].Declined[placement.UnfulfilledRole] != 1 {
			t.Errorf("%s: %+v", a.ID, result)
		}
	}
}

// TestExplainVolumes: an offer without a disk for the volumes does not fit, and no
// smaller disk would do.
func TestExplainVolumes(t *testing.T) {
	o := devOffer(1, disk(placement.PathDisk, "/a", 50))
	got := placement.Explain(context.Background(), placement.Cluster{
		Now: 1000, Offers: []*placement.Offer{o}, Agents: []*placement.Agent{o.Agent},
	}, placement.Wanted{App: resident("path"), Count: 1}, nil)
	if got.Tally[placement.Refused] != 1 || len(got.NearMisses) > 0 {
		t.Errorf("tally %v, near misses %v", got.Tally, got.NearMisses)
	}
	for _, f := range got.Agents[0].Findings {
		want := ""
		if f.Rule == placement.RuleDisk {
			want = "nothing is offered that its volumes may lie on"
		}
		if f.Reason != want {
			t.Errorf("%s: %q, want %q", f.Name, f.Reason, want)
		}
	}
}
