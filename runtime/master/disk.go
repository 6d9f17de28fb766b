package master

import "github.com/pacer-run/pacer/runtime/placement"

// disk reads a DiskInfo. A source or a volume makes the disk one that is not
// divided among tasks; one that could not be named again is of no use.
func (d *decoder) disk(r *resource, message []byte) bool {
	ok, volume := true, false
	f := over(message)
	for f.next() && ok {
		switch f.tag {
		case 1<<3 | bytesWire:
			r.special, ok = true, d.persistence(r, f.bytes())
		case 2<<3 | bytesWire:
			r.special, volume = true, true
			ok = d.volume(r, f.bytes())
		case 3<<3 | bytesWire:
			r.special, ok = true, d.source(r, f.bytes())
		}
	}
	r.unnamable = r.unnamable || volume != (r.volume.ID != "")
	return ok && !f.malformed
}

// persistence reads a DiskInfo.Persistence.
func (d *decoder) persistence(r *resource, message []byte) bool {
	f := over(message)
	for f.next() {
		switch f.tag {
		case 1<<3 | bytesWire:
			r.volume.ID = string(f.bytes())
		case 2<<3 | bytesWire:
			r.volume.Principal = d.names.of(f.bytes())
		}
	}
	r.unnamable = r.unnamable || r.volume.ID == ""
	return !f.malformed
}

// readOnly is the number of Volume.Mode.
const readOnly = 2

// volume reads the Volume of a persistence.
func (d *decoder) volume(r *resource, message []byte) bool {
	f := over(message)
	for f.next() {
		switch f.tag {
		case 1<<3 | bytesWire:
			r.volume.ContainerPath = d.names.of(f.bytes())
		case 3<<3 | varintWire:
			r.volume.ReadOnly = f.value == readOnly
		default:
			r.unnamable = true
		}
	}
	return !f.malformed
}

// Numbers of DiskInfo.Source.Type.
const (
	pathSource  = 1
	mountSource = 2
)

// source reads a DiskInfo.Source. Only directories and file systems are used, and
// only such as have no more about them than is sent back.
func (d *decoder) source(r *resource, message []byte) bool {
	kind, ok := uint64(0), true
	f := over(message)
	for f.next() && ok {
		switch f.tag {
		case 1<<3 | varintWire:
			kind = f.value
		case 2<<3 | bytesWire, 3<<3 | bytesWire:
			ok = d.root(r, f.bytes())
		case 4<<3 | bytesWire:
			r.source.ID = string(f.bytes())
		case 6<<3 | bytesWire:
			r.source.Profile = d.names.of(f.bytes())
		case 7<<3 | bytesWire:
			r.source.Vendor = d.names.of(f.bytes())
		default:
			r.unnamable = true
		}
	}
	switch kind {
	case pathSource:
		r.source.Kind = placement.PathDisk
	case mountSource:
		r.source.Kind = placement.MountDisk
	default:
		r.unnamable = true
	}
	r.unnamable = r.unnamable || r.source.Root == ""
	return ok && !f.malformed
}

// root reads where a source lies on the agent.
func (d *decoder) root(r *resource, message []byte) bool {
	f := over(message)
	for f.next() {
		if f.tag == 1<<3|bytesWire {
			r.source.Root = d.names.of(f.bytes())
		}
	}
	return !f.malformed
}

// addDisk puts a disk that is in no share into the offer.
func (d *decoder) addDisk(r *resource) {
	if amount := amountOf(r.amount); string(r.name) == "disk" && r.kind == scalarValue && amount > 0 {
		d.disks = append(d.disks, placement.DiskPart{Reservation: r.held, Size: amount, Source: r.source, Volume: r.volume})
	}
}

// takeDisks copies the disks of the offer out of the scratch memory; nil for none.
func (d *decoder) takeDisks() []placement.DiskPart {
	return append([]placement.DiskPart(nil), d.disks...)
}
