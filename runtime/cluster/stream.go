package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster/recordio"
)

// stream is one subscription's connection. The loop puts events in; the HTTP handler's goroutine encodes and writes
// them, so a slow reader costs the loop nothing. Events must not be changed once they were sent.
type stream struct {
	id     string
	events chan *scheduler.Event
	cutoff chan struct{} // closed: break the connection off without an end
	once   sync.Once
	torn   bool // with cutoff: leave half a record behind; set before cutoff is closed
	closed bool // by the loop: no event is taken any more
}

func newStream(id string, queue int) *stream {
	return &stream{id: id, events: make(chan *scheduler.Event, queue), cutoff: make(chan struct{})}
}

// send queues an event. A full queue means a reader that does not keep up: its connection is broken off.
func (s *stream) send(e *scheduler.Event) {
	if s.closed {
		return
	}
	select {
	case s.events <- e:
	default:
		s.cut(false)
	}
}

// end lets the reader have what is queued and then ends the body properly.
func (s *stream) end() {
	if !s.closed {
		s.closed = true
		close(s.events)
	}
}

// cut breaks the connection off, leaving half a record behind if torn.
func (s *stream) cut(torn bool) {
	s.once.Do(func() {
		s.torn = torn
		close(s.cutoff)
	})
}

// errCut reports a stream that was broken off from this side.
var errCut = errors.New("cluster: stream cut")

// serve writes the stream's events to w until its end, the reader's, or cut.
func (s *stream) serve(w http.ResponseWriter, r *http.Request, media string, maxRecord int) error {
	out := &recordWriter{w: w, control: http.NewResponseController(w), media: media, max: maxRecord}
	gone := make(chan struct{})
	defer close(gone)
	go func() {
		select {
		case <-s.cutoff:
			// A write that waits for a stalled reader only ends by its deadline.
			_ = out.control.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		case <-gone:
		}
	}()
	for {
		select {
		case <-s.cutoff:
			return out.abandon(s.torn)
		case <-r.Context().Done():
			return r.Context().Err()
		case e, open := <-s.events:
			if !open {
				return nil
			}
			if err := out.write(e, len(s.events) == 0); err != nil {
				return err
			}
		}
	}
}

// recordWriter encodes events and frames them.
type recordWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	media   string
	max     int
	buffer  []byte
}

// write sends one event, as several records if it is one of offers above the limit. Only the last event of a burst needs
// the flush: whatever was written before goes out with it.
func (o *recordWriter) write(e *scheduler.Event, flush bool) error {
	for _, part := range o.split(e) {
		record, err := encode(part, o.media)
		if err != nil {
			return err
		}
		o.buffer = recordio.Append(o.buffer[:0], record)
		if _, err := o.w.Write(o.buffer); err != nil {
			return err
		}
	}
	if !flush {
		return nil
	}
	return o.control.Flush()
}

// split cuts an OFFERS event into ones whose records stay below the limit, at least one offer each.
func (o *recordWriter) split(e *scheduler.Event) []*scheduler.Event {
	if e.Offers == nil || o.max < 0 {
		return []*scheduler.Event{e}
	}
	// The text form takes about four times the room of the binary one: names and punctuation.
	factor := 1
	if o.media == mediaJSON {
		factor = 4
	}
	var parts []*scheduler.Event
	offers, begin, size := e.Offers.Offers, 0, 0
	for i := range offers {
		one := offers[i].Size()*factor + 16
		if i > begin && size+one > o.max {
			parts, begin, size = append(parts, offersEvent(offers[begin:i])), i, 0
		}
		size += one
	}
	return append(parts, offersEvent(offers[begin:]))
}

// abandon gives up the connection in the middle of whatever it was doing.
func (o *recordWriter) abandon(torn bool) error {
	if torn {
		record, err := encode(&scheduler.Event{Type: scheduler.Event_HEARTBEAT}, o.media)
		if err == nil {
			half := bytes.Clone(recordio.Append(nil, record))
			_, _ = o.w.Write(half[:len(half)-1])
			_ = o.control.Flush()
		}
	}
	return errCut
}

// encode is called beside the loop: the time it takes is the reader's.
func encode(e *scheduler.Event, media string) ([]byte, error) {
	var (
		out []byte
		err error
	)
	if media == mediaJSON {
		out, err = e.MarshalJSON()
	} else {
		out, err = e.Marshal()
	}
	if err != nil {
		return nil, fmt.Errorf("cluster: encode %s event: %w", e.Type, err)
	}
	return out, nil
}
