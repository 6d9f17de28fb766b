package store

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// walReader reads a log that a process has left.
type walReader struct {
	name string
	use  use
}

// read returns the entries after the one numbered folded. An entry of which only
// a part arrived ends the log; anything that a disk cannot have left behind by
// itself is an error.
func (r walReader) read(data []byte, folded uint64) ([]entry, error) {
	sides, err := r.sides(data)
	if err != nil {
		return nil, err
	}
	runs := [2][]entry{r.run(sides[0]), r.run(sides[1])}
	if len(runs[0]) > 0 && len(runs[1]) > 0 && runs[1][0].first < runs[0][0].first {
		runs[0], runs[1] = runs[1], runs[0]
	}
	var entries []entry
	last := folded
	for _, e := range append(runs[0], runs[1]...) {
		if e.first <= folded {
			continue
		}
		if e.first != last+1 {
			return nil, r.missing(last+1, e.first)
		}
		entries, last = append(entries, e), e.last
	}
	return entries, r.nothingAfter(last, sides)
}

// sides checks the header.
func (r walReader) sides(data []byte) (sides [2][]byte, err error) {
	body, err := unseal(headerMagic, r.name, unframe(data))
	if err != nil {
		return sides, err
	}
	h := reader{rest: body}
	salt, side := h.number(), h.number()
	switch {
	case h.err != nil:
		return sides, corrupt(r.name, h.err)
	case salt != r.use.salt:
		return sides, corrupt(r.name, errors.New("it belongs to another state"))
	case side == 0 || side%blockBytes != 0 || len(data) < blockBytes || side > uint64(len(data)) || uint64(len(data)) != uint64(walSize(int64(side))):
		return sides, corrupt(r.name, fmt.Errorf("it has %d bytes, with sides of %d", len(data), side))
	}
	return [2][]byte{data[blockBytes : blockBytes+side], data[blockBytes+side:]}, nil
}

// unframe returns the sealed part of what begins at b, or nothing.
func unframe(b []byte) []byte {
	if len(b) < lengthBytes {
		return nil
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-lengthBytes) {
		return nil
	}
	return b[lengthBytes : lengthBytes+int(n)]
}

// run reads a side from its beginning for as long as there are entries of the term.
// Behind those of the latest round may be some of an earlier one: all are folded.
func (r walReader) run(side []byte) []entry {
	var run []entry
	for len(side) > 0 {
		e, size, ok := r.entry(side, 0)
		if !ok {
			break
		}
		run, side = append(run, e), side[size:]
	}
	return run
}

// entry reads the entry that begins at b, if there is one of this use with a
// number of at least that, and all of it; size is that of its blocks.
func (r walReader) entry(b []byte, least uint64) (e entry, size int, ok bool) {
	sealed := unframe(b)
	if len(sealed) < headBytes {
		return entry{}, 0, false
	}
	// Most of what is no entry is told by its numbers, without a checksum.
	n := reader{rest: sealed[headBytes:]}
	salt, epoch, number := n.number(), int64(n.number()), n.number()
	if n.err != nil || (use{salt, epoch}) != r.use || number < least {
		return entry{}, 0, false
	}
	if _, err := unseal(entryMagic, r.name, sealed); err != nil {
		return entry{}, 0, false
	}
	return entry{first: number, last: number, changes: n.rest}, roundUp(lengthBytes + len(sealed)), true
}

// nothingAfter looks for entries later than the last that was read. An entry is
// written when the one before is durable, so that there is none unless one of
// those that counted was damaged.
func (r walReader) nothingAfter(last uint64, sides [2][]byte) error {
	for _, side := range sides {
		for at := 0; at < len(side); at += blockBytes {
			if e, _, ok := r.entry(side[at:], last+1); ok {
				return r.missing(last+1, e.first)
			}
		}
	}
	return nil
}

func (r walReader) missing(want, got uint64) error {
	return corrupt(r.name, fmt.Errorf("entry %d is missing or damaged, entry %d is there", want, got))
}
