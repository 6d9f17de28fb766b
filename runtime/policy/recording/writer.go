package recording

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// ErrFull is the error of a recording that has reached its limit, or was ended.
var ErrFull = errors.New("the recording is full")

// Writer writes one recording. Its methods may be called by many goroutines.
type Writer struct {
	mu    sync.Mutex
	to    io.Writer
	room  int64 // bytes that may still be written
	err   error // the first one, for good
	calls int
	frame []byte // kept to spare the allocation
}

// NewWriter begins a recording of at most limit bytes.
func NewWriter(to io.Writer, limit int64, h Header) (*Writer, error) {
	w := &Writer{to: to, room: limit}
	frame := appendHeader(nil, h)
	start := append([]byte(magic), binary.AppendUvarint(nil, uint64(len(frame)))...)
	w.write(append(start, frame...))
	return w, w.err
}

// Write appends one call, whole or not at all. After an error, such as ErrFull,
// nothing more is written.
func (w *Writer) Write(c Call) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	// The length comes first and is known last; it takes the room left for it.
	const room = binary.MaxVarintLen64
	w.frame = appendCall(append(w.frame[:0], make([]byte, room)...), c)
	size := binary.AppendUvarint(nil, uint64(len(w.frame)-room))
	start := room - len(size)
	copy(w.frame[start:], size)
	if len(w.frame)-room > MaxFrame {
		w.err = ErrFull
		return w.err
	}
	if w.write(w.frame[start:]); w.err == nil {
		w.calls++
	}
	return w.err
}

// write is for callers that hold mu.
func (w *Writer) write(b []byte) {
	if int64(len(b)) > w.room {
		w.err = ErrFull
		return
	}
	w.room -= int64(len(b))
	_, w.err = w.to.Write(b)
}

// End has every later Write answer ErrFull. It returns how many calls were written.
func (w *Writer) End() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = ErrFull
	}
	return w.calls
}
