package wasm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"sync/atomic"

	"github.com/tetratelabs/wazero"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Module is a loaded module. Its methods may be called by many goroutines.
type Module struct {
	limits      Limits
	runtime     wazero.Runtime
	compiled    wazero.CompiledModule
	description wire.Description
	journal     *journal
	pool        *pool
	fuel        atomic.Int64
}

func newModule(runtime wazero.Runtime, limits Limits, log *slog.Logger) *Module {
	m := &Module{limits: limits, runtime: runtime, journal: &journal{log: log}}
	m.pool = newPool(limits.Instances, m.newInstance)
	return m
}

// Name is what the module calls itself.
func (m *Module) Name() string { return m.description.Name }

// Version is what the module says its version is.
func (m *Module) Version() string { return m.description.Version }

func (m *Module) label() string { return m.Name() + "@" + m.Version() }

// FuelUsed is all fuel that the module's instances have used.
func (m *Module) FuelUsed() int64 { return m.fuel.Load() }

// Operators of the constraints that the module answers for.
func (m *Module) Operators() []string { return slices.Clone(m.description.Operators) }

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
	var trapped *trap
	var refused *refusal
	switch {
	case errors.As(err, &trapped):
		return m.fault(trapped.cause)
	case !errors.As(err, &refused):
		return err
	case refused.message.Code == wire.Invalid:
		return &sdk.Invalid{Message: refused.message.Reason}
	}
	return m.fault(refused.message.Reason)
}

// Forms of what a module says of itself.
const (
	nameForm     = `\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z`
	versionForm  = `\A[0-9A-Za-z.+-]{1,64}\z`
	operatorForm = `\A[A-Z][A-Z0-9_]{0,63}\z`
	maxOperators = 64
)

func decodeDescription(b []byte) (wire.Description, error) {
	d, err := wire.DecodeDescription(b)
	if err != nil {
		return d, err
	}
	if d.Minor > wire.Minor {
		return d, fmt.Errorf("the module needs version 1.%d of the ABI; this host speaks 1.%d", d.Minor, wire.Minor)
	}
	if !regexp.MustCompile(nameForm).MatchString(d.Name) {
		return d, fmt.Errorf("name %q: lower-case letters, digits and dashes expected", d.Name)
	}
	if !regexp.MustCompile(versionForm).MatchString(d.Version) {
		return d, fmt.Errorf("version %q: letters, digits, dots, dashes and plus signs expected", d.Version)
	}
	if n := len(d.Operators); n == 0 || n > maxOperators {
		return d, fmt.Errorf("%d operators: 1 to %d expected", n, maxOperators)
	}
	form := regexp.MustCompile(operatorForm)
	for i, operator := range d.Operators {
		if !form.MatchString(operator) {
			return d, fmt.Errorf("operator %q: upper-case letters, digits and underscores expected", operator)
		}
		if slices.Contains(d.Operators[:i], operator) {
			return d, fmt.Errorf("operator %s: named twice", operator)
		}
	}
	return d, nil
}
