package wasm

import (
	"context"
	"errors"
	"weak"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// itemReply is how long an answer may be for each item that is asked about, in
// bytes, besides what is allowed for all of it and the length of the question.
const itemReply = 256

// Prepare implements remote.Module.
func (m *Module) Prepare(ctx context.Context, kind remote.Kind, spec []byte) (remote.Prepared, error) {
	names := exportsOf(kind)
	if !m.kinds[kind] || names.prepare == "" {
		return nil, m.fault("it has nothing to prepare of the kind " + kind.String())
	}
	p := &prepared{module: m, kind: kind, names: names, spec: spec, handles: map[weak.Pointer[instance]]uint32{}}
	err := m.pool.with(ctx, func(in *instance) (err error) {
		p.traits, err = p.introduce(ctx, in)
		return err
	})
	if err != nil {
		return nil, m.settle(err)
	}
	return p, nil
}

// prepared is a spec that the module has taken. Each instance knows it by another
// handle, and one that has not met it is told when it is needed.
type prepared struct {
	module *Module
	kind   remote.Kind
	names  kindExports
	spec   []byte
	traits sdk.Traits
	// Weak, because an instance that is gone must not keep its memory for as long as
	// there are policies that it knew.
	handles map[weak.Pointer[instance]]uint32
	fuel    int64 // used by the last call
}

// LastFuel implements remote.Metered.
func (p *prepared) LastFuel() int64 { return p.fuel }

func (p *prepared) Traits() sdk.Traits { return p.traits }

// Close lets every instance forget the spec, at its next call.
func (p *prepared) Close() {
	for place, handle := range p.handles {
		if in := place.Value(); in != nil {
			in.retire(p.kind, handle)
		}
	}
	clear(p.handles)
}

// introduce has the instance prepare the spec and keeps the handle.
func (p *prepared) introduce(ctx context.Context, in *instance) (sdk.Traits, error) {
	budget := p.module.limits.PrepareFuel
	in.give(budget)
	defer func() { p.fuel = in.accountFor(p.kind, budget) }()
	if err := in.releaseRetired(ctx); err != nil {
		return 0, err
	}
	size, err := in.send(ctx, p.spec)
	if err != nil {
		return 0, err
	}
	var got wire.Prepared
	q := question{
		f: in.calls[p.kind].prepare, name: p.names.prepare, spec: p.spec, longest: p.module.limits.ReplyBytes,
		take: func(b []byte) (err error) {
			if got, err = wire.DecodePrepared(b); err == nil && got.Traits != 0 && p.kind != remote.KindConstraint {
				err = wire.Malformed("traits of what is no constraint")
			}
			return err
		},
	}
	if err := in.answer(ctx, q, size); err != nil {
		return 0, err
	}
	p.forgetClosed()
	p.handles[in.self] = got.Handle
	return got.Traits, nil
}

// handleOn is what the instance knows the spec by.
func (p *prepared) handleOn(ctx context.Context, in *instance) (uint32, error) {
	if handle, ok := p.handles[in.self]; ok {
		return handle, nil
	}
	traits, err := p.introduce(ctx, in)
	if err == nil && traits != p.traits {
		err = &trap{p.names.prepare + ": other traits than before for the same constraint"}
	}
	return p.handles[in.self], err
}

// forgetClosed drops the handles of instances that are gone.
func (p *prepared) forgetClosed() {
	for place := range p.handles {
		if in := place.Value(); in == nil || in.guest.IsClosed() {
			delete(p.handles, place)
		}
	}
}

// Ask implements remote.Prepared.
func (p *prepared) Ask(ctx context.Context, input []byte, items int, take func(answer []byte) error) error {
	return p.settle(p.module.pool.with(ctx, func(in *instance) error {
		handle, err := p.handleOn(ctx, in)
		if err != nil {
			return err
		}
		limits := &p.module.limits
		budget := min(limits.BaseFuel+limits.ItemFuel*int64(items), limits.CallFuel)
		in.give(budget)
		defer func() { p.fuel = in.accountFor(p.kind, budget) }()
		size, err := in.send(ctx, input)
		if err != nil {
			return err
		}
		longest := limits.ReplyBytes + len(input) + itemReply*items
		return in.answer(ctx, question{
			f: in.calls[p.kind].ask, name: p.names.ask, spec: p.spec, input: input, longest: longest, take: take,
		}, uint64(handle), size)
	}))
}

// settle makes every refusal a fault: what was once prepared has to be answered.
func (p *prepared) settle(err error) error {
	if err == nil {
		return nil
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		return p.module.fault(p.names.ask + ": " + refused.message.Reason)
	}
	return p.module.settle(err)
}
