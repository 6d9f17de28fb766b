// Package metering rewrites WASM modules so that they count what they execute
// and stop when a budget is used up.
//
// The engine's own interruption costs several times the guest's work and does
// not stop every guest. The counter costs a few per cent, stops every guest, and
// is deterministic. It is a global of the module, exported as FuelGlobal: the host
// sets it before a call. While a function runs, the fuel is in a local of it, which
// the engine keeps in a register: each run of code subtracts what it weighs when it
// is entered, and the function traps when it finds that the fuel fell below 0. Fuel
// below 0 after a trap tells exhaustion from other traps; after these, some of what
// the function that trapped has used may still be there.
//
// What is charged: one unit for an instruction, more for dear ones (see weight); bulk
// instructions and growth by length besides. A run is code of which all is executed
// if any is, so that a guest pays for what it executes; light runs may be paid by the
// run that they depend on, executed or not (see merge). Nothing is executed that was not
// charged before.
//
// Where the fuel is looked at: at the entry of a function, at each turn of a loop, after
// the charge of a bulk instruction, and wherever else a way of maxUnchecked units would
// have none of these. So what a call executes beyond its fuel is at most that in the
// function that uses it up, and in each that it returns to, of which there are no more
// than maxDepth or the module's longest chain of calls.
//
// Data segments that follow each other closely become one (see joinData).
//
// The guest cannot reach the counter: every reference that the original code
// makes to a global, a local or a label is checked against what the original module has.
package metering

import "fmt"

// FuelGlobal is the name under which the counter is exported: a mutable i64.
const FuelGlobal = "policy_fuel"

// DepthGlobal is the name under which the number of frames that are left is
// exported: a mutable i32, below 0 after a recursion that went too deep. It needs
// no setting: every call that returns leaves it as it was.
const DepthGlobal = "policy_depth"

// StartExport is the name under which a start function is exported. It is not run
// when the module is instantiated: the host calls it, so that it has a budget and
// its end a cause.
const StartExport = "policy_start"

// Version is part of the key of every cache of rewritten modules. It has to
// change with anything that changes the rewritten bytes, or what is let in.
const Version = "5"

// Limits on a module. They are far above what compilers make and keep the cost
// of loading a hostile one bounded.
const (
	maxModule    = 32 << 20 // bytes
	maxFunctions = 100_000
	maxBody      = 4 << 20 // bytes
	maxLocals    = 5_000   // in one function
	maxValues    = 100     // that a function or block takes and gives: moving them costs no fuel
	maxTables    = 8
	maxTable     = 1 << 17 // elements
	maxEntries   = 200_000 // of any other section
)

// fault is why a module was refused.
type fault string

func (f fault) Error() string { return string(f) }

// Module is a module that was rewritten, and what it needs and offers.
type Module struct {
	Code     []byte
	Imports  []Import
	Exports  map[string]Export
	MinPages uint32 // of its memory, 64 KiB each
}

// Import is one thing that the module wants from the host.
type Import struct {
	Module, Name string
	Kind         Kind
	Type         FuncType // of functions
}

// Export is one thing that the module offers.
type Export struct {
	Kind Kind
	Type FuncType // of functions
}

// Rewrite returns the metered form of a module. Its counter starts with 0: nothing of
// it runs before the host has given it fuel. The error says what is wrong with a module
// that it refuses. What it takes is not necessarily valid, but whatever is wrong with it
// is still wrong with the result: the engine validates that.
func Rewrite(module []byte) (*Module, error) { return rewrite(module, (*program).meterCode) }

// rewrite is Rewrite with another way to rewrite the code.
func rewrite(module []byte, code func(*program) error) (*Module, error) {
	if len(module) > maxModule {
		return nil, fmt.Errorf("module has %d bytes, %d are allowed", len(module), maxModule)
	}
	s, err := split(module)
	if err != nil {
		return nil, fmt.Errorf("not a WASM module: %w", err)
	}
	p := &program{sections: s}
	for _, part := range []struct {
		name  string
		parse func() error
	}{
		{"type", p.parseTypes},
		{"import", p.parseImports},
		{"function", p.parseFunctions},
		{"type", p.addTypes},
		{"table", p.capTables},
		{"memory", p.parseMemory},
		{"global", p.addGlobals},
		{"start", p.takeStart},
		{"export", p.addExports},
		{"code", func() error { return code(p) }},
	} {
		if err := part.parse(); err != nil {
			return nil, fmt.Errorf("%s section: %w", part.name, err)
		}
	}
	p.joinData()
	return &Module{Code: s.join(), Imports: p.imports, Exports: p.exports, MinPages: p.minPages}, nil
}
