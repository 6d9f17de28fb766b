package master

import "github.com/pacer-run/pacer/runtime/placement"

// reservation reads a ReservationInfo into r.held. Its type and role are set in the
// new form only; in the old one the role stands in the resource.
func (d *decoder) reservation(r *resource, message []byte) bool {
	ok := true
	f := over(message)
	for f.next() && ok {
		switch f.tag {
		case 1<<3 | bytesWire:
			r.held.Principal = d.names.of(f.bytes())
		case 2<<3 | bytesWire:
			r.held.Labels, ok = d.labels(f.bytes())
		}
	}
	return ok && !f.malformed
}

// Numbers of ReservationInfo.Type.
const (
	staticReservation  = 1
	dynamicReservation = 2
)

// refinement reads a ReservationInfo of the new form.
func (d *decoder) refinement(r *resource, message []byte) bool {
	kind := uint64(0)
	r.held.Role = ""
	f := over(message)
	for f.next() {
		switch f.tag {
		case 4<<3 | varintWire:
			kind = f.value
		case 3<<3 | bytesWire:
			r.held.Role = d.names.of(f.bytes())
		}
	}
	r.held.Dynamic = kind == dynamicReservation
	r.unnamable = r.unnamable || (kind != staticReservation && kind != dynamicReservation)
	return !f.malformed && d.reservation(r, message)
}

// labels reads a Labels message into its canonical text. Equal bytes, by far the
// most, are read once.
func (d *decoder) labels(message []byte) (text string, ok bool) {
	if len(message) == 0 {
		return "", true
	}
	if text, ok = d.canonical.known[string(message)]; ok {
		return text, true
	}
	var all []placement.Label
	f := over(message)
	for f.next() {
		if f.tag != 1<<3|bytesWire {
			continue
		}
		l, ok := label(f.bytes())
		if !ok {
			return "", false
		}
		all = append(all, l)
	}
	text = placement.CanonicalLabels(all)
	if !f.malformed {
		d.canonical.put(string(message), text)
	}
	return text, !f.malformed
}

// label reads a Label.
func label(message []byte) (l placement.Label, ok bool) {
	f := over(message)
	for f.next() {
		switch f.tag {
		case 1<<3 | bytesWire:
			l.Key = string(f.bytes())
		case 2<<3 | bytesWire:
			l.Value, l.HasValue = string(f.bytes()), true
		}
	}
	return l, !f.malformed
}
