package driver

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
)

// Policies may take each other's place while the driver uses what they prepared. Two
// optional methods tell: Generation, of Policies, is another number after any such
// change; Stale, of what was prepared, is whether it is to be prepared anew.

// MatchPolicies are the policies that one match asks.
type MatchPolicies interface {
	// DecideFetch and Prepare are those of Policies.
	DecideFetch(ctx context.Context, app sdk.AppFacts, uris []sdk.FetchURI) ([]sdk.FetchDecision, error)
	Prepare(ctx context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error)
}

// pin gives the policies as they are now to one match, if they can be held on to: a
// change that comes in the middle of it is for the next one. A third optional method,
// Pin, does that.
func pin(p Policies) (pinned MatchPolicies, done func()) {
	if p, ok := p.(interface {
		Pin() (MatchPolicies, func())
	}); ok {
		return p.Pin()
	}
	return p, func() {}
}

// generationOf is 0 for policies that never change.
func generationOf(p MatchPolicies) uint64 {
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
