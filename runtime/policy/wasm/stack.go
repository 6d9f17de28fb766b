package wasm

import "github.com/pacer-run/pacer/runtime/policy/remote"

// find makes the engine's functions for a kind anew. Each has a stack.
func (in *instance) find(kind remote.Kind) {
	names := exportsOf(kind)
	in.buffer = in.guest.ExportedFunction(exportBuffer)
	in.calls[kind] = kindCalls{
		prepare: in.guest.ExportedFunction(names.prepare),
		ask:     in.guest.ExportedFunction(names.ask),
		release: in.guest.ExportedFunction(names.release),
	}
}

// keepStack is the fuel up to which the stacks of the functions that used it are kept. They
// grow by 4 bytes for a unit at most, up to 100 MB, and do not shrink.
const keepStack = 1_000_000

// accountFor is account, for what the functions of that kind have used.
func (in *instance) accountFor(kind remote.Kind, budget int64) int64 {
	used := in.account(budget)
	if used > keepStack {
		in.find(kind)
	}
	return used
}
