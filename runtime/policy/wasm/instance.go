package wasm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"weak"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/pacer-run/pacer/runtime/policy/metering"
	"github.com/pacer-run/pacer/runtime/policy/remote"
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
	self        weak.Pointer[instance]
	guest       api.Module
	memory      api.Memory
	fuel        api.MutableGlobal
	depth       api.Global
	buffer      api.Function
	calls       [remote.Kinds]kindCalls
	description wire.Description
	journal     *journal
	moment      moment // of the call under way
	asked       int    // how many calls have had this instance
	printed     []byte
	random      uint64    // state of the guest's random numbers
	stack       [4]uint64 // of the engine's calls; kept to spare an allocation
	startSize   uint32    // of the memory, in bytes

	mu      sync.Mutex
	retired []retired // what the guest can forget
}

// kindCalls are the functions of one kind; nil where the guest lacks them.
type kindCalls struct {
	prepare, ask, release api.Function
}

// retired is what was prepared and is not needed any more.
type retired struct {
	kind   remote.Kind
	handle uint32
}

// newInstance starts an instance and takes it through the handshake. All of it
// is paid from one budget.
func (m *Module) newInstance(ctx context.Context) (*instance, error) {
	in := &instance{module: m, journal: m.journal}
	in.self = weak.Make(in)
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(newMemory))
	// No code of the guest runs in here: package metering has seen to that.
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	guest, err := m.runtime.InstantiateModule(ctx, m.compiled, config)
	if err != nil {
		return nil, &trap{"instantiation: " + in.explain(err)}
	}
	in.guest, in.memory = guest, guest.Memory()
	m.instances.Store(guest, in)
	in.fuel = guest.ExportedGlobal(metering.FuelGlobal).(api.MutableGlobal)
	in.depth = guest.ExportedGlobal(metering.DepthGlobal)
	for kind := range remote.Kinds {
		if m.kinds[kind] {
			in.find(kind)
		}
	}
	if err := in.handshake(ctx); err != nil {
		in.close(ctx)
		return nil, err
	}
	return in, nil
}

func (in *instance) handshake(ctx context.Context) error {
	in.give(in.module.limits.StartFuel)
	defer in.account(in.module.limits.StartFuel)
	for _, name := range []string{metering.StartExport, exportInitialize} {
		if f := in.guest.ExportedFunction(name); f != nil {
			if err := in.run(ctx, f, name); err != nil {
				return err
			}
		}
	}
	err := in.greet(ctx, exportDescribe, func(b []byte) (err error) {
		if in.description, err = decodeDescription(b); err == nil {
			err = agree(in.description, in.module.kinds)
		}
		if err == nil && in.module.manifest != nil {
			err = honest(in.module.manifest, in.description)
		}
		return err
	})
	if err != nil {
		return err
	}
	hello := wire.AppendHostInfo(nil, wire.HostInfo{Minor: wire.Minor, Settings: in.module.options.Settings})
	size, err := in.send(ctx, hello)
	if err != nil {
		return err
	}
	err = in.greet(ctx, exportConfigure, func([]byte) error { return nil }, size)
	in.startSize = in.memory.Size()
	return err
}

// greet is answer for the handshake. An instance that refuses it is of no use, and
// no user is to blame, so a refusal is a trap here.
func (in *instance) greet(ctx context.Context, name string, take func([]byte) error, args ...uint64) error {
	q := question{f: in.guest.ExportedFunction(name), name: name, longest: in.module.limits.ReplyBytes, take: take}
	err := in.answer(ctx, q, args...)
	if refused, ok := errors.AsType[*refusal](err); ok {
		err = &trap{name + ": " + refused.message.Reason}
	}
	return err
}

// account adds what is gone of the budget to the module's fuel, and returns it.
func (in *instance) account(budget int64) int64 {
	used := budget - max(0, int64(in.fuel.Get()))
	in.module.fuel.Add(used)
	return used
}

// retire notes that nobody will use the handle again. Unlike the other methods
// it may be called while the instance works.
func (in *instance) retire(kind remote.Kind, handle uint32) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.retired = append(in.retired, retired{kind, handle})
}

// releaseRetired releases what was retired, as far as half of the fuel goes: the rest is for
// what is to be prepared. What is left is released later.
func (in *instance) releaseRetired(ctx context.Context) error {
	in.mu.Lock()
	list := in.retired
	in.retired = nil
	in.mu.Unlock()
	enough := int64(in.fuel.Get()) / 2
	for i, r := range list {
		if int64(in.fuel.Get()) < enough {
			in.mu.Lock()
			in.retired = append(in.retired, list[i:]...)
			in.mu.Unlock()
			return nil
		}
		if err := in.run(ctx, in.calls[r.kind].release, exportsOf(r.kind).release, uint64(r.handle)); err != nil {
			return err
		}
	}
	return nil
}

// give sets the budget of the calls that follow. Nothing is left of the calls before.
func (in *instance) give(fuel int64) {
	in.fuel.Set(uint64(fuel))
	in.moment = moment{}
}

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

// question is a function that answers with a message.
type question struct {
	f       api.Function
	name    string
	spec    []byte
	input   []byte
	longest int // that the answer may be, in bytes
	// take gets the answer, which is the guest's and good until it returns. Its error
	// is a trap.
	take func(answer []byte) error
}

// answer asks the question. An Error message is a *refusal.
func (in *instance) answer(ctx context.Context, q question, args ...uint64) error {
	in.moment = moment{name: q.name, spec: q.spec, input: q.input}
	if err := in.run(ctx, q.f, q.name, args...); err != nil {
		return err
	}
	const failed = 1 << 31
	at, size := uint32(in.stack[0]>>32), uint32(in.stack[0])
	refused := size&failed != 0
	size &^= failed
	if int64(size) > int64(q.longest) {
		return &trap{fmt.Sprintf("%s: an answer of %d bytes, %d are allowed", q.name, size, q.longest)}
	}
	b, ok := in.memory.Read(at, size)
	if !ok {
		return &trap{q.name + ": the answer lies outside of the memory"}
	}
	if refused {
		return refuse(q.name, b)
	}
	if err := q.take(b); err != nil {
		return &trap{q.name + ": " + err.Error()}
	}
	in.commit()
	return nil
}

// refuse is the refusal that an Error message holds.
func refuse(name string, message []byte) error {
	e, err := wire.DecodeError(message)
	if err != nil {
		return &trap{name + ": " + err.Error()}
	}
	e.Reason = line([]byte(e.Reason))
	return &refusal{e}
}

func (in *instance) close(ctx context.Context) {
	in.module.instances.Delete(in.guest)
	_ = in.guest.Close(ctx) // frees memory; nothing is left to report to
}
