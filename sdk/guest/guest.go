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
//
// A module offers the kinds of policy that it registers. The functions of the other
// kinds are exported all the same, since the compiler's export directive knows no
// condition; they are never called, because a host goes by the names that a module
// gives when it describes itself.
package guest

import (
	"errors"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Module is what an author registers: at least one policy. Kinds that are nil are
// not offered.
type Module struct {
	Name       string // dns-label, such as rack-spread
	Version    string // semantic version
	Constraint sdk.Constraint
	Fetch      sdk.Fetch
	Upgrade    sdk.Upgrade
	Health     sdk.Health
	Admission  sdk.Admission
	// Configure is given the operator's settings, JSON, or "" when there are none,
	// once before any policy is asked. Its error is the reason why the module is not
	// loaded. nil is for a module without settings: any are an error.
	Configure func(settings string) error
}

// Register makes m the policies of this module; a later call replaces it. It
// returns true, so that it can initialise a variable: a WASM module of this kind
// never runs main, and variables are initialised before the first call.
func Register(m Module) bool {
	this.module = m
	return true
}

// this is the one module of this WASM file. The exports of the ABI are plain
// functions, so their state has to live in a variable of the package.
var this = &adapter{}

// adapter answers the calls of the ABI from a Module. Its byte slices are the
// module's side of the shared memory: the host writes into in and reads out.
type adapter struct {
	module  Module
	in      []byte
	out     []byte // kept until the next call, as the ABI promises
	decoder wire.InputDecoder
	room    []uint32 // for answers

	constraints handles[sdk.PreparedConstraint]
	fetches     handles[sdk.PreparedFetch]
	upgrades    handles[sdk.PreparedUpgrade]
	healths     handles[sdk.PreparedHealth]
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
	d := wire.Description{Minor: wire.Minor, Name: a.module.Name, Version: a.module.Version}
	if k := a.module.Constraint; k != nil {
		d.Operators = k.Operators()
	}
	if k := a.module.Fetch; k != nil {
		d.Fetchers = k.Policies()
	}
	if k := a.module.Upgrade; k != nil {
		d.Strategies = k.Strategies()
	}
	if k := a.module.Health; k != nil {
		d.Rules = k.Rules()
	}
	if k := a.module.Admission; k != nil {
		d.Admission = k.Policies()
	}
	if len(d.Operators)+len(d.Fetchers)+len(d.Strategies)+len(d.Rules)+len(d.Admission) == 0 {
		return a.fail(errors.New("no policy is registered"))
	}
	a.out = wire.AppendDescription(a.out[:0], d)
	return true
}

func (a *adapter) configure(size uint32) bool {
	host, err := wire.DecodeHostInfo(a.input(size))
	switch {
	case err != nil:
	case a.module.Configure != nil:
		err = a.module.Configure(host.Settings)
	case host.Settings != "":
		err = &sdk.Invalid{Message: "the module takes no settings"}
	}
	if err != nil {
		return a.fail(err)
	}
	a.out = a.out[:0]
	return true
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
