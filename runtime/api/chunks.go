package api

import (
	"net/http"
	"strconv"
	"sync"
)

// chunkBytes is how much of an answer is put together before it is written: enough
// for the cost of a write to be small, and little enough to stay in a cache.
const chunkBytes = 64 << 10

// chunks is a JSON answer on its way out, which is never as a whole in memory.
// Whoever makes it appends to b, and calls spill now and then.
type chunks struct {
	b []byte

	w       http.ResponseWriter
	started bool
	err     error // the client is gone
}

// buffers lends the memory of chunks.
type buffers struct{ pool sync.Pool }

// answer sends what write makes. length is that of the whole; -1 when nobody knows.
func (p *buffers) answer(w http.ResponseWriter, length int, write func(*chunks)) {
	c, ok := p.pool.Get().(*chunks)
	if !ok {
		c = &chunks{b: make([]byte, 0, chunkBytes+chunkBytes/8)}
	}
	c.w, c.started, c.err = w, false, nil
	w.Header().Set("Content-Type", "application/json")
	if length >= 0 {
		w.Header().Set("Content-Length", strconv.Itoa(length))
	}
	write(c)
	if !c.started && length < 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(c.b)))
	}
	c.send()
	if c.w = nil; cap(c.b) <= 4*chunkBytes { // one long text must not be held for ever
		p.pool.Put(c)
	}
}

// spill writes what has come together when that is enough. False says that nobody
// waits for the rest.
func (c *chunks) spill() bool {
	if len(c.b) >= chunkBytes {
		c.send()
	}
	return c.err == nil
}

func (c *chunks) send() {
	if c.err == nil {
		c.started = true
		_, c.err = c.w.Write(c.b)
	}
	c.b = c.b[:0]
}

// apps appends the apps of a list, with commas between them.
func (c *chunks) apps(list []*appText, e embeds) {
	for n, t := range list {
		if n > 0 {
			c.b = append(c.b, ',')
		}
		c.b = t.append(c.b, e)
		if !c.spill() {
			return
		}
	}
}
