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
	prepared := &preparedConstraint{Prepared: p}
	prepared.take = prepared.decode
	return prepared, nil
}

type preparedConstraint struct {
	Prepared
	answers wire.AnswerDecoder
	said    string // the last reason, as the module said it
	reason  string // line of it

	// Of the question under way, kept here to spare allocations.
	input  []byte
	room   []uint32
	values int
	answer sdk.ConstraintAnswer
	take   func([]byte) error // decode
}

// LastFuel implements Metered: 0 where nothing is metered.
func (p *preparedConstraint) LastFuel() int64 {
	if m, ok := p.Prepared.(Metered); ok {
		return m.LastFuel()
	}
	return 0
}

func (p *preparedConstraint) Evaluate(ctx context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	p.input, p.room, p.values = wire.AppendInput(p.input[:0], in), in.Room, len(in.Values)
	err := p.Ask(ctx, p.input, len(in.Values), p.take)
	answer := p.answer
	p.room, p.answer = nil, sdk.ConstraintAnswer{} // which are the caller's
	if err != nil {
		return sdk.ConstraintAnswer{}, err
	}
	if answer.Reason != p.said {
		p.said, p.reason = answer.Reason, line(answer.Reason)
	}
	answer.Reason = p.reason
	return answer, nil
}

// decode takes the answer to the question under way.
func (p *preparedConstraint) decode(b []byte) (err error) {
	if p.answer, err = p.answers.Decode(p.room, b, p.values); err != nil {
		return err
	}
	return p.verify(&p.answer)
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
