package process

import (
	"context"
	"errors"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// errNoKind answers for a kind that the module does not offer.
var errNoKind = errors.New("the module has no policy of this kind")

// prepared is the answer that has the handle.
func prepared(handle uint32, traits sdk.Traits) []byte {
	return wire.AppendPrepared(nil, wire.Prepared{Handle: handle, Traits: traits})
}

func (a *answers) prepareConstraint(ctx context.Context, in []byte) ([]byte, error) {
	if a.module.Constraint == nil {
		return nil, errNoKind
	}
	spec, err := wire.DecodeSpec(in)
	if err != nil {
		return nil, err
	}
	p, err := a.module.Constraint.Prepare(ctx, spec)
	if err != nil {
		return nil, err
	}
	var decoder wire.InputDecoder
	evaluate := func(ctx context.Context, in []byte) ([]byte, error) {
		input, err := decoder.Decode(in)
		if err != nil {
			return nil, err
		}
		answer, err := p.Evaluate(ctx, input)
		if err != nil {
			return nil, err
		}
		size := 4*len(answer.Quota) + len(answer.Reason) + 32
		return wire.AppendAnswer(make([]byte, 0, size), answer), nil
	}
	return prepared(a.handles.keep(evaluate, p.Close), p.Traits()), nil
}

func (a *answers) prepareFetch(ctx context.Context, in []byte) ([]byte, error) {
	if a.module.Fetch == nil {
		return nil, errNoKind
	}
	spec, err := wire.DecodeFetchSpec(in)
	if err != nil {
		return nil, err
	}
	p, err := a.module.Fetch.Prepare(ctx, spec)
	if err != nil {
		return nil, err
	}
	return prepared(a.handles.keep(func(ctx context.Context, in []byte) ([]byte, error) {
		uris, err := wire.DecodeFetchInput(in)
		if err != nil {
			return nil, err
		}
		decisions, err := p.Decide(ctx, uris)
		return wire.AppendFetchAnswer(nil, decisions), err
	}, p.Close), 0), nil
}

func (a *answers) prepareUpgrade(ctx context.Context, in []byte) ([]byte, error) {
	if a.module.Upgrade == nil {
		return nil, errNoKind
	}
	spec, err := wire.DecodeUpgradeSpec(in)
	if err != nil {
		return nil, err
	}
	p, err := a.module.Upgrade.Prepare(ctx, spec)
	if err != nil {
		return nil, err
	}
	return prepared(a.handles.keep(func(ctx context.Context, in []byte) ([]byte, error) {
		state, err := wire.DecodeUpgradeState(in)
		if err != nil {
			return nil, err
		}
		step, err := p.Next(ctx, state)
		return wire.AppendUpgradeStep(nil, step), err
	}, p.Close), 0), nil
}

func (a *answers) prepareHealth(ctx context.Context, in []byte) ([]byte, error) {
	if a.module.Health == nil {
		return nil, errNoKind
	}
	spec, err := wire.DecodeHealthSpec(in)
	if err != nil {
		return nil, err
	}
	p, err := a.module.Health.Prepare(ctx, spec)
	if err != nil {
		return nil, err
	}
	return prepared(a.handles.keep(func(ctx context.Context, in []byte) ([]byte, error) {
		histories, err := wire.DecodeHealthInput(in)
		if err != nil {
			return nil, err
		}
		verdicts, err := p.Judge(ctx, histories)
		return wire.AppendHealthAnswer(nil, verdicts), err
	}, p.Close), 0), nil
}

func (a *answers) review(ctx context.Context, in []byte) ([]byte, error) {
	if a.module.Admission == nil {
		return nil, errNoKind
	}
	request, err := wire.DecodeAdmissionRequest(in)
	if err != nil {
		return nil, err
	}
	review, err := a.module.Admission.Review(ctx, request)
	return wire.AppendAdmissionReview(nil, review), err
}
