package policy

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/pacer-run/pacer/runtime/policy/recording"
	"github.com/pacer-run/pacer/sdk/wire"
)

// recordQueue is how many calls may wait to be written; more are left out.
const recordQueue = 1024

// recorder writes what it hears, in the goroutine of Record: those who ask modules
// must not wait for a disk or a network.
type recorder struct {
	queue   chan call
	dropped atomic.Uint64
}

// heard implements listener.
func (r *recorder) heard(c call) {
	select {
	case r.queue <- c:
	default:
		r.dropped.Add(1)
	}
}

// Recorded is what came of a recording.
type Recorded struct {
	Calls   int    // written
	Dropped uint64 // left out, because writing did not keep up
	Full    bool   // it ended at its limit
}

// Record writes what passes between Pacer and a module, in the form of package
// recording, until ctx ends or limit bytes are written. It begins with what is prepared
// anew. The error is an *Unknown, a *WrongState, or that of to.
func (c *Catalog) Record(ctx context.Context, name string, to io.Writer, limit int64) (Recorded, error) {
	o, err := c.named(name)
	if err != nil {
		return Recorded{}, err
	}
	r := &recorder{queue: make(chan call, recordQueue)}
	c.mu.Lock()
	v := o.current
	if v == nil || o.state != Active {
		state := o.state
		c.mu.Unlock()
		if o.builtin {
			return Recorded{}, wrongState("%s is built in: it is asked without messages", name)
		}
		return Recorded{}, wrongState("the policy module %s is %s: it is not asked", name, state)
	}
	header := recording.Header{
		Module: o.id(), Digest: v.digest, Description: wire.AppendDescription(nil, v.tap.Description()),
		Settings: string(o.config.Settings), BeganMillis: c.config.Now().UnixMilli(),
	}
	w, err := recording.NewWriter(to, limit, header)
	if err == nil {
		c.listen(o, r)
	}
	c.mu.Unlock()
	if err != nil {
		return Recorded{}, err
	}
	defer c.set(o, func() { o.hear.remove(r) })
	return r.write(ctx, c.ctx, w)
}

// write ends with either context.
func (r *recorder) write(ctx, catalog context.Context, w *recording.Writer) (Recorded, error) {
	known := map[uint64]bool{}
	var err error
	for err == nil {
		select {
		case c := <-r.queue:
			err = r.frame(w, c, known)
			continue
		case <-ctx.Done():
		case <-catalog.Done():
		}
		break
	}
	for range len(r.queue) { // what was called before the end
		if err == nil {
			err = r.frame(w, <-r.queue, known)
		}
	}
	out := Recorded{Calls: w.End(), Dropped: r.dropped.Load(), Full: errors.Is(err, recording.ErrFull)}
	if out.Full {
		err = nil
	}
	return out, err
}

// frame writes one call. What was prepared before the recording is introduced.
func (r *recorder) frame(w *recording.Writer, c call, known map[uint64]bool) error {
	switch {
	case c.Op == recording.Ask && !known[c.Prepared]:
		prepare := recording.Call{
			Op: recording.Prepare, Kind: c.Kind, Prepared: c.Prepared, Input: c.spec, Traits: c.Traits, AtMillis: c.AtMillis,
		}
		if err := w.Write(prepare); err != nil {
			return err
		}
		known[c.Prepared] = true
	case c.Op == recording.Release && !known[c.Prepared]:
		return nil
	case c.Op == recording.Release:
		delete(known, c.Prepared)
	case c.Op == recording.Prepare:
		known[c.Prepared] = true
	}
	if c.Op != recording.Prepare {
		c.Traits = 0
	}
	return w.Write(c.Call)
}
