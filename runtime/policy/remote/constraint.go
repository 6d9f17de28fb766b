package remote

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Constraint is the module's policy of the kind constraint.
func Constraint(m Module) sdk.Constraint { return constraint{m} }

type constraint struct{ module Module }

func (c constraint) Operators() []string { return Names(c.module, KindConstraint) }

func (c constraint) Prepare(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	p, err := c.module.Prepare(ctx, KindConstraint, wire.AppendSpec(nil, spec))
	if err != nil {
		return nil, err
	}
	return &preparedConstraint{Prepared: p}, nil
}

type preparedConstraint struct {
	Prepared
	input   []byte // kept to spare the allocation
	answers wire.AnswerDecoder
}

// LastFuel implements Metered: 0 where nothing is metered.
func (p *preparedConstraint) LastFuel() int64 {
	if m, ok := p.Prepared.(Metered); ok {
		return m.LastFuel()
	}
	return 0
}

func (p *preparedConstraint) Evaluate(ctx context.Context, in sdk.ConstraintInput) (answer sdk.ConstraintAnswer, err error) {
	p.input = wire.AppendInput(p.input[:0], in)
	err = p.Ask(ctx, p.input, len(in.Values), func(b []byte) (err error) {
		if answer, err = p.answers.Decode(in.Room, b, len(in.Values)); err != nil {
			return err
		}
		return p.verify(&answer)
	})
	if err != nil {
		return sdk.ConstraintAnswer{}, err
	}
	answer.Reason = line(answer.Reason)
	return answer, nil
}

// verify refuses what a constraint of these traits cannot answer.
func (p *preparedConstraint) verify(answer *sdk.ConstraintAnswer) error {
	if p.Traits()&sdk.PurePerValue == 0 {
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
