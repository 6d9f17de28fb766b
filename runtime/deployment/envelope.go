package deployment

import (
	"fmt"
	"math"
	"strings"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// Envelope is the capacity that an upgrade must keep, in instances.
type Envelope struct {
	MinHealthy int // healthy ones, old and new together
	MaxTotal   int // all that are not known to be dead
}

// EnvelopeOf computes the bounds from the fractions of the app: the health
// capacity is rounded up and the total down, on doubles. Where both are the same
// number nothing could ever move: then one more instance may run, or, for apps
// with volumes, which cannot have one more, one less.
func EnvelopeOf(a *spec.App) Envelope {
	n := float64(a.Instances)
	e := Envelope{
		MinHealthy: int(math.Ceil(n * a.UpgradeStrategy.MinimumHealthCapacity)),
		MaxTotal:   int(n * (1 + a.UpgradeStrategy.MaximumOverCapacity)),
	}
	switch {
	case e.MinHealthy != e.MaxTotal:
	case a.BoundToVolumes():
		e.MinHealthy = max(0, e.MinHealthy-1)
	default:
		e.MaxTotal++
	}
	return e
}

// Allowed is what of a step may be done.
type Allowed struct {
	Start int // new instances
	// KillUnhealthy and KillHealthy are old ones. Killing what is not healthy
	// costs no capacity.
	KillUnhealthy, KillHealthy int
}

// Cut cuts a step to the envelope: whatever a strategy answers, the capacity is
// kept.
func Cut(s *sdk.UpgradeState, step *sdk.UpgradeStep) Allowed {
	if step.Outcome != sdk.Proceed {
		return Allowed{}
	}
	unhealthy := int(s.Old) - int(s.OldDying) - int(s.OldHealthy)
	spare := int(s.OldHealthy) + int(s.NewHealthy) - int(s.MinHealthy)
	kill := int(min(step.Kill, s.Old))
	a := Allowed{
		Start:         max(0, min(int(min(step.Start, s.Instances)), int(s.Instances)-int(s.New), int(s.MaxTotal)-int(s.Old)-int(s.New))),
		KillUnhealthy: max(0, min(kill, unhealthy)),
	}
	a.KillHealthy = max(0, min(kill-a.KillUnhealthy, int(s.OldHealthy), spare))
	return a
}

// Excess says what of a step goes beyond the envelope, "" when nothing does. The
// state must be the one that the strategy was asked about: what changed meanwhile
// is not its fault.
func Excess(s *sdk.UpgradeState, step *sdk.UpgradeStep) string {
	if step.Outcome != sdk.Proceed {
		return ""
	}
	var parts []string
	beyond := func(verb string, asked uint32, allowed int) {
		if int64(asked) > int64(allowed) {
			parts = append(parts, fmt.Sprintf("%s %d instances where the envelope allows %d", verb, asked, allowed))
		}
	}
	allowed := Cut(s, step)
	beyond("start", step.Start, allowed.Start)
	beyond("kill", step.Kill, allowed.KillUnhealthy+allowed.KillHealthy)
	if len(parts) == 0 {
		return ""
	}
	return "it asked to " + strings.Join(parts, " and to ")
}
