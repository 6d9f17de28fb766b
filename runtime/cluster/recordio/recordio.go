// Package recordio frames messages on a stream the way Mesos' HTTP APIs do: the length of a record in decimal ASCII, one
// line feed, then that many bytes, and nothing after them. Records are independent of the chunks that carry them.
package recordio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxDigits bounds the length line: no record is longer than a 19-digit number of bytes, and a peer that never sends
// its line feed must not make the reader buffer without end.
const maxDigits = 19

// ErrTooLong reports a record whose announced length is above the reader's limit. The stream is unusable afterwards.
var ErrTooLong = errors.New("recordio: record is too long")

// Append appends the frame of record to dst and returns the longer slice.
func Append(dst, record []byte) []byte {
	dst = strconv.AppendInt(dst, int64(len(record)), 10)
	dst = append(dst, '\n')
	return append(dst, record...)
}

// Reader takes records off a stream. It is not safe for concurrent use.
type Reader struct {
	in    *bufio.Reader
	limit int
}

// NewReader reads records of at most limit bytes from in; limit 0 means no bound but the size of an int.
func NewReader(in io.Reader, limit int) *Reader {
	return &Reader{in: bufio.NewReader(in), limit: limit}
}

// Read returns the next record, in memory of its own. It returns io.EOF at a clean end between records,
// io.ErrUnexpectedEOF for a stream cut inside one, and an error that wraps ErrTooLong for a record over the limit.
func (r *Reader) Read() ([]byte, error) {
	size, err := r.length()
	if err != nil {
		return nil, err
	}
	if r.limit > 0 && size > r.limit {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLong, size, r.limit)
	}
	// The announced length is not trusted with memory before the bytes are there: the buffer grows as they come.
	record := make([]byte, min(size, 64<<10))
	if _, err := io.ReadFull(r.in, record); err != nil {
		return nil, unexpected(err)
	}
	for len(record) < size {
		step := min(size-len(record), max(len(record), 64<<10))
		record = append(record, make([]byte, step)...)
		if _, err := io.ReadFull(r.in, record[len(record)-step:]); err != nil {
			return nil, unexpected(err)
		}
	}
	return record, nil
}

// length reads the line that announces a record.
func (r *Reader) length() (int, error) {
	size, digits := 0, 0
	for {
		c, err := r.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && digits == 0:
			return 0, io.EOF
		case err != nil:
			return 0, unexpected(err)
		case c == '\n' && digits > 0:
			return size, nil
		case c < '0' || c > '9':
			return 0, fmt.Errorf("recordio: length line has byte %q, expected a digit", c)
		case digits == maxDigits:
			return 0, fmt.Errorf("%w: length line has more than %d digits", ErrTooLong, maxDigits)
		}
		digits++
		if size > (int(^uint(0)>>1)-9)/10 {
			return 0, fmt.Errorf("%w: length does not fit an int", ErrTooLong)
		}
		size = size*10 + int(c-'0')
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
