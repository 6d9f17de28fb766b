package wasm

import (
	"cmp"
	"time"
)

// Options are what the operator has chosen for one module.
type Options struct {
	// Settings are JSON, handed to policy_configure. "" stands for the defaults of the
	// manifest, or for none.
	Settings string
	// Grants are the groups of imports that the module may have; see the function Grants.
	Grants []string
	// Limits are caps besides the loader's and the manifest's: the smallest one of each
	// counts. Fields that are 0 cap nothing.
	Limits Limits
	// Fresh gives every call an instance of its own, that has seen nothing. It costs a
	// start for each: some 50 microseconds of a module without a runtime, milliseconds
	// of one made by Go.
	Fresh bool
	// Interpreted runs the module without compiling it: it is ready at once, answers the
	// same, uses the same fuel and takes ten times as long or more. Calls nested deeper
	// than 2,000 are a fault there, earlier than in a compiled module.
	Interpreted bool
	// Now is the clock of modules with the grant for it; nil is the system's. It is
	// asked once in a call, if at all.
	Now func() time.Time
}

// within returns the limits, none of them above the cap. Fields of the cap that are
// 0 cap nothing.
func (l Limits) within(limit Limits) Limits {
	return Limits{
		StartFuel:   lower(l.StartFuel, limit.StartFuel),
		PrepareFuel: lower(l.PrepareFuel, limit.PrepareFuel),
		BaseFuel:    lower(l.BaseFuel, limit.BaseFuel),
		ItemFuel:    lower(l.ItemFuel, limit.ItemFuel),
		CallFuel:    lower(l.CallFuel, limit.CallFuel),
		MemoryPages: lower(l.MemoryPages, limit.MemoryPages),
		ReplyBytes:  lower(l.ReplyBytes, limit.ReplyBytes),
		Instances:   lower(l.Instances, limit.Instances),
		Calls:       tighter(l.Calls, limit.Calls),
		HighWater:   tighter(l.HighWater, limit.HighWater),
		Wait:        tighter(l.Wait, limit.Wait),
	}
}

func lower[N cmp.Ordered](n, limit N) N {
	var none N
	if limit == none {
		return n
	}
	return min(n, limit)
}

// tighter is the smaller one of two limits of which either may be 0, which is none.
func tighter[N cmp.Ordered](a, b N) N {
	var none N
	if a == none {
		return b
	}
	return lower(a, b)
}
