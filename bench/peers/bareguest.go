package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// bareGuest is a guest in the engine with neither meter nor host around it. It tells what
// is left of a question when all else is taken away.
type bareGuest struct {
	engine   wazero.Runtime
	module   api.Module
	buffer   api.Function
	evaluate api.Function
	handle   uint64
	stack    [2]uint64 // of the engine's calls
}

// newBareGuest starts the guest in Rust and prepares LIKE there.
func newBareGuest(ctx context.Context, code []byte) (*bareGuest, error) {
	b := &bareGuest{engine: wazero.NewRuntime(ctx)}
	if err := b.start(ctx, code); err != nil {
		return nil, errors.Join(err, b.engine.Close(ctx))
	}
	return b, nil
}

func (b *bareGuest) start(ctx context.Context, code []byte) error {
	host := b.engine.NewHostModuleBuilder("policy_v1")
	host.NewFunctionBuilder().WithFunc(func(int32, int32, int32) {}).Export("log")
	host.NewFunctionBuilder().WithFunc(func(int32) int32 { return 0 }).Export("log_enabled")
	_, errHost := host.Instantiate(ctx)
	_, errWASI := wasi_snapshot_preview1.Instantiate(ctx, b.engine)
	if err := errors.Join(errHost, errWASI); err != nil {
		return err
	}
	var err error
	if b.module, err = b.engine.Instantiate(ctx, code); err != nil {
		return err
	}
	b.buffer, b.evaluate = b.module.ExportedFunction("policy_buffer"), b.module.ExportedFunction("constraint_evaluate")
	answer, err := b.call(ctx, b.module.ExportedFunction("constraint_prepare"), wire.AppendSpec(nil, likeSpec("Rust")), 0)
	if err != nil {
		return err
	}
	prepared, err := wire.DecodePrepared(answer)
	b.handle = uint64(prepared.Handle)
	return err
}

// call hands over a message and returns the answer, which is the guest's memory. The
// handle is 0 for a call that has none. It calls as the host does, without an allocation.
func (b *bareGuest) call(ctx context.Context, f api.Function, message []byte, handle uint64) ([]byte, error) {
	size := uint64(len(message))
	b.stack[0] = size
	if err := b.buffer.CallWithStack(ctx, b.stack[:]); err != nil {
		return nil, err
	}
	if !b.module.Memory().Write(uint32(b.stack[0]), message) {
		return nil, errors.New("the buffer lies outside of the memory")
	}
	b.stack = [2]uint64{size}
	if handle != 0 {
		b.stack = [2]uint64{handle, size}
	}
	if err := f.CallWithStack(ctx, b.stack[:]); err != nil {
		return nil, err
	}
	text, ok := b.module.Memory().Read(uint32(b.stack[0]>>32), uint32(b.stack[0]))
	if !ok {
		return nil, errors.New("the answer lies outside of the memory")
	}
	return text, nil
}

// inTurn is a question about one value after the other, whose messages are written
// already and whose answers, once compared with the verdicts, are not read.
func (b *bareGuest) inTurn(ctx context.Context, values []string, fits map[string]bool) (func() error, error) {
	var messages [][]byte
	for _, value := range values {
		message := wire.AppendInput(nil, sdk.ConstraintInput{Values: []string{"", value}, First: -1})
		text, err := b.call(ctx, b.evaluate, message, b.handle)
		if err != nil {
			return nil, err
		}
		answer, err := wire.DecodeAnswer(text, 2)
		if err != nil {
			return nil, err
		}
		if fit := answer.Quota[1] == sdk.Unlimited; fit != fits[value] {
			return nil, fmt.Errorf("%q: %t, expected %t", value, fit, fits[value])
		}
		messages = append(messages, message)
	}
	next := 0
	return func() error {
		next = (next + 1) % len(messages)
		_, err := b.call(ctx, b.evaluate, messages[next], b.handle)
		return err
	}, nil
}
