package process

import (
	"context"
	"errors"
	"sync"
)

// handles are what the host has had prepared.
type handles struct {
	mu   sync.Mutex
	last uint32
	kept map[uint32]*kept
}

// kept is something prepared. It is used by one call at a time: a host that no
// longer waits for an answer may ask again while the call goes on.
type kept struct {
	free    chan struct{} // holds one when it is not in use
	answer  method
	close   func()
	retired bool // only while in use
}

// keep returns the handle. No handle is used twice, as long as there are new ones.
func (h *handles) keep(answer method, close func()) uint32 {
	k := &kept{free: make(chan struct{}, 1), answer: answer, close: close}
	k.free <- struct{}{}
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.last++; h.last == 0 || h.kept[h.last] != nil; h.last++ {
	}
	h.kept[h.last] = k
	return h.last
}

var errNoHandle = errors.New("no such handle")

// take waits until the handle is not in use.
func (h *handles) take(ctx context.Context, handle uint32) (*kept, error) {
	h.mu.Lock()
	k := h.kept[handle]
	h.mu.Unlock()
	if k == nil {
		return nil, errNoHandle
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-k.free:
	}
	if k.retired {
		k.giveBack()
		return nil, errNoHandle
	}
	return k, nil
}

func (k *kept) giveBack() { k.free <- struct{}{} }

// release closes what has the handle, after the call under way, if there is one.
func (h *handles) release(handle uint32) {
	h.mu.Lock()
	k := h.kept[handle]
	delete(h.kept, handle)
	h.mu.Unlock()
	if k == nil {
		return
	}
	<-k.free
	defer k.giveBack()
	k.retired = true
	k.close()
}
