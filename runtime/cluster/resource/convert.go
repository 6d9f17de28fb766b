package resource

import "slices"

// Conversion is the step of an operation: one resource takes the place of another of the same amount.
type Conversion struct{ From, To Resource }

// Reserve adds the last reservation of r to the rest of it.
func Reserve(r Resource) Conversion {
	from := r
	from.Reservations = r.Reservations[:max(0, len(r.Reservations)-1)]
	return Conversion{From: from, To: r}
}

// Unreserve takes the last reservation of r away.
func Unreserve(r Resource) Conversion { return Reserve(r).reversed() }

// Create makes the persistent volume r.
func Create(r Resource) Conversion {
	from := r
	from.Disk = r.Disk.plain()
	return Conversion{From: from, To: r}
}

// Destroy makes plain disk of the persistent volume r.
func Destroy(r Resource) Conversion { return Create(r).reversed() }

func (c Conversion) reversed() Conversion { return Conversion{From: c.To, To: c.From} }

// Convert applies all steps, or none: then the rest of the set and what it lacks are returned, for the operation's
// refusal.
func (s Set) Convert(steps []Conversion) (after Set, missing *Resource) {
	after = s
	for _, step := range steps {
		if !after.Contains(Set{step.From}) {
			return after, &step.From
		}
		after = after.Minus(Set{step.From}).Plus(Set{step.To})
	}
	return after, nil
}

// Own is o in the words of s: a volume is written as it was made, not as a task wants to see it.
func (s Set) Own(o Set) Set {
	out := slices.Clone(o)
	for i := range out {
		if j := s.index(out[i]); j >= 0 {
			out[i].Disk = s[j].Disk
		}
	}
	return out
}

// IsDynamic tells whether the reservation in force was made at run time.
func (r Resource) IsDynamic() bool {
	return len(r.Reservations) > 0 && r.Reservations[len(r.Reservations)-1].Dynamic
}

// IsVolume tells whether r is a persistent volume.
func (r Resource) IsVolume() bool { return r.Disk != nil && r.Disk.Persistence != "" }

// Converted is the part of s that operations made: dynamic reservations and persistent volumes.
func (s Set) Converted() Set {
	return s.Keep(func(r Resource) bool {
		return r.IsVolume() || slices.ContainsFunc(r.Reservations, func(x Reservation) bool { return x.Dynamic })
	})
}

// Stripped is r as it was before any operation.
func (r Resource) Stripped() Resource {
	r.Disk = r.Disk.plainIfVolume()
	for len(r.Reservations) > 0 && r.IsDynamic() {
		r.Reservations = r.Reservations[:len(r.Reservations)-1]
	}
	return r
}

// plainIfVolume keeps a disk that was configured as it is.
func (d *Disk) plainIfVolume() *Disk {
	if d == nil || d.Persistence == "" {
		return d
	}
	return d.plain()
}
