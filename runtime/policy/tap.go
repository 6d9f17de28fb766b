package policy

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/recording"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// listener hears what passes between Pacer and a module. heard is called by the
// goroutine that asks, after the answer: it must not wait. What call refers to is
// the listener's to keep, but not to change.
type listener interface{ heard(call) }

// call is one call and its answer.
type call struct {
	recording.Call
	spec []byte // of an ask: what was prepared
}

// tap is a module whose calls are measured and may be listened to.
type tap struct {
	remote.Module
	nanos, fuel histogram
	// listeners are those of the module that this is a version of.
	listeners atomic.Pointer[listeners]
	prepared  *atomic.Uint64 // the number of what the catalog's modules prepared last
}

// listeners is a list that is replaced as a whole; it is looked at in every call.
type listeners struct{ list atomic.Pointer[[]listener] }

func (l *listeners) all() []listener {
	if list := l.list.Load(); list != nil {
		return *list
	}
	return nil
}

// add and remove are for callers that hold the catalog's lock.
func (l *listeners) add(x listener) {
	list := append(append([]listener(nil), l.all()...), x)
	l.list.Store(&list)
}

func (l *listeners) remove(x listener) {
	var list []listener
	for _, other := range l.all() {
		if other != x {
			list = append(list, other)
		}
	}
	l.list.Store(&list)
}

// measure makes one call. c has what is known before it; the rest is filled in.
func (t *tap) measure(c *recording.Call, f func() error, last func() (remote.Metered, bool)) error {
	before, begin := t.FuelUsed(), time.Now()
	err := f()
	c.Nanos = int64(time.Since(begin))
	c.Fuel = max(0, t.FuelUsed()-before) // with what others used meanwhile
	if m, ok := last(); ok {
		c.Fuel = m.LastFuel()
	}
	t.nanos.observe(c.Nanos)
	t.fuel.observe(c.Fuel)
	c.Failure, c.Cause = failureOf(err)
	c.AtMillis = begin.UnixMilli()
	return err
}

// failureOf is how a recording tells an error; a caller that gave up is told as a
// fault.
func failureOf(err error) (recording.Failure, string) {
	if err == nil {
		return recording.None, ""
	}
	if invalid, ok := errors.AsType[*sdk.Invalid](err); ok {
		return recording.Invalid, invalid.Message
	}
	if fault, ok := errors.AsType[*sdk.Fault](err); ok {
		return recording.Fault, fault.Cause
	}
	return recording.Fault, err.Error()
}

// gaveUp tells whether a call ended because of its caller and not of the module.
func gaveUp(ctx context.Context, err error) bool {
	_, fault := errors.AsType[*sdk.Fault](err)
	return err != nil && ctx.Err() != nil && !fault
}

func tell(list []listener, c call) {
	for _, l := range list {
		l.heard(c)
	}
}

func never() (remote.Metered, bool) { return nil, false }

// Prepare implements remote.Module.
func (t *tap) Prepare(ctx context.Context, kind remote.Kind, spec []byte) (remote.Prepared, error) {
	c := call{Call: recording.Call{Op: recording.Prepare, Kind: kind, Input: spec}, spec: spec}
	var inner remote.Prepared
	err := t.measure(&c.Call, func() (err error) {
		inner, err = t.Module.Prepare(ctx, kind, spec)
		return err
	}, func() (remote.Metered, bool) { m, ok := inner.(remote.Metered); return m, ok })
	c.Prepared = t.prepared.Add(1)
	if err == nil {
		c.Traits = uint32(inner.Traits())
	}
	if list := t.listeners.Load().all(); list != nil && !gaveUp(ctx, err) {
		tell(list, c)
	}
	if err != nil {
		return nil, err
	}
	return &tapped{Prepared: inner, tap: t, kind: kind, spec: spec, number: c.Prepared}, nil
}

// Review implements remote.Module.
func (t *tap) Review(ctx context.Context, request []byte, take func(answer []byte) error) error {
	c := call{Call: recording.Call{Op: recording.Review, Kind: remote.KindAdmission, Items: 1, Input: request}}
	list := t.listeners.Load().all()
	if list != nil {
		take = copying(&c.Answer, take)
	}
	err := t.measure(&c.Call, func() error { return t.Module.Review(ctx, request, take) }, never)
	if list != nil && !gaveUp(ctx, err) {
		tell(list, c)
	}
	return err
}

func copying(to *[]byte, take func([]byte) error) func([]byte) error {
	return func(answer []byte) error {
		*to = bytes.Clone(answer)
		return take(answer)
	}
}

// tapped is what a tapped module prepared.
type tapped struct {
	remote.Prepared
	tap    *tap
	kind   remote.Kind
	spec   []byte
	number uint64
}

// LastFuel implements remote.Metered.
func (p *tapped) LastFuel() int64 { return lastFuel(p.Prepared) }

// Ask implements remote.Prepared. Nearly always nobody listens: then it is measured
// and nothing else.
func (p *tapped) Ask(ctx context.Context, input []byte, items int, take func(answer []byte) error) error {
	if list := p.tap.listeners.Load().all(); list != nil {
		return p.askHeard(ctx, input, items, take, list)
	}
	before, begin := p.tap.FuelUsed(), time.Now()
	err := p.Prepared.Ask(ctx, input, items, take)
	fuel := max(0, p.tap.FuelUsed()-before)
	if m, ok := p.Prepared.(remote.Metered); ok {
		fuel = m.LastFuel()
	}
	p.tap.nanos.observe(int64(time.Since(begin)))
	p.tap.fuel.observe(fuel)
	return err
}

// askHeard is Ask with those who listen.
func (p *tapped) askHeard(ctx context.Context, input []byte, items int, take func(answer []byte) error, list []listener) error {
	c := call{Call: recording.Call{Op: recording.Ask, Kind: p.kind, Prepared: p.number, Items: items}, spec: p.spec}
	c.Input = bytes.Clone(input) // the asker uses its bytes again
	c.Traits = uint32(p.Traits())
	take = copying(&c.Answer, take)
	err := p.tap.measure(&c.Call, func() error { return p.Prepared.Ask(ctx, input, items, take) }, func() (remote.Metered, bool) {
		m, ok := p.Prepared.(remote.Metered)
		return m, ok
	})
	if !gaveUp(ctx, err) {
		tell(list, c)
	}
	return err
}

// Close implements remote.Prepared.
func (p *tapped) Close() {
	p.Prepared.Close()
	if list := p.tap.listeners.Load().all(); list != nil {
		tell(list, call{Call: recording.Call{Op: recording.Release, Kind: p.kind, Prepared: p.number}, spec: p.spec})
	}
}
