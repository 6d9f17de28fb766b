package store

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// The log beside a bbolt file is a file of one size: a block with the header, and
// two sides that are written in turns, each from its beginning. An entry is the
// length of what follows, the sealed form of one commit, and zeros up to the end
// of its last block.
//
// Only the side at work is written. It is left for the other when the next entry
// does not fit, and by then what was in the other is in the bbolt file. So no
// write ever touches an entry, nor a block with a part of one, that still counts.
//
// What counts is told by three numbers. The salt is drawn when a process begins to
// write a log, and is in the header, in each entry and in the bbolt file: neither
// the log of another state nor an older use of this one passes for it. The epoch
// is that of the term, which begins with an empty log. The entry's own number is
// one more than that of the entry before, over both sides, and entries up to the
// number in the bbolt file are folded. Whatever else is in a side is free space.
const (
	blockBytes  = 4 << 10 // disks and file systems write no less at a time
	sideBytes   = 4 << 20
	lengthBytes = 4
)

// use is one term's use of a log.
type use struct {
	salt  uint64
	epoch int64
}

// wal is a log open for writing.
type wal struct {
	file logFile
	use  use
	side int64  // bytes of a side
	next uint64 // number of the next entry

	active  int        // side at work
	at      int64      // where in it the next entry goes
	entries [2][]entry // of each side, as far as they are not known to be folded
}

func walSize(side int64) int64 { return blockBytes + 2*side }

// openWAL writes a new header: whatever was in the log counts no more.
func openWAL(m medium, side int64, salt uint64) (*wal, error) {
	file, err := m.Open(walSize(side))
	if err != nil {
		return nil, err
	}
	w := &wal{file: file, use: use{salt: salt}, side: side, next: 1}
	head := appendNumbers(make([]byte, lengthBytes+headBytes), salt, uint64(side))
	if err := w.write(frame(headerMagic, head), 0); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return w, nil
}

// frame finishes a header or an entry, whose body has room for the length and the
// head in front.
func frame(magic string, b []byte) []byte {
	seal(magic, b[lengthBytes:])
	binary.BigEndian.PutUint32(b, uint32(len(b)-lengthBytes))
	return append(b, make([]byte, roundUp(len(b))-len(b))...)
}

func roundUp(n int) int { return (n + blockBytes - 1) / blockBytes * blockBytes }

// encode is the next entry; its changes are a part of the block that is to be
// written.
func (w *wal) encode(changes []Change) (e entry, block []byte) {
	const numbers = 3 * binary.MaxVarintLen64
	b := make([]byte, lengthBytes+headBytes, roundUp(lengthBytes+headBytes+numbers+sizeOf(changes)))
	b = appendNumbers(b, w.use.salt, uint64(w.use.epoch), w.next)
	begin := len(b)
	b = appendChanges(b, changes)
	e = entry{first: w.next, last: w.next, changes: b[begin:len(b):len(b)]}
	return e, frame(entryMagic, b)
}

// fits says whether the side at work has room for the block.
func (w *wal) fits(block []byte) bool { return w.at+int64(len(block)) <= w.side }

// append writes an entry that fits, durably.
func (w *wal) append(e entry, block []byte) error {
	if err := w.write(block, blockBytes+int64(w.active)*w.side+w.at); err != nil {
		return fmt.Errorf("entry %d: %w", e.last, err)
	}
	w.next, w.at = e.last+1, w.at+int64(len(block))
	w.entries[w.active] = append(w.entries[w.active], e)
	return nil
}

func (w *wal) write(block []byte, at int64) error {
	if _, err := w.file.WriteAt(block, at); err != nil {
		return err
	}
	return w.file.Sync()
}

// swap goes on with the other side, of which everything is folded, and returns
// what is to be folded next.
func (w *wal) swap() []entry {
	left := w.entries[w.active]
	w.active, w.at = 1-w.active, 0
	w.entries[w.active] = nil
	return left
}

// empty notes that all entries before the next are folded.
func (w *wal) empty(next uint64) {
	w.entries, w.active, w.at, w.next = [2][]entry{}, 0, 0, next
}

// pending are the entries not known to be folded, oldest first.
func (w *wal) pending() []entry {
	resting := w.entries[1-w.active]
	return append(slices.Clip(resting), w.entries[w.active]...)
}
