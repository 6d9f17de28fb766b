package scheduler

import (
	"strings"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// beResident gives an app persistent volumes, "data,log", with the defaults that
// such apps have.
func beResident(app *spec.App, volumes string) {
	app.Container = &spec.Container{}
	for path := range strings.SplitSeq(volumes, ",") {
		app.Container.Volumes = append(app.Container.Volumes, spec.Volume{
			ContainerPath: path, Persistent: &spec.PersistentVolume{Type: "root", Size: 100},
		})
	}
	app.UnreachableStrategy.Disabled = true
}

// noteHoldings remembers what was reserved, so that offers can hold it.
func (w *world) noteHoldings(calls []Call) {
	for _, c := range calls {
		if accept, ok := c.(Accept); ok {
			for _, h := range accept.Reserve {
				w.holdings[instanceUUID(h.Instance)] = h
			}
		}
	}
}

// named is the instance of a short name; the zero UUID when there was none.
func (w *world) named(name string) UUID {
	for id, n := range w.names {
		if n == name {
			return id
		}
	}
	return UUID{}
}

// wantedHeld is the wish of the match under way for the instance of a short name.
func (w *world) wantedHeld(name string) *placement.Wanted {
	for i := range w.match.Wanted {
		wanted := &w.match.Wanted[i]
		if wanted.Held != nil && w.names[instanceUUID(wanted.Held.Owner.Instance)] == name {
			return wanted
		}
	}
	return nil
}

// placeVolumes gives a placement what the matcher would give its volumes.
func (w *world) placeVolumes(p *placement.Placement) {
	switch {
	case p.Held != nil:
		for _, d := range p.Offer.Disks {
			for _, id := range p.Held.Volumes {
				if d.Volume.ID == id {
					p.Disks = append(p.Disks, d)
				}
			}
		}
	case p.App.Resident():
		take := placement.Share{}
		take.Scalars[placement.CPUs] = placement.MilliOf(p.App.CPUs)
		p.Take = []placement.Share{take}
		for _, v := range p.App.Container.Volumes {
			p.Disks = append(p.Disks, placement.DiskPart{
				Size: placement.Milli(v.Persistent.Size) * 1000, Volume: placement.Persistence{ContainerPath: v.ContainerPath},
			})
		}
	}
}
