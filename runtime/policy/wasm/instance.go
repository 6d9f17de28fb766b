package wasm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/pacer-run/pacer/runtime/policy/metering"
	"github.com/pacer-run/pacer/sdk/wire"
)

// trap is why an instance must not be used any more.
type trap struct{ cause string }

func (t *trap) Error() string { return t.cause }

// refusal is an Error message that the guest answered in good order.
type refusal struct{ message wire.Error }

func (r *refusal) Error() string { return r.message.Reason }

// instance is one running copy of a module. It is used by one goroutine at a
// time.
type instance struct {
	module      *Module
	guest       api.Module
	memory      api.Memory
	fuel        api.MutableGlobal
	depth       api.Global
	buffer      api.Function
	prepare     api.Function
	evaluate    api.Function
	release     api.Function
	description wire.Description
	journal     *journal
	printed     []byte
	random      uint64    // state of the guest's random numbers
	stack       [4]uint64 // of the engine's calls; kept to spare an allocation
	startSize   uint32    // of the memory, in bytes

	mu      sync.Mutex
	retired []uint32 // handles that the guest can forget
}

// newInstance starts an instance and takes it through the handshake. All of it
// is paid from one budget, which the module's counter starts with.
func (m *Module) newInstance(ctx context.Context) (*instance, error) {
	in := &instance{module: m, journal: m.journal}
	ctx = context.WithValue(ctx, instanceKey{}, in)
	// No code of the guest runs in here: package metering has seen to that.
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	guest, err := m.runtime.InstantiateModule(ctx, m.compiled, config)
	if err != nil {
		return nil, &trap{"instantiation: " + in.explain(err)}
	}
	in.guest, in.memory = guest, guest.Memory()
	in.fuel = guest.ExportedGlobal(metering.FuelGlobal).(api.MutableGlobal)
	in.depth = guest.ExportedGlobal(metering.DepthGlobal)
	in.buffer = guest.ExportedFunction(exportBuffer)
	in.prepare = guest.ExportedFunction(exportPrepare)
	in.evaluate = guest.ExportedFunction(exportEvaluate)
	in.release = guest.ExportedFunction(exportRelease)
	if err := in.handshake(ctx); err != nil {
		in.close(ctx)
		return nil, err
	}
	return in, nil
}

func (in *instance) handshake(ctx context.Context) error {
	defer in.account(in.module.limits.StartFuel)
	for _, name := range []string{metering.StartExport, exportInitialize} {
		if f := in.guest.ExportedFunction(name); f != nil {
			if err := in.run(ctx, f, name); err != nil {
				return err
			}
		}
	}
	reply, err := in.greet(ctx, exportDescribe)
	if err != nil {
		return err
	}
	if in.description, err = decodeDescription(reply); err != nil {
		return &trap{exportDescribe + ": " + err.Error()}
	}
	hello := wire.AppendHostInfo(nil, wire.HostInfo{Minor: wire.Minor})
	size, err := in.send(ctx, hello)
	if err != nil {
		return err
	}
	_, err = in.greet(ctx, exportConfigure, size)
	in.startSize = in.memory.Size()
	return err
}

// greet is ask for the handshake. An instance that refuses it is of no use, and
// no user is to blame, so a refusal is a trap here.
func (in *instance) greet(ctx context.Context, name string, args ...uint64) ([]byte, error) {
	reply, err := in.ask(ctx, in.guest.ExportedFunction(name), name, args...)
	if refused, ok := errors.AsType[*refusal](err); ok {
		err = &trap{name + ": " + refused.message.Reason}
	}
	return reply, err
}

// account adds what is gone of the budget to the module's fuel.
func (in *instance) account(budget int64) {
	in.module.fuel.Add(budget - max(0, int64(in.fuel.Get())))
}

// retire notes that nobody will use the handle again. Unlike the other methods
// it may be called while the instance works.
func (in *instance) retire(handle uint32) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.retired = append(in.retired, handle)
}

func (in *instance) releaseRetired(ctx context.Context) error {
	in.mu.Lock()
	retired := in.retired
	in.retired = nil
	in.mu.Unlock()
	for _, handle := range retired {
		if err := in.run(ctx, in.release, exportRelease, uint64(handle)); err != nil {
			return err
		}
	}
	return nil
}

// give sets the budget of the calls that follow.
func (in *instance) give(fuel int64) { in.fuel.Set(uint64(fuel)) }

// run calls a function of the guest; the results are in the stack afterwards.
// Any error is a trap.
func (in *instance) run(ctx context.Context, f api.Function, name string, args ...uint64) error {
	copy(in.stack[:], args)
	err := f.CallWithStack(ctx, in.stack[:])
	if err == nil {
		if len(in.printed) > 0 {
			in.flush()
		}
		return nil
	}
	return &trap{name + ": " + in.explain(err)}
}

// explain says in one line why the guest stopped.
func (in *instance) explain(err error) string {
	last := in.flush()
	var code exited
	text, _, _ := strings.Cut(err.Error(), "\n")
	switch {
	case in.fuel != nil && int64(in.fuel.Get()) < 0:
		return "fuel exhausted"
	case in.depth != nil && int32(in.depth.Get()) < 0:
		return "calls nested too deep"
	case last != "":
		return last
	case errors.As(err, &code):
		return code.Error()
	}
	return strings.TrimSuffix(strings.TrimPrefix(text, "wasm error: "), " (recovered by wazero)")
}

// send puts the bytes where the guest wants its input and returns their number.
func (in *instance) send(ctx context.Context, b []byte) (uint64, error) {
	if err := in.run(ctx, in.buffer, exportBuffer, uint64(len(b))); err != nil {
		return 0, err
	}
	if !in.memory.Write(uint32(in.stack[0]), b) {
		return 0, &trap{exportBuffer + ": the buffer lies outside of the memory"}
	}
	return uint64(len(b)), nil
}

// ask calls a function that answers with a message. The bytes are the guest's
// and good until the next call.
func (in *instance) ask(ctx context.Context, f api.Function, name string, args ...uint64) ([]byte, error) {
	return in.askFor(ctx, in.module.limits.ReplyBytes, f, name, args...)
}

// askFor is ask with another limit on the answer.
func (in *instance) askFor(ctx context.Context, limit int, f api.Function, name string, args ...uint64) ([]byte, error) {
	if err := in.run(ctx, f, name, args...); err != nil {
		return nil, err
	}
	const failed = 1 << 31
	at, size := uint32(in.stack[0]>>32), uint32(in.stack[0])
	refused := size&failed != 0
	size &^= failed
	if int64(size) > int64(limit) {
		return nil, &trap{fmt.Sprintf("%s: an answer of %d bytes, %d are allowed", name, size, limit)}
	}
	b, ok := in.memory.Read(at, size)
	if !ok {
		return nil, &trap{name + ": the answer lies outside of the memory"}
	}
	if !refused {
		return b, nil
	}
	e, err := wire.DecodeError(b)
	if err != nil {
		return nil, &trap{name + ": " + err.Error()}
	}
	e.Reason = line([]byte(e.Reason))
	return nil, &refusal{e}
}

func (in *instance) close(ctx context.Context) { _ = in.guest.Close(ctx) } // frees memory; nothing is left to report to
