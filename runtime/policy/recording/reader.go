package recording

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Reader reads one recording. It is used by one goroutine at a time.
type Reader struct {
	Header Header
	from   *bufio.Reader
	frames int
}

// ErrNone is that of what is no recording at all.
var ErrNone = errors.New("not a recording: it does not start with " + magic)

// NewReader reads the header.
func NewReader(from io.Reader) (*Reader, error) {
	r := &Reader{from: bufio.NewReader(from)}
	start := make([]byte, len(magic))
	n, err := io.ReadFull(r.from, start)
	if n == 0 || !strings.HasPrefix(magic, string(start[:n])) {
		return nil, ErrNone
	}
	var frame []byte
	if err == nil {
		frame, err = r.frame()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.New("the recording is cut off in its header")
	}
	if err != nil {
		return nil, fmt.Errorf("the recording's header: %w", err)
	}
	var version uint64
	if r.Header, version, err = decodeHeader(frame); err != nil {
		return nil, fmt.Errorf("the recording's header: %w", err)
	}
	if version != format {
		return nil, fmt.Errorf("a recording of format %d; format %d is known", version, format)
	}
	return r, nil
}

// Next returns the next call. The error is io.EOF at the end, and
// io.ErrUnexpectedEOF where the recording was cut off; what was read before is good.
func (r *Reader) Next() (Call, error) {
	frame, err := r.frame()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Call{}, err
	}
	var c Call
	if err == nil {
		c, err = decodeCall(frame)
	}
	if err != nil {
		return Call{}, fmt.Errorf("frame %d of the recording: %w", r.frames, err)
	}
	return c, nil
}

// frame is the next one. It grows with what is there and not by what its length
// says alone.
func (r *Reader) frame() ([]byte, error) {
	size, err := binary.ReadUvarint(r.from)
	if err != nil {
		return nil, err
	}
	r.frames++
	if size > MaxFrame {
		return nil, fmt.Errorf("it is %d bytes long; the limit is %d", size, MaxFrame)
	}
	frame, err := io.ReadAll(io.LimitReader(r.from, int64(size)))
	if err == nil && uint64(len(frame)) < size {
		err = io.ErrUnexpectedEOF
	}
	return frame, err
}
