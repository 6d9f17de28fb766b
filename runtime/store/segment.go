package store

import (
	"fmt"
	"slices"
)

// segment is a packed, immutable node of records. Which of its records still
// count stands in the manifest, so that loading needs no order among segments.
type segment struct {
	id     uint64
	count  int    // records, live and dead
	size   int    // bytes of the node
	live   int    // bytes of its live records
	alive  int    // number of its live records
	buried []byte // a bit per record: set when dead
}

func (s *segment) dead(i int) bool { return s.buried[i/8]&(1<<(i%8)) != 0 }

// bury marks the record dead, whose size is given.
func (s *segment) bury(i, size int) {
	s.buried[i/8] |= 1 << (i % 8)
	s.live -= size
	s.alive--
}

// place is where the folded form of a record is.
type place struct {
	segment *segment
	ordinal int32
	size    int32 // in the segment, bytes
}

// packer fills segments up to their limit.
type packer struct {
	segments []*packed
}

// packed is a segment not written yet, with the keys of its records in order.
type packed struct {
	segment
	data  []byte // with room for the head
	keys  []string
	sizes []int32
}

func (p *packer) add(key string, value []byte) {
	last := len(p.segments) - 1
	if last < 0 || len(p.segments[last].data)+len(key)+len(value) > segmentBytes {
		p.segments = append(p.segments, &packed{data: make([]byte, headBytes, headBytes+4096)})
		last++
	}
	s := p.segments[last]
	before := len(s.data)
	s.data = appendBytes(appendBytes(s.data, key), value)
	size := len(s.data) - before
	s.keys, s.sizes = append(s.keys, key), append(s.sizes, int32(size))
	s.count, s.alive, s.live = s.count+1, s.alive+1, s.live+size
}

// finish seals the segments and numbers them from id on.
func (p *packer) finish(id uint64) {
	for i, s := range p.segments {
		s.id, s.size, s.buried = id+uint64(i), len(s.data), make([]byte, (s.count+7)/8)
		s.data = seal(segmentMagic, s.data)
	}
}

// readSegment calls yield for each live record; node is the segment's name in errors.
func readSegment(node string, s *segment, data []byte, yield func(i int, key, value []byte, size int) error) error {
	body, err := unseal(segmentMagic, node, data)
	if err != nil {
		return err
	}
	for i := range s.count {
		key, rest, err := cutBytes(body)
		if err != nil {
			return corrupt(node, err)
		}
		value, rest, err := cutBytes(rest)
		if err != nil {
			return corrupt(node, err)
		}
		size := len(body) - len(rest)
		body = rest
		if s.dead(i) {
			continue
		}
		if err := yield(i, key, value, size); err != nil {
			return err
		}
	}
	if len(body) > 0 {
		return corrupt(node, fmt.Errorf("%d bytes follow its %d records", len(body), s.count))
	}
	return nil
}

// manifest says which segments count and up to where the log is in them. It is
// replaced in the transaction that changes either.
type manifest struct {
	folded   uint64 // last log node whose changes are in segments
	next     uint64 // number of the next segment
	segments []*segment
}

func (m *manifest) encode() []byte {
	b := make([]byte, headBytes, headBytes+64*len(m.segments)+32)
	b = appendNumbers(b, m.folded, m.next, uint64(len(m.segments)))
	for _, s := range m.segments {
		b = appendNumbers(b, s.id, uint64(s.count), uint64(s.size), uint64(s.live), uint64(s.alive))
		if s.alive < s.count {
			b = append(b, s.buried...)
		}
	}
	return seal(manifestMagic, b)
}

func decodeManifest(node string, data []byte) (*manifest, error) {
	if len(data) == 0 {
		return &manifest{}, nil // nothing was folded yet
	}
	body, err := unseal(manifestMagic, node, data)
	if err != nil {
		return nil, err
	}
	r := reader{rest: body}
	m := &manifest{folded: r.number(), next: r.number()}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		s := &segment{id: r.number(), count: int(r.number()), size: int(r.number()), live: int(r.number()), alive: int(r.number())}
		if s.count < 0 || s.count > maxRequest || s.alive < 0 || s.alive > s.count {
			return nil, corrupt(node, fmt.Errorf("segment %d has %d live of %d records", s.id, s.alive, s.count))
		}
		if s.buried = make([]byte, (s.count+7)/8); s.alive < s.count {
			s.buried = slices.Clone(r.bytes(len(s.buried)))
		}
		m.segments = append(m.segments, s)
	}
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("%d bytes too many", len(r.rest))
	}
	if r.err != nil {
		return nil, corrupt(node, r.err)
	}
	return m, nil
}

// drop removes segments without live records and returns them.
func (m *manifest) drop() []*segment {
	var dropped []*segment
	m.segments = slices.DeleteFunc(m.segments, func(s *segment) bool {
		if s.alive == 0 {
			dropped = append(dropped, s)
		}
		return s.alive == 0
	})
	return dropped
}

// sparse are the segments of which less than half is live, emptiest first.
func (m *manifest) sparse() []*segment {
	var sparse []*segment
	for _, s := range m.segments {
		if s.live < segmentBytes/2 {
			sparse = append(sparse, s)
		}
	}
	slices.SortFunc(sparse, func(a, b *segment) int { return a.live - b.live })
	return sparse
}
