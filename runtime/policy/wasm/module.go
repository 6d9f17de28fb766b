package wasm

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/manifest"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Module is a loaded module, a remote.Module. It carries messages and does not look
// into them: remote.Constraint and its like make policies of it.
type Module struct {
	limits      Limits
	options     Options
	manifest    *manifest.Manifest // nil: none
	runtime     wazero.Runtime
	compiled    wazero.CompiledModule
	kinds       kindSet
	description wire.Description
	journal     *journal
	pool        *pool
	metrics     *metrics
	store       store
	fuel        atomic.Int64
	instances   sync.Map // by the engine's module, for the functions that guests call
}

var _ remote.Module = (*Module)(nil)

func newModule(p *plan, runtime wazero.Runtime, log *slog.Logger) *Module {
	m := &Module{
		limits: p.limits, options: p.options, manifest: p.manifest, kinds: p.kinds,
		runtime: runtime, journal: &journal{log: log}, metrics: newMetrics(p.manifest),
	}
	m.pool = newPool(p.limits, m.newInstance)
	m.pool.fresh = p.options.Fresh
	return m
}

// Description implements remote.Module. Its lists must not be changed.
func (m *Module) Description() wire.Description { return m.description }

// Manifest is what the module's file says of it; nil when it says nothing. It must
// not be changed.
func (m *Module) Manifest() *manifest.Manifest { return m.manifest }

func (m *Module) label() string { return m.description.Name + "@" + m.description.Version }

// FuelUsed is all fuel that the module's instances have used.
func (m *Module) FuelUsed() int64 { return m.fuel.Load() }

// Close waits for the calls under way, which their fuel bounds, and frees the
// module. What it prepared answers with errors from then on. A further Close does
// nothing.
func (m *Module) Close(ctx context.Context) error {
	m.pool.close(ctx)
	return m.runtime.Close(ctx)
}

// fault is the form in which callers see that the module failed.
func (m *Module) fault(cause string) error {
	return &sdk.Fault{Module: m.label(), Cause: cause}
}

// settle turns what went wrong in a call into what callers see; nil stays nil.
// Errors of ctx are passed on: the module did nothing wrong.
func (m *Module) settle(err error) error {
	if err == nil {
		return nil // without the allocations of what follows
	}
	var trapped *trap
	var refused *refusal
	switch {
	case errors.As(err, &trapped):
		return &sdk.Fault{Module: m.label(), Cause: trapped.cause, Trap: true}
	case !errors.As(err, &refused):
		return err
	case refused.message.Code == wire.Invalid:
		return &sdk.Invalid{Message: refused.message.Reason}
	}
	return m.fault(refused.message.Reason)
}

// Review implements remote.Module. A review may be about a whole group, so it has
// the budget of the largest question.
func (m *Module) Review(ctx context.Context, request []byte, take func(answer []byte) error) error {
	if !m.kinds[remote.KindAdmission] {
		return m.fault("it has no policy of the kind " + remote.KindAdmission.String())
	}
	name := exportsOf(remote.KindAdmission).ask
	return m.settle(m.pool.with(ctx, func(in *instance) error {
		in.give(m.limits.CallFuel)
		defer in.accountFor(remote.KindAdmission, m.limits.CallFuel)
		size, err := in.send(ctx, request)
		if err != nil {
			return err
		}
		return in.answer(ctx, question{
			f: in.calls[remote.KindAdmission].ask, name: name, input: request,
			longest: m.limits.ReplyBytes + len(request), take: take,
		}, size)
	}))
}
