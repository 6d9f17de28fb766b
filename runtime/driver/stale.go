package driver

// Policies may take each other's place while the driver uses what they prepared. Two
// optional methods tell: Generation, of Policies, is another number after any such
// change; Stale, of what was prepared, is whether it is to be prepared anew.

// generationOf is 0 for policies that never change.
func generationOf(p Policies) uint64 {
	if g, ok := p.(interface{ Generation() uint64 }); ok {
		return g.Generation()
	}
	return 0
}

// stale tells whether something prepared is to be prepared anew; nil is not.
func stale(prepared any) bool {
	s, ok := prepared.(interface{ Stale() bool })
	return ok && s.Stale()
}
