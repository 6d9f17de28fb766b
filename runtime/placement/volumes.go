package placement

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// volumeNeed is one persistent volume that lies on a disk of its own.
type volumeNeed struct {
	at      int // among the app's persistent volumes
	kind    DiskKind
	size    Milli
	most    Milli // of a mount disk; 0: no bound
	profile string
	paths   []pathRule
}

// pathRule is a constraint on the root of a volume's disk.
type pathRule struct {
	like    *regexp.Regexp // nil: nothing matches
	negated bool
}

// volumeNeeds are those of one app, the biggest first.
type volumeNeeds struct{ list []volumeNeed }

// persistent lists the app's persistent volumes.
func persistent(app *spec.App) []*spec.Volume {
	if !app.Resident() {
		return nil
	}
	var list []*spec.Volume
	for i := range app.Container.Volumes {
		if v := &app.Container.Volumes[i]; v.Persistent != nil {
			list = append(list, v)
		}
	}
	return list
}

// needsOf tells what the app's volumes take of the root disk, and which lie on
// disks of their own, nil for none.
func needsOf(app *spec.App) (root Milli, needs *volumeNeeds) {
	for i, v := range persistent(app) {
		kind := kindOf(v.Persistent)
		size := Milli(v.Persistent.Size) * 1000
		if kind == RootDisk {
			root += size
			continue
		}
		need := volumeNeed{at: i, kind: kind, size: size, profile: v.Persistent.ProfileName}
		if v.Persistent.MaxSize != nil {
			need.most = Milli(*v.Persistent.MaxSize) * 1000
		}
		for _, c := range v.Persistent.Constraints {
			like, err := regexp.Compile(`\A(?:` + c.Value + `)\z`)
			if err != nil {
				like = nil // validation lets none through
			}
			need.paths = append(need.paths, pathRule{like: like, negated: c.Operator == "UNLIKE"})
		}
		if needs == nil {
			needs = &volumeNeeds{}
		}
		needs.list = append(needs.list, need)
	}
	if needs != nil {
		slices.SortStableFunc(needs.list, func(x, y volumeNeed) int { return cmp.Compare(y.size, x.size) })
	}
	return root, needs
}

func kindOf(v *spec.PersistentVolume) DiskKind {
	switch v.Type {
	case "path":
		return PathDisk
	case "mount":
		return MountDisk
	}
	return RootDisk
}

// takes tells whether the volume may lie on the disk as it is.
func (n *volumeNeed) takes(d *DiskPart) bool {
	if d.Source.Kind != n.kind || d.Size < n.size || d.Source.Profile != n.profile {
		return false
	}
	if n.kind == MountDisk && n.most > 0 && d.Size > n.most {
		return false
	}
	for _, rule := range n.paths {
		if rule.like == nil || rule.like.MatchString(d.Source.Root) == rule.negated {
			return false
		}
	}
	return true
}

// disks is what is left of the disks of row p's offer.
func (t *table) disks(p int) []DiskPart {
	if t.rows[p].carved {
		return t.rows[p].disks
	}
	return t.offer(p).Disks
}

// hasDisks tells whether all the volumes find a disk.
func (t *table) hasDisks(needs *volumeNeeds, p int) bool {
	_, _, ok := carveDisks(needs, t.disks(p))
	return ok
}

// carveDisks gives each volume its disk: of paths as much as it needs of the
// largest that will do, of mounts the first that will do, and all of it. It
// returns the disks in the order of the needs, and what is left.
func carveDisks(needs *volumeNeeds, from []DiskPart) (got, left []DiskPart, ok bool) {
	left = slices.Clone(from)
	for i := range needs.list {
		need := &needs.list[i]
		best := -1
		for j := range left {
			d := &left[j]
			if _, usable := position("", &d.Reservation); !usable || d.Volume.ID != "" || !need.takes(d) {
				continue
			}
			if best < 0 || need.kind == PathDisk && d.Size > left[best].Size {
				best = j
			}
		}
		if best < 0 {
			return nil, nil, false
		}
		d := left[best]
		if need.kind == PathDisk {
			d.Size = need.size
		}
		if left[best].Size -= d.Size; left[best].Size == 0 {
			left = slices.Delete(left, best, best+1)
		}
		got = append(got, d)
	}
	return got, left, true
}

// takeDisks takes what the app's new volumes lie on, in their order.
func (t *table) takeDisks(app *spec.App, r *requirement, p int) []DiskPart {
	volumes := persistent(app)
	if len(volumes) == 0 {
		return nil
	}
	out := make([]DiskPart, len(volumes))
	for i, v := range volumes {
		out[i].Size = Milli(v.Persistent.Size) * 1000
	}
	if r.volumes != nil {
		got, left, _ := carveDisks(r.volumes, t.disks(p))
		for i, d := range got {
			out[r.volumes.list[i].at] = d
		}
		t.rows[p].disks, t.rows[p].carved = left, true
	}
	for i, v := range volumes {
		out[i].Reservation = Reservation{}
		out[i].Volume = Persistence{ContainerPath: v.ContainerPath, ReadOnly: v.ReadOnly}
	}
	return out
}

// apart takes the volumes on the root disk out of the shares, where their room was
// taken.
func (p *Placement) apart() {
	for i := range p.Disks {
		left := p.Disks[i].Size
		if p.Disks[i].Source.Kind != RootDisk {
			left = 0
		}
		for j := range p.Take {
			amount := min(left, p.Take[j].Scalars[Disk])
			p.Take[j].Scalars[Disk] -= amount
			left -= amount
		}
	}
}
