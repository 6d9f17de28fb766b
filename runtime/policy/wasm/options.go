package wasm

// Options are what the operator has chosen for one module.
type Options struct {
	Settings string // JSON, handed to policy_configure; "" for none
	// Limits are caps besides the loader's: the smaller one of each counts. Fields
	// that are 0 cap nothing.
	Limits Limits
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
	}
}

func lower[N int | int64 | uint32](n, limit N) N {
	if limit == 0 {
		return n
	}
	return min(n, limit)
}
