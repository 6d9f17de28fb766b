package guest

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// preparer is what all kinds have in common that prepare a spec S.
type preparer[S any, P interface{ Close() }] interface {
	Prepare(ctx context.Context, spec S) (P, error)
}

// prepare answers a call that prepares a spec. traits may be nil.
func prepare[S any, P interface{ Close() }](
	a *adapter, size uint32, kind preparer[S, P], kept *handles[P],
	decode func([]byte) (S, error), traits func(P) sdk.Traits,
) bool {
	spec, err := decode(a.input(size))
	if err == nil && kind == nil {
		err = errKind
	}
	if err != nil {
		return a.fail(err)
	}
	prepared, err := kind.Prepare(context.Background(), spec)
	if err != nil {
		return a.fail(err)
	}
	answer := wire.Prepared{Handle: kept.keep(prepared)}
	if traits != nil {
		answer.Traits = traits(prepared)
	}
	a.out = wire.AppendPrepared(a.out[:0], answer)
	return true
}

// ask answers a question about what was prepared.
func ask[P interface{ Close() }, Q, A any](
	a *adapter, handle, size uint32, kept *handles[P],
	decode func([]byte) (Q, error), ask func(P, context.Context, Q) (A, error), encode func([]byte, A) []byte,
) bool {
	prepared, ok := kept.find(handle)
	if !ok {
		return a.fail(errHandle)
	}
	input, err := decode(a.input(size))
	if err != nil {
		return a.fail(err)
	}
	answer, err := ask(prepared, context.Background(), input)
	if err != nil {
		return a.fail(err)
	}
	a.out = encode(a.out[:0], answer)
	return true
}

func (a *adapter) prepareConstraint(size uint32) bool {
	return prepare(a, size, a.module.Constraint, &a.constraints, wire.DecodeSpec, sdk.PreparedConstraint.Traits)
}

// constraintInput decodes a question, and has room for its answer.
func (a *adapter) constraintInput(b []byte) (sdk.ConstraintInput, error) {
	in, err := a.decoder.Decode(b)
	a.room = append(a.room[:0], make([]uint32, len(in.Values))...)
	in.Room = a.room
	return in, err
}

func (a *adapter) evaluate(handle, size uint32) bool {
	return ask(a, handle, size, &a.constraints, a.constraintInput, sdk.PreparedConstraint.Evaluate, wire.AppendAnswer)
}

func (a *adapter) prepareFetch(size uint32) bool {
	return prepare(a, size, a.module.Fetch, &a.fetches, wire.DecodeFetchSpec, nil)
}

func (a *adapter) decide(handle, size uint32) bool {
	return ask(a, handle, size, &a.fetches, wire.DecodeFetchInput, sdk.PreparedFetch.Decide, wire.AppendFetchAnswer)
}

func (a *adapter) prepareUpgrade(size uint32) bool {
	return prepare(a, size, a.module.Upgrade, &a.upgrades, wire.DecodeUpgradeSpec, nil)
}

func (a *adapter) step(handle, size uint32) bool {
	return ask(a, handle, size, &a.upgrades, wire.DecodeUpgradeState, sdk.PreparedUpgrade.Next, wire.AppendUpgradeStep)
}

func (a *adapter) prepareHealth(size uint32) bool {
	return prepare(a, size, a.module.Health, &a.healths, wire.DecodeHealthSpec, nil)
}

func (a *adapter) judge(handle, size uint32) bool {
	return ask(a, handle, size, &a.healths, wire.DecodeHealthInput, sdk.PreparedHealth.Judge, wire.AppendHealthAnswer)
}

func (a *adapter) review(size uint32) bool {
	request, err := wire.DecodeAdmissionRequest(a.input(size))
	if err == nil && a.module.Admission == nil {
		err = errKind
	}
	if err != nil {
		return a.fail(err)
	}
	review, err := a.module.Admission.Review(context.Background(), request)
	if err != nil {
		return a.fail(err)
	}
	a.out = wire.AppendAdmissionReview(a.out[:0], review)
	return true
}
