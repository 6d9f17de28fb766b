// Package guest turns a policy written in Go into a WASM module for Pacer. An
// author writes an sdk.Constraint and registers it; a whole module is
//
//	package main
//
//	import "github.com/pacer-run/pacer/sdk/guest"
//
//	var _ = guest.Register(guest.Module{Name: "rack-spread", Version: "1.0.0", Constraint: rackSpread{}})
//
//	func main() {}
//
// built with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags="-s -w" -o rack-spread.wasm .
//
// The policy itself is plain Go and is tested natively. A module has neither
// clock, files, network nor environment; what it prints goes to Pacer's log. The
// package uses neither fmt nor encoding/json nor a protobuf runtime: they would
// make every module megabytes larger.
package guest

import (
	"context"
	"errors"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Module is what an author registers.
type Module struct {
	Name       string // dns-label, such as rack-spread
	Version    string // semantic version
	Constraint sdk.Constraint
}

// Register makes m the policy of this module; a later call replaces it. It
// returns true, so that it can initialise a variable: a WASM module of this kind
// never runs main, and variables are initialised before the first call.
func Register(m Module) bool {
	this.module = m
	return true
}

// this is the one policy of this WASM module. The exports of the ABI are plain
// functions, so their state has to live in a variable of the package.
var this = &adapter{}

// adapter answers the calls of the ABI from a Module. Its byte slices are the
// module's side of the shared memory: the host writes into in and reads out.
type adapter struct {
	module   Module
	in       []byte
	out      []byte // kept until the next call, as the ABI promises
	decoder  wire.InputDecoder
	prepared []sdk.PreparedConstraint // by handle - 1; nil: free
}

// buffer is the input buffer, at least of that size and never empty.
func (a *adapter) buffer(size int) []byte {
	if size >= len(a.in) {
		a.in = make([]byte, max(2*size, 4096))
	}
	return a.in
}

// input is what the host wrote; an impossible length is cut.
func (a *adapter) input(size uint32) []byte {
	return a.in[:min(uint64(size), uint64(len(a.in)))]
}

func (a *adapter) describe() bool {
	if a.module.Constraint == nil {
		return a.fail(errors.New("no policy is registered"))
	}
	a.out = wire.AppendDescription(a.out[:0], wire.Description{
		Minor:     wire.Minor,
		Name:      a.module.Name,
		Version:   a.module.Version,
		Operators: a.module.Constraint.Operators(),
	})
	return true
}

func (a *adapter) configure(size uint32) bool {
	if _, err := wire.DecodeHostInfo(a.input(size)); err != nil {
		return a.fail(err)
	}
	a.out = a.out[:0]
	return true
}

func (a *adapter) prepare(size uint32) bool {
	spec, err := wire.DecodeSpec(a.input(size))
	if err != nil {
		return a.fail(err)
	}
	prepared, err := a.module.Constraint.Prepare(context.Background(), spec)
	if err != nil {
		return a.fail(err)
	}
	a.out = wire.AppendPrepared(a.out[:0], wire.Prepared{Handle: a.keep(prepared), Traits: prepared.Traits()})
	return true
}

// keep stores the prepared constraint and returns its handle.
func (a *adapter) keep(prepared sdk.PreparedConstraint) uint32 {
	for i, other := range a.prepared {
		if other == nil {
			a.prepared[i] = prepared
			return uint32(i + 1)
		}
	}
	a.prepared = append(a.prepared, prepared)
	return uint32(len(a.prepared))
}

// find returns nil for a handle that is not in use. Handle 0 wraps around to the
// largest index.
func (a *adapter) find(handle uint32) sdk.PreparedConstraint {
	if i := uint64(handle - 1); i < uint64(len(a.prepared)) {
		return a.prepared[i]
	}
	return nil
}

func (a *adapter) evaluate(handle, size uint32) bool {
	prepared := a.find(handle)
	if prepared == nil {
		return a.fail(errors.New("no such handle"))
	}
	in, err := a.decoder.Decode(a.input(size))
	if err != nil {
		return a.fail(err)
	}
	answer, err := prepared.Evaluate(context.Background(), in)
	if err != nil {
		return a.fail(err)
	}
	a.out = wire.AppendAnswer(a.out[:0], answer)
	return true
}

func (a *adapter) release(handle uint32) {
	if prepared := a.find(handle); prepared != nil {
		a.prepared[handle-1] = nil
		prepared.Close()
	}
}

// fail makes the answer an Error message.
func (a *adapter) fail(err error) bool {
	e := wire.Error{Code: wire.Fault, Reason: err.Error()}
	if invalid := (*sdk.Invalid)(nil); errors.As(err, &invalid) {
		e.Code = wire.Invalid
	}
	a.out = wire.AppendError(a.out[:0], e)
	return false
}
