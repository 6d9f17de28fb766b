package master

import (
	"math"
	"slices"

	"github.com/pacer-run/pacer/runtime/placement"
)

// maxAmount is the largest scalar taken at its word: above it thousandths are no
// longer exact in a double.
const maxAmount = 1 << 43

// resource is one Resource while it is decoded. Its slices point into the record.
type resource struct {
	name      []byte
	kind      uint64 // of Value.Type
	amount    float64
	ranges    []byte // a Value.Ranges
	role      []byte // of the old form
	refined   int    // reservations in the new form
	held      placement.Reservation
	unnamable bool // it could not be named again in an ACCEPT
	special   bool // a disk with a source or a volume
	source    placement.DiskSource
	volume    placement.Persistence
}

// Numbers of Value.Type.
const (
	scalarValue = 0
	rangesValue = 1
	setValue    = 2
	textValue   = 3
)

// resource decodes one Resource and adds it to the shares of the offer. What a
// share cannot name again when a task takes it is left out: revocable and shared
// resources, those of resource providers, and reservations refined more than once.
// So are resources of other kinds. Disks with a source or a volume stand apart.
func (d *decoder) resource(message []byte) bool {
	var r resource
	ok := true
	f := over(message)
	for f.next() && ok {
		switch f.tag {
		case 1<<3 | bytesWire:
			r.name = f.bytes()
		case 2<<3 | varintWire:
			r.kind = f.value
		case 3<<3 | bytesWire:
			r.amount, ok = scalar(f.bytes())
		case 4<<3 | bytesWire:
			r.ranges = f.bytes()
		case 6<<3 | bytesWire:
			r.role = f.bytes()
		case 7<<3 | bytesWire:
			ok = d.disk(&r, f.bytes())
		case 8<<3 | bytesWire:
			r.held.Dynamic = true
			ok = d.reservation(&r, f.bytes())
		case 13<<3 | bytesWire:
			r.refined++
			ok = d.refinement(&r, f.bytes())
		case 9<<3 | bytesWire, 10<<3 | bytesWire, 12<<3 | bytesWire: // revocable, shared, provider
			r.unnamable = true
		}
	}
	if !ok || f.malformed {
		return false
	}
	if r.refined == 0 && string(r.role) != unreserved {
		r.held.Role = d.names.of(r.role)
	}
	return r.unnamable || r.refined > 1 || d.add(&r)
}

// unreserved is the role of resources that nobody has reserved.
const unreserved = "*"

// add puts a resource into the share of its reservation, or among the disks; false
// when malformed.
func (d *decoder) add(r *resource) bool {
	if r.special {
		d.addDisk(r)
		return true
	}
	kind := placement.CPUs
	switch string(r.name) {
	case "ports":
		return r.kind != rangesValue || d.addPorts(r)
	case "cpus":
	case "mem":
		kind = placement.Mem
	case "disk":
		kind = placement.Disk
	case "gpus":
		kind = placement.GPUs
	default:
		return true
	}
	if amount := amountOf(r.amount); r.kind == scalarValue && amount > 0 {
		d.share(r.held).Scalars[kind] += amount
	}
	return true
}

// amountOf is a scalar in thousandths; 0 for what is no amount.
func amountOf(v float64) placement.Milli {
	if v > 0 && v <= maxAmount { // false for NaN
		return placement.MilliOf(v)
	}
	return 0
}

// addPorts adds ranges. No port is above 65,535, whatever a master says.
func (d *decoder) addPorts(r *resource) bool {
	d.spans = d.spans[:0]
	f := over(r.ranges)
	for f.next() {
		if f.tag != 1<<3|bytesWire {
			continue
		}
		s, ok := span(f.bytes())
		if !ok {
			return false
		}
		if s.Begin <= s.End && s.Begin <= math.MaxUint16 {
			d.spans = append(d.spans, placement.Range{Begin: uint16(s.Begin), End: uint16(min(s.End, math.MaxUint16))})
		}
	}
	if len(d.spans) > 0 {
		share := d.share(r.held)
		share.Ports = append(share.Ports, d.spans...)
	}
	return !f.malformed
}

// share returns the share of a reservation in the offer being decoded. Offers have
// a handful of them at most, for which a search is faster than a map.
func (d *decoder) share(held placement.Reservation) *placement.Share {
	for i := range d.shares {
		if d.shares[i].Reservation == held {
			return &d.shares[i]
		}
	}
	d.shares = extend(d.shares)
	share := &d.shares[len(d.shares)-1]
	*share = placement.Share{Reservation: held, Ports: share.Ports[:0]}
	return share
}

// extend makes a slice one longer, with what the element held before if there is
// room: the ports of an earlier offer, whose memory is used again.
func extend(shares []placement.Share) []placement.Share {
	if len(shares) < cap(shares) {
		return shares[:len(shares)+1]
	}
	return append(shares, placement.Share{})
}

// takeShares copies the shares of the offer out of the scratch memory, with ports
// sorted and disjoint.
func (d *decoder) takeShares() []placement.Share {
	if len(d.shares) == 0 {
		return nil
	}
	shares := make([]placement.Share, len(d.shares))
	for i := range d.shares {
		shares[i] = d.shares[i]
		shares[i].Ports = slices.Clone(placement.Disjoint(d.shares[i].Ports))
	}
	return shares
}

// scalar reads a Value.Scalar.
func scalar(message []byte) (v float64, ok bool) {
	f := over(message)
	for f.next() {
		if f.tag == 1<<3|fixed64 {
			v = f.float()
		}
	}
	return v, !f.malformed
}

// span reads a Value.Range.
func span(message []byte) (s placement.Span, ok bool) {
	f := over(message)
	for f.next() {
		switch f.tag {
		case 1<<3 | varintWire:
			s.Begin = f.value
		case 2<<3 | varintWire:
			s.End = f.value
		}
	}
	return s, !f.malformed
}
