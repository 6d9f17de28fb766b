package master

import (
	"errors"
	"fmt"
	"math"
	"time"

	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/placement"
)

// decoder turns records into events. It belongs to one stream at a time and keeps
// what later offers can share.
type decoder struct {
	agents *agents
	names  *names // roles and principals
	// canonical has the texts of labels, by their bytes.
	canonical *names

	// Scratch memory of one offer.
	shares []placement.Share
	disks  []placement.DiskPart
	spans  []placement.Range
	facts  []byte
}

func newDecoder() *decoder {
	return &decoder{agents: newAgents(), names: newNames(), canonical: newNames()}
}

// OfferDecoder decodes OFFERS events as a Client does, for measurements. It
// remembers agents from event to event and belongs to one goroutine.
type OfferDecoder struct{ inner *decoder }

// NewOfferDecoder returns a decoder that knows no agents yet.
func NewOfferDecoder() OfferDecoder { return OfferDecoder{newDecoder()} }

// Offers decodes one event without its RecordIO length. The error says that the
// bytes are not a Mesos event with offers.
func (d OfferDecoder) Offers(event []byte) ([]*placement.Offer, error) {
	kind, message, ok := peek(event)
	if !ok || kind != sched.Event_OFFERS {
		return nil, fmt.Errorf("event %s: expected OFFERS", kind)
	}
	return d.inner.offers(message)
}

// errOffer reports an offer that lacks what every offer has.
var errOffer = errors.New("offer lacks its id, its agent or the host name")

// offers decodes an Event.Offers message.
func (d *decoder) offers(message []byte) ([]*placement.Offer, error) {
	n := 0
	count := over(message)
	for count.next() {
		n++
	}
	all := make([]*placement.Offer, 0, n)
	f := over(message)
	for f.next() {
		if f.tag != 1<<3|bytesWire {
			continue
		}
		o, err := d.offer(f.bytes())
		if err != nil {
			return nil, fmt.Errorf("offer %d: %w", len(all), err)
		}
		all = append(all, o)
	}
	if f.malformed {
		return nil, errWire
	}
	return all, nil
}

// offer decodes one Offer. The agent's facts are only gathered here: most of the
// time they are known already.
func (d *decoder) offer(message []byte) (*placement.Offer, error) {
	o := &placement.Offer{}
	d.shares, d.disks, d.facts = d.shares[:0], d.disks[:0], d.facts[:0]
	var id, agentID []byte
	var err error
	ok, hasHost := true, false
	f := over(message)
	for f.next() && ok && err == nil {
		switch f.tag {
		case 1<<3 | bytesWire:
			id, ok = inner(f.bytes())
		case 3<<3 | bytesWire:
			agentID, ok = inner(f.bytes())
		case 5<<3 | bytesWire:
			ok = d.resource(f.bytes())
		case 4<<3 | bytesWire:
			hasHost = true
			d.facts = append(d.facts, f.raw()...)
		case 7<<3 | bytesWire, 8<<3 | bytesWire, 11<<3 | bytesWire: // attributes, URL, domain
			d.facts = append(d.facts, f.raw()...)
		case 9<<3 | bytesWire:
			o.Unavailable, ok = window(f.bytes())
		case 10<<3 | bytesWire:
			o.Role, ok = d.allocation(f.bytes())
		}
	}
	switch {
	case f.malformed || !ok:
		return nil, errWire
	case len(id) == 0 || len(agentID) == 0 || !hasHost:
		return nil, errOffer
	}
	if o.Agent, err = d.agents.of(agentID, d.facts); err != nil {
		return nil, err
	}
	o.ID = string(id)
	o.Shares, o.Disks = d.takeShares(), d.takeDisks()
	return o, nil
}

// allocation reads the role of an AllocationInfo.
func (d *decoder) allocation(message []byte) (role string, ok bool) {
	f := over(message)
	for f.next() {
		if f.tag == 1<<3|bytesWire {
			role = d.names.of(f.bytes())
		}
	}
	return role, !f.malformed
}

// window reads an Unavailability: nanoseconds, and no duration for an open end.
func window(message []byte) (*placement.Window, bool) {
	var start, duration int64
	bounded, ok := false, true
	f := over(message)
	for f.next() && ok {
		switch f.tag {
		case 1<<3 | bytesWire:
			start, ok = nanoseconds(f.bytes())
		case 2<<3 | bytesWire:
			duration, ok = nanoseconds(f.bytes())
			bounded = true
		}
	}
	return windowOf(start, duration, bounded), ok && !f.malformed
}

// windowOf makes a window of times in nanoseconds. An end that no clock reaches is
// an open one.
func windowOf(start, duration int64, bounded bool) *placement.Window {
	const ms = int64(time.Millisecond)
	w := &placement.Window{Begin: start / ms}
	if bounded && (duration <= 0 || start <= math.MaxInt64-duration) {
		w.End = (start + duration) / ms
	}
	return w
}

// nanoseconds reads a TimeInfo or a DurationInfo.
func nanoseconds(message []byte) (ns int64, ok bool) {
	f := over(message)
	for f.next() {
		if f.tag == 1<<3|varintWire {
			ns, ok = int64(f.value), true
		}
	}
	return ns, ok && !f.malformed
}
