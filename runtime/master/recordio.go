package master

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// maxRecord bounds one record. Ten thousand offers are some 5 MB: what is far
// beyond that is no event but a broken stream, which must not take all memory.
const maxRecord = 256 << 20

// Memory of a long record is not kept for the short ones that follow.
const keptRecord = 8 << 20

// errRecordTooLong reports an announced length above the limit.
var errRecordTooLong = errors.New("record is too long")

// records takes records off a stream of RecordIO: the length in decimal digits, a
// line feed, that many bytes. Records do not follow the borders of HTTP's chunks.
type records struct {
	in    *bufio.Reader
	limit int
	buf   []byte
}

func newRecords(in io.Reader, limit int) *records {
	return &records{in: bufio.NewReaderSize(in, 64<<10), limit: limit}
}

// next returns the next record, which is valid until the call after. The error is
// io.EOF at an end between records and io.ErrUnexpectedEOF for a cut inside one.
func (r *records) next() ([]byte, error) {
	size, err := r.length()
	if err != nil {
		return nil, err
	}
	if cap(r.buf) > keptRecord {
		r.buf = nil
	}
	// The announced length gets no memory before the bytes are there: the buffer at
	// most doubles with each piece that came.
	r.buf = r.buf[:0]
	for len(r.buf) < size {
		have := len(r.buf)
		step := min(size-have, max(have, 64<<10, cap(r.buf)-have))
		r.buf = append(r.buf, make([]byte, step)...)
		if _, err := io.ReadFull(r.in, r.buf[have:]); err != nil {
			return nil, cutOff(err)
		}
	}
	return r.buf, nil
}

// length reads the line in front of a record.
func (r *records) length() (int, error) {
	size, digits := 0, 0
	for {
		c, err := r.in.ReadByte()
		switch {
		case err == io.EOF && digits == 0:
			return 0, io.EOF
		case err != nil:
			return 0, cutOff(err)
		case c == '\n' && digits > 0:
			return size, nil
		case c < '0' || c > '9':
			return 0, fmt.Errorf("record length: found byte %q, expected digits and a line feed", c)
		}
		digits++
		size = size*10 + int(c-'0')
		if size > r.limit {
			return 0, fmt.Errorf("%w: at least %d bytes, the limit is %d", errRecordTooLong, size, r.limit)
		}
		if digits > 20 { // zeros without end
			return 0, fmt.Errorf("%w: its length has more than 20 digits", errRecordTooLong)
		}
	}
}

// cutOff tells an end inside a record from one between two.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
