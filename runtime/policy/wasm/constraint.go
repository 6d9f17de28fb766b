package wasm

import (
	"context"
	"errors"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Prepare asks the module to take a constraint. With Operators it makes a Module
// an sdk.Constraint.
func (m *Module) Prepare(ctx context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	p := &prepared{module: m, spec: wire.AppendSpec(nil, c), handles: map[*instance]uint32{}}
	err := m.pool.with(ctx, func(in *instance) (err error) {
		p.traits, err = p.introduce(context.WithValue(ctx, instanceKey{}, in), in)
		return err
	})
	if err != nil {
		return nil, m.settle(err)
	}
	return p, nil
}

// prepared is a constraint that the module has taken. Each instance knows it by
// another handle, and one that has not met it is told when it is needed.
type prepared struct {
	module  *Module
	spec    []byte
	traits  sdk.Traits
	handles map[*instance]uint32
	input   []byte // kept to spare the allocation
}

func (p *prepared) Traits() sdk.Traits { return p.traits }

// Close lets every instance forget the constraint, at its next call.
func (p *prepared) Close() {
	for in, handle := range p.handles {
		in.retire(handle)
	}
	clear(p.handles)
}

// introduce has the instance prepare the constraint and keeps the handle.
func (p *prepared) introduce(ctx context.Context, in *instance) (sdk.Traits, error) {
	budget := p.module.limits.PrepareFuel
	in.give(budget)
	defer in.account(budget)
	if err := in.releaseRetired(ctx); err != nil {
		return 0, err
	}
	size, err := in.send(ctx, p.spec)
	if err != nil {
		return 0, err
	}
	reply, err := in.ask(ctx, in.prepare, exportPrepare, size)
	if err != nil {
		return 0, err
	}
	got, err := wire.DecodePrepared(reply)
	if err != nil {
		return 0, &trap{exportPrepare + ": " + err.Error()}
	}
	p.forgetClosed()
	p.handles[in] = got.Handle
	return got.Traits, nil
}

// handleOn is what the instance knows the constraint by.
func (p *prepared) handleOn(ctx context.Context, in *instance) (uint32, error) {
	if handle, ok := p.handles[in]; ok {
		return handle, nil
	}
	traits, err := p.introduce(ctx, in)
	if err == nil && traits != p.traits {
		err = &trap{exportPrepare + ": other traits than before for the same constraint"}
	}
	return p.handles[in], err
}

// forgetClosed drops the handles of instances that are gone.
func (p *prepared) forgetClosed() {
	for in := range p.handles {
		if in.guest.IsClosed() {
			delete(p.handles, in)
		}
	}
}

// Evaluate implements sdk.PreparedConstraint.
func (p *prepared) Evaluate(ctx context.Context, input sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	var answer sdk.ConstraintAnswer
	p.input = wire.AppendInput(p.input[:0], input)
	err := p.module.pool.with(ctx, func(in *instance) error {
		ctx := context.WithValue(ctx, instanceKey{}, in)
		handle, err := p.handleOn(ctx, in)
		if err == nil {
			answer, err = p.evaluateOn(ctx, in, handle, len(input.Values))
		}
		return err
	})
	if err != nil {
		return sdk.ConstraintAnswer{}, p.settle(err)
	}
	return answer, nil
}

// settle makes every refusal a fault: what was once prepared has to be answered.
func (p *prepared) settle(err error) error {
	if refused, ok := errors.AsType[*refusal](err); ok {
		return p.module.fault(exportEvaluate + ": " + refused.message.Reason)
	}
	return p.module.settle(err)
}

func (p *prepared) evaluateOn(ctx context.Context, in *instance, handle uint32, values int) (sdk.ConstraintAnswer, error) {
	limits := &p.module.limits
	budget := min(limits.BaseFuel+limits.ValueFuel*int64(values), limits.CallFuel)
	in.give(budget)
	defer in.account(budget)
	size, err := in.send(ctx, p.input)
	if err != nil {
		return sdk.ConstraintAnswer{}, err
	}
	reply, err := in.askFor(ctx, limits.ReplyBytes+4*values, in.evaluate, exportEvaluate, uint64(handle), size)
	if err != nil {
		return sdk.ConstraintAnswer{}, err
	}
	answer, err := wire.DecodeAnswer(reply, values)
	if err == nil {
		err = p.verify(answer)
	}
	if err != nil {
		return sdk.ConstraintAnswer{}, &trap{exportEvaluate + ": " + err.Error()}
	}
	answer.Reason = line([]byte(answer.Reason))
	return answer, nil
}

// verify refuses what a constraint of these traits cannot answer.
func (p *prepared) verify(answer sdk.ConstraintAnswer) error {
	if p.traits&sdk.PurePerValue == 0 {
		return nil
	}
	if answer.Flags != 0 {
		return wire.Malformed("flags from a constraint that is pure per value")
	}
	for _, quota := range answer.Quota {
		if quota != 0 && quota != sdk.Unlimited {
			return wire.Malformed("a quota in between from a constraint that is pure per value")
		}
	}
	return nil
}
