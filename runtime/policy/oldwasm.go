package policy

import (
	"context"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// oldWASM makes a module that takes constraints one that takes messages.
type oldWASM struct{ *wasm.Module }

func asRemote(m *wasm.Module) remote.Module { return oldWASM{m} }

func (o oldWASM) Description() wire.Description {
	return wire.Description{Name: o.Name(), Version: o.Version(), Operators: o.Operators()}
}

func (o oldWASM) Prepare(ctx context.Context, _ remote.Kind, spec []byte) (remote.Prepared, error) {
	s, err := wire.DecodeSpec(spec)
	if err != nil {
		return nil, err
	}
	p, err := o.Module.Prepare(ctx, s)
	if err != nil {
		return nil, err
	}
	return &oldPrepared{PreparedConstraint: p}, nil
}

func (o oldWASM) Review(context.Context, []byte, func([]byte) error) error {
	return &sdk.Fault{Module: o.Name(), Cause: "it reviews nothing"}
}

type oldPrepared struct {
	sdk.PreparedConstraint
	decoder wire.InputDecoder
}

func (p *oldPrepared) Ask(ctx context.Context, input []byte, _ int, take func([]byte) error) error {
	in, err := p.decoder.Decode(input)
	if err != nil {
		return err
	}
	answer, err := p.Evaluate(ctx, in)
	if err != nil {
		return err
	}
	return take(wire.AppendAnswer(nil, answer))
}
