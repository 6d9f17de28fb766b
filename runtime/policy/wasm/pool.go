package wasm

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
// needs is never made. Those that wait for a place get it in the order in which they came.
type pool struct {
	build  func(context.Context) (*instance, error)
	limits Limits
	fresh  bool          // every call gets a new instance
	closed chan struct{} // closed when no new calls are let in
	once   sync.Once     // for close

	mu      sync.Mutex
	idle    []*instance
	working int             // places taken, by those that make an instance as well
	waiting []chan struct{} // closed when it gets the place of another
	left    *sync.Cond      // that a place was left, once closed
}

func newPool(limits Limits, build func(context.Context) (*instance, error)) *pool {
	p := &pool{build: build, limits: limits, closed: make(chan struct{})}
	p.left = sync.NewCond(&p.mu)
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
	p.mu.Lock()
	select {
	case <-p.closed:
		p.mu.Unlock()
		return nil, errClosed
	default:
	}
	if p.working == p.limits.Instances {
		turn := make(chan struct{})
		p.waiting = append(p.waiting, turn)
		p.mu.Unlock()
		if err := p.wait(ctx, turn); err != nil {
			return nil, err
		}
		p.mu.Lock()
	} else {
		p.working++
	}
	in := p.last()
	p.mu.Unlock()
	if in != nil {
		return in, nil
	}
	return p.make(ctx)
}

// last takes the instance that worked last; nil when none is idle.
func (p *pool) last() *instance {
	n := len(p.idle) - 1
	if n < 0 {
		return nil
	}
	in := p.idle[n]
	p.idle[n] = nil // one that is closed must not be kept from being collected
	p.idle = p.idle[:n]
	return in
}

// make builds an instance for the place that was taken.
func (p *pool) make(ctx context.Context) (in *instance, err error) {
	defer func() {
		if in == nil {
			p.giveBack(nil)
		}
	}()
	return p.build(ctx)
}

// giveBack leaves a place to the one that waits for longest, and keeps the instance if
// there is one.
func (p *pool) giveBack(in *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if in != nil {
		p.idle = append(p.idle, in)
	}
	if len(p.waiting) > 0 {
		close(p.waiting[0])
		p.waiting = slices.Delete(p.waiting, 0, 1)
		return
	}
	p.working--
	p.left.Broadcast()
}

// wait returns when it is the caller's turn, whose place it has then.
func (p *pool) wait(ctx context.Context, turn chan struct{}) (err error) {
	var late <-chan time.Time // never
	if p.limits.Wait > 0 {
		timer := time.NewTimer(p.limits.Wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-p.closed:
		err = errClosed
	case <-late:
		err = &trap{fmt.Sprintf("none of its %d instances was free within %v", p.limits.Instances, p.limits.Wait)}
	}
	p.mu.Lock()
	at := slices.Index(p.waiting, turn)
	if at >= 0 {
		p.waiting = slices.Delete(p.waiting, at, at+1)
	}
	p.mu.Unlock()
	if at < 0 { // its turn came at the same moment
		p.giveBack(nil)
	}
	return err
}

// close waits for those that work, and closes all. A further call waits for the first.
func (p *pool) close(ctx context.Context) {
	p.once.Do(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		close(p.closed)
		for p.working > 0 {
			p.left.Wait()
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
