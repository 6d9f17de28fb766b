package wasm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// errClosed is what a closed module's callers get.
const errClosed = closedError("the module is closed")

type closedError string

func (e closedError) Error() string { return string(e) }

// pool holds a fixed number of places for instances. A place is filled when it
// is needed and emptied when its instance failed or has served its time.
type pool struct {
	places chan *instance // nil: an empty place
	build  func(context.Context) (*instance, error)
	limits Limits
	fresh  bool          // every call gets a new instance
	done   chan struct{} // closed when no new calls are let in
	once   sync.Once     // for close
}

func newPool(limits Limits, build func(context.Context) (*instance, error)) *pool {
	p := &pool{places: make(chan *instance, limits.Instances), build: build, limits: limits, done: make(chan struct{})}
	for range limits.Instances {
		p.places <- nil
	}
	return p
}

// with calls the function with an instance, once one is free. An error other
// than a refusal is the end of the instance, and so is a panic of the engine.
func (p *pool) with(ctx context.Context, do func(*instance) error) error {
	in, err := p.take(ctx)
	if err != nil {
		return err
	}
	worn := true
	defer func() {
		if worn {
			in.close(ctx)
			in = nil
		}
		p.places <- in
	}()
	err = do(in)
	in.asked++
	worn = err != nil && !orderly(err) || p.worn(in)
	return err
}

// orderly tells an error that the guest answered in good order.
func orderly(err error) bool {
	_, ok := errors.AsType[*refusal](err)
	return ok
}

func (p *pool) take(ctx context.Context) (*instance, error) {
	select {
	case <-p.done:
		return nil, errClosed
	default:
	}
	in, err := p.wait(ctx)
	if err != nil || in != nil {
		return in, err
	}
	defer func() {
		if in == nil {
			p.places <- nil
		}
	}()
	in, err = p.build(ctx)
	return in, err
}

// wait takes a place.
func (p *pool) wait(ctx context.Context) (*instance, error) {
	select { // without a timer, as nearly always
	case in := <-p.places:
		return in, nil
	default:
	}
	var late <-chan time.Time // never
	if p.limits.Wait > 0 {
		timer := time.NewTimer(p.limits.Wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-p.done:
		return nil, errClosed
	case <-late:
		return nil, &trap{fmt.Sprintf("none of its %d instances was free within %v", p.limits.Instances, p.limits.Wait)}
	case in := <-p.places:
		return in, nil
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

// worn tells an instance that has served its time, or whose memory has grown so far
// that it may soon fail; memory never shrinks.
func (p *pool) worn(in *instance) bool {
	if p.fresh || p.limits.Calls > 0 && in.asked >= p.limits.Calls {
		return true
	}
	mark := uint64(p.limits.HighWater)
	if mark == 0 {
		mark = uint64(p.limits.MemoryPages) * 3 / 4
	}
	size := uint64(in.memory.Size())
	return size > mark<<16 && size > uint64(in.startSize)*2
}
