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

// pool lets a fixed number of instances work at the same time. One is made when it is
// needed and none is idle, and closed when it failed or has served its time. The one that
// worked last works next: what it needs is in the processor's cache, and what nobody
// needs is never made.
type pool struct {
	places chan struct{} // taken while an instance works
	mu     sync.Mutex
	idle   []*instance
	build  func(context.Context) (*instance, error)
	limits Limits
	fresh  bool          // every call gets a new instance
	done   chan struct{} // closed when no new calls are let in
	once   sync.Once     // for close
}

func newPool(limits Limits, build func(context.Context) (*instance, error)) *pool {
	return &pool{places: make(chan struct{}, limits.Instances), build: build, limits: limits, done: make(chan struct{})}
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
		p.giveBack(in)
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
	if err := p.wait(ctx); err != nil {
		return nil, err
	}
	if in := p.last(); in != nil {
		return in, nil
	}
	var in *instance
	defer func() {
		if in == nil {
			p.giveBack(nil)
		}
	}()
	in, err := p.build(ctx)
	return in, err
}

// last is the instance that worked last; nil when none is idle.
func (p *pool) last() *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle) - 1
	if n < 0 {
		return nil
	}
	in := p.idle[n]
	p.idle = p.idle[:n]
	return in
}

// giveBack leaves a place, and keeps the instance if there is one.
func (p *pool) giveBack(in *instance) {
	if in != nil {
		p.mu.Lock()
		p.idle = append(p.idle, in)
		p.mu.Unlock()
	}
	<-p.places
}

// wait takes a place.
func (p *pool) wait(ctx context.Context) error {
	select { // without a timer, as nearly always
	case p.places <- struct{}{}:
		return nil
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
		return context.Cause(ctx)
	case <-p.done:
		return errClosed
	case <-late:
		return &trap{fmt.Sprintf("none of its %d instances was free within %v", p.limits.Instances, p.limits.Wait)}
	case p.places <- struct{}{}:
		return nil
	}
}

// close waits for those that work, and closes all. A further call waits for the first.
func (p *pool) close(ctx context.Context) {
	p.once.Do(func() {
		close(p.done)
		for range cap(p.places) {
			p.places <- struct{}{}
		}
		for in := p.last(); in != nil; in = p.last() {
			in.close(ctx)
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
