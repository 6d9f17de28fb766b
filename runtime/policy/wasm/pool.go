package wasm

import (
	"context"
	"errors"
	"sync"
)

// errClosed is what a closed module's callers get.
const errClosed = closedError("the module is closed")

type closedError string

func (e closedError) Error() string { return string(e) }

// pool holds a fixed number of places for instances. A place is filled when it
// is needed and emptied when its instance failed.
type pool struct {
	places chan *instance // nil: an empty place
	build  func(context.Context) (*instance, error)
	done   chan struct{} // closed when no new calls are let in
	once   sync.Once     // for close
}

func newPool(places int, build func(context.Context) (*instance, error)) *pool {
	p := &pool{places: make(chan *instance, places), build: build, done: make(chan struct{})}
	for range places {
		p.places <- nil
	}
	return p
}

// with calls the function with an instance, once one is free. An error other
// than a refusal is the end of the instance.
func (p *pool) with(ctx context.Context, do func(*instance) error) error {
	in, err := p.take(ctx)
	if err != nil {
		return err
	}
	err = do(in)
	var refused *refusal
	if err != nil && !errors.As(err, &refused) || in.bloated() {
		in.close(ctx)
		in = nil
	}
	p.places <- in
	return err
}

func (p *pool) take(ctx context.Context) (*instance, error) {
	select {
	case <-p.done:
		return nil, errClosed
	default:
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-p.done:
		return nil, errClosed
	case in := <-p.places:
		if in != nil {
			return in, nil
		}
		in, err := p.build(ctx)
		if err != nil {
			p.places <- nil
		}
		return in, err
	}
}

// close waits for each place and empties it. A further call waits for the first.
func (p *pool) close(ctx context.Context) {
	p.once.Do(func() {
		close(p.done)
		for range cap(p.places) {
			if in := <-p.places; in != nil {
				in.close(ctx)
			}
		}
	})
}

// bloated tells an instance whose memory has grown so near to the limit that it
// may soon fail; memory never shrinks, so it is replaced.
func (in *instance) bloated() bool {
	limit := uint64(in.module.limits.MemoryPages) << 16
	return uint64(in.memory.Size()) > limit-limit/4 && in.memory.Size() > in.startSize*2
}
