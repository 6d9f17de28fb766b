package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
)

// The forms in ZooKeeper and in the log beside a bbolt file. Every node, and every
// entry of the file, begins with four bytes that say what it is and in which
// version, and the CRC-32C of what follows.
const (
	logMagic      = "PL1\n"
	segmentMagic  = "PS1\n"
	manifestMagic = "PM1\n"
	headerMagic   = "PH1\n"
	entryMagic    = "PE1\n"

	headBytes = 8

	// segmentBytes is how full segments get, unless a single record is larger:
	// large enough to load a hundred times as fast as single nodes, small enough
	// that writing one does not hold up commits. A server also keeps its last 500
	// transactions in memory, at about three times their size: with segments of
	// 512 KiB steady bulk writes would cost it most of a gigabyte.
	segmentBytes = 128 << 10
	// maxPart is the part of a commit that goes into one log node, for the same
	// reasons.
	maxPart = 256 << 10
	// maxRequest bounds the data in one transaction: servers drop the connection
	// of a request of 1 MiB.
	maxRequest = 1000 << 10

	opSet    = 1
	opDelete = 2
)

var errShort = errors.New("it ends too early")

func seal(magic string, body []byte) []byte {
	// body has headBytes of room in front, so that a segment is not copied once more.
	copy(body, magic)
	binary.BigEndian.PutUint32(body[4:], crc32.Checksum(body[headBytes:], crc32.MakeTable(crc32.Castagnoli)))
	return body
}

// unseal checks a node's head and returns its body; node is its name in errors.
func unseal(magic, node string, data []byte) ([]byte, error) {
	switch {
	case len(data) < headBytes:
		return nil, corrupt(node, errShort)
	case string(data[:2]) != magic[:2]:
		return nil, corrupt(node, fmt.Errorf("it begins with %q instead of %q", data[:4], magic))
	case string(data[:4]) != magic:
		return nil, fmt.Errorf("store: %s has format %q, this version reads %q: was it written by a later version?", node, data[:4], magic)
	}
	body := data[headBytes:]
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(data[4:]) {
		return nil, corrupt(node, errors.New("its checksum is wrong"))
	}
	return body, nil
}

func corrupt(node string, cause error) error {
	return fmt.Errorf("store: %s: %w: %w", node, ErrCorrupt, cause)
}

// appendChanges is the form of a commit in the log.
func appendChanges(b []byte, changes []Change) []byte {
	for _, c := range changes {
		if c.Value == nil {
			b = appendBytes(append(b, opDelete), c.Key)
			continue
		}
		b = appendBytes(appendBytes(append(b, opSet), c.Key), c.Value)
	}
	return b
}

// sizeOf is how many bytes appendChanges appends.
func sizeOf(changes []Change) int {
	field := func(n int) int { return (bits.Len(uint(n)|1)+6)/7 + n }
	size := 0
	for _, c := range changes {
		size += 1 + field(len(c.Key))
		if c.Value != nil {
			size += field(len(c.Value))
		}
	}
	return size
}

// readChanges calls yield for each change of a commit, in order; a nil value
// removes. Values are parts of b.
func readChanges(b []byte, yield func(key string, value []byte)) error {
	for len(b) > 0 {
		op := b[0]
		key, rest, err := cutBytes(b[1:])
		if err != nil {
			return err
		}
		switch op {
		case opDelete:
			b = rest
			yield(string(key), nil)
		case opSet:
			var value []byte
			if value, b, err = cutBytes(rest); err != nil {
				return err
			}
			yield(string(key), value)
		default:
			return fmt.Errorf("unknown operation %d", op)
		}
	}
	return nil
}

func appendNumbers(b []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func appendBytes[T string | []byte](b []byte, field T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(field))), field...)
}

// cutBytes reads what appendBytes wrote; the field is never nil.
func cutBytes(b []byte) (field, rest []byte, err error) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return nil, nil, errShort
	}
	end := width + int(n)
	return b[width:end:end], b[end:], nil
}

// reader takes numbers off a body and remembers the first failure.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) number() uint64 {
	n, width := binary.Uvarint(r.rest)
	if width <= 0 {
		r.rest, r.err = nil, errShort
		return 0
	}
	r.rest = r.rest[width:]
	return n
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.rest, r.err = nil, errShort
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}
