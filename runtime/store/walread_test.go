package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// pendingLog is a log with entries numbered 1 to n in blocks of their own, from
// the first side on into the second, none of which is folded.
func pendingLog(n int, u use) (data []byte, changes [][]byte) {
	w := &wal{use: u, side: smallSide, next: 1}
	data = frame(headerMagic, appendNumbers(make([]byte, lengthBytes+headBytes), u.salt, smallSide))
	for i := range n {
		e, block := w.encode([]Change{{fmt.Sprint("k", i), []byte(strings.Repeat("v", 100*i))}, {Key: "gone"}})
		data, changes, w.next = append(data, block...), append(changes, e.changes), w.next+1
	}
	return append(data, make([]byte, walSize(smallSide)-int64(len(data)))...), changes
}

var testUse = use{salt: 0xfeedface, epoch: 3}

// TestDamageOfTheLogIsNamed: a log that its process cannot have left like that is
// refused. An entry that others follow was acknowledged.
func TestDamageOfTheLogIsNamed(t *testing.T) {
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= 1; return b }
	}
	entryAt := func(n int) int { return n * blockBytes } // of the one numbered n
	for what, c := range map[string]struct {
		damage func([]byte) []byte
		want   string
	}{
		"length of the header":    {flip(3), "checksum"},
		"header":                  {flip(lengthBytes + headBytes), "checksum"},
		"header of zeros":         {func(b []byte) []byte { clear(b[:blockBytes]); return b }, "ends too early"},
		"another file":            {func(b []byte) []byte { copy(b[lengthBytes:], "something else"); return b }, "instead of"},
		"the first byte alone":    {func(b []byte) []byte { return b[:1] }, "ends too early"},
		"a side is cut off":       {func(b []byte) []byte { return b[:blockBytes+smallSide] }, "with sides of"},
		"a block is cut off":      {func(b []byte) []byte { return b[:len(b)-blockBytes] }, "with sides of"},
		"something follows":       {func(b []byte) []byte { return append(b, 0) }, "with sides of"},
		"first entry":             {flip(entryAt(1) + lengthBytes + headBytes), "entry 1 is missing"},
		"length of the second":    {flip(entryAt(2) + 1), "entry 2 is missing"},
		"entry in the middle":     {flip(entryAt(3) + 40), "entry 3 is missing"},
		"last of the first side":  {flip(entryAt(4) + 40), "entry 4 is missing"},
		"first of the second":     {flip(entryAt(5) + 40), "entry 5 is missing"},
		"the last but one":        {flip(entryAt(5)), "entry 5 is missing"},
		"the first side is blank": {func(b []byte) []byte { clear(b[blockBytes : blockBytes+smallSide]); return b }, "entry 1 is missing"},
	} {
		data, _ := pendingLog(6, testUse)
		_, err := walReader{"/state.wal", testUse}.read(c.damage(data), 0)
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(fmt.Sprint(err), "/state.wal") || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: error %v, want one that says %q", what, err, c.want)
		}
	}
}

// TestTheLastEntryMayBeTorn cuts it off at each of its sectors, and alters each of
// its bytes: it is as if it had never been written.
func TestTheLastEntryMayBeTorn(t *testing.T) {
	whole, changes := pendingLog(6, testUse)
	end := 6*blockBytes + lengthBytes + int(binary.BigEndian.Uint32(whole[6*blockBytes:]))
	for at := 6 * blockBytes; at < end; at++ {
		data := bytes.Clone(whole)
		data[at] ^= 0x40
		if at%sector == 0 {
			clear(data[at:])
		}
		entries, err := walReader{"log", testUse}.read(data, 0)
		if err != nil || len(entries) != 5 || !bytes.Equal(entries[4].changes, changes[4]) {
			t.Fatalf("torn at byte %d: %d entries, %v", at-6*blockBytes, len(entries), err)
		}
	}
}

// TestOnlyEntriesOfTheTermCount reads logs with the right checksums and the wrong
// numbers.
func TestOnlyEntriesOfTheTermCount(t *testing.T) {
	data, changes := pendingLog(6, testUse)
	read := func(u use, folded uint64) ([]entry, error) {
		// The header is that of the reader's use: entries decide.
		log := append(frame(headerMagic, appendNumbers(make([]byte, lengthBytes+headBytes), u.salt, smallSide)), data[blockBytes:]...)
		return walReader{"log", u}.read(log, folded)
	}
	for what, u := range map[string]use{"salt": {testUse.salt + 1, testUse.epoch}, "epoch": {testUse.salt, testUse.epoch + 1}} {
		if entries, err := read(u, 0); err != nil || len(entries) > 0 {
			t.Errorf("another %s: %d entries, %v", what, len(entries), err)
		}
	}
	for folded := range 7 {
		entries, err := read(testUse, uint64(folded))
		if err != nil || len(entries) != 6-folded {
			t.Fatalf("%d are folded: %d entries, %v", folded, len(entries), err)
		}
		for i, e := range entries {
			if e.last != uint64(folded+i+1) || !bytes.Equal(e.changes, changes[folded+i]) {
				t.Errorf("%d are folded: entry %d is not what was written", folded, e.last)
			}
		}
	}
	if _, err := (walReader{"log", use{7, 3}}).read(data, 0); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a header of another salt: %v", err)
	}
	// The state is that of a backup, the log went on.
	log, _ := pendingLog(6, testUse)
	copy(log[blockBytes:], make([]byte, 2*blockBytes))
	if _, err := (walReader{"log", testUse}).read(log, 1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a gap between the state and the log: %v", err)
	}
}

// TestALogOfALaterVersionIsNotCalledDamage also for entries: they are read only
// below a header of this version.
func TestALogOfALaterVersionIsNotCalledDamage(t *testing.T) {
	data, _ := pendingLog(1, testUse)
	copy(data[lengthBytes:], "PH2\n")
	if _, err := (walReader{"log", testUse}).read(data, 0); err == nil || errors.Is(err, ErrCorrupt) {
		t.Errorf("error %v, want one about the version", err)
	}
}

// FuzzWALReader damages a log, and gives the reader bodies that nobody wrote, with
// the right checksum: it refuses what it gets as corrupt or reads the oldest
// entries as they were written, and leaves out none but the last.
func FuzzWALReader(f *testing.F) {
	f.Add(uint32(0), byte(0), []byte(nil))
	f.Add(uint32(6*blockBytes+30), byte(1), []byte("torn"))
	f.Add(uint32(2*blockBytes), byte(0xff), make([]byte, 16))
	f.Add(uint32(7*blockBytes), byte(0), appendNumbers(nil, testUse.salt, uint64(testUse.epoch), 7, opSet, 1, 'k', 1, 'v'))
	whole, changes := pendingLog(6, testUse)
	f.Fuzz(func(t *testing.T, at uint32, mask byte, over []byte) {
		r := walReader{"log", testUse}
		data := slices.Clone(whole)
		data[int(at)%len(data)] ^= mask
		copy(data[int(at)%len(data):], over)
		entries, err := r.read(data, 0)
		switch {
		case err != nil && !errors.Is(err, ErrCorrupt) && string(data[lengthBytes:lengthBytes+2]) != headerMagic[:2]:
			t.Fatal(err)
		case err == nil && len(entries) < 5:
			t.Fatalf("%d entries are left without an error", len(entries))
		}
		for i, e := range entries {
			if e.last != uint64(i+1) || i < len(changes) && !bytes.Equal(e.changes, changes[i]) {
				t.Fatalf("entry %d is not what was written", i+1)
			}
		}
		// With the right checksum, as the entry after the last and as a header.
		block := frame(entryMagic, append(make([]byte, lengthBytes+headBytes), over...))
		if log := slices.Clone(whole); len(block) <= 2*blockBytes {
			copy(log[7*blockBytes:], block)
			entries, err := r.read(log, 0)
			if err == nil {
				_, err = overlay(entries, func(n uint64) string { return fmt.Sprint(n) })
			}
			if err != nil && !errors.Is(err, ErrCorrupt) || err == nil && len(entries) < 6 {
				t.Fatalf("%d entries, %v", len(entries), err)
			}
		}
		header := frame(headerMagic, append(make([]byte, lengthBytes+headBytes), over...))
		if _, err := r.read(append(header, whole[blockBytes:]...), 0); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
	})
}
