package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// OnFailure is what becomes of a question that a module failed to answer. The fault
// is told whatever the way is.
type OnFailure uint8

// The ways to go on.
const (
	ByKind  OnFailure = iota // what the kind does by itself
	Closed                   // what was asked for does not happen; an upgrade is rolled back
	Hold                     // an upgrade neither starts nor kills until there is an answer
	Static                   // what was answered before holds; nothing is taken for an answer that never was one
	LetPass                  // what was asked for happens as if nobody had been asked
)

// String returns the way in lower case; "" for ByKind.
func (f OnFailure) String() string { return [...]string{"", "closed", "hold", "static", "open"}[f] }

// WaysOf are the ways that a kind of module may fail, its own first. An artifact that
// nobody judged is never fetched, and nobody is killed since a rule failed, so these
// kinds have one way.
func WaysOf(kind remote.Kind) []OnFailure {
	return [remote.Kinds][]OnFailure{
		remote.KindConstraint: {Closed, Static},
		remote.KindFetch:      {Closed},
		remote.KindUpgrade:    {Hold, Closed},
		remote.KindHealth:     {Static},
		remote.KindAdmission:  {Closed, LetPass},
	}[kind]
}

// CheckFailure refuses a way that a kind does not have.
func CheckFailure(kind remote.Kind, way OnFailure) error {
	ways := WaysOf(kind)
	if way == ByKind || slices.Contains(ways, way) {
		return nil
	}
	names := make([]string, len(ways))
	for i, w := range ways {
		names[i] = w.String()
	}
	return fmt.Errorf("%v is not for the kind %v, whose failures can be %s", way, kind, strings.Join(names, " or "))
}

// wayOf is what becomes of a question of the kind.
func (m *ModuleConfig) wayOf(kind remote.Kind) OnFailure {
	ways := WaysOf(kind)
	for _, way := range []OnFailure{m.FailureOf[kind], m.OnFailure} {
		if slices.Contains(ways, way) {
			return way
		}
	}
	return ways[0]
}

// checkKinds refuses a way to fail that no kind of the module has, and one for a kind
// that it has not.
func (m *ModuleConfig) checkKinds(kinds []remote.Kind) error {
	for kind, way := range m.FailureOf {
		if way != ByKind && !slices.Contains(kinds, remote.Kind(kind)) {
			return fmt.Errorf("onFailure.%v: the module offers nothing of that kind", remote.Kind(kind))
		}
	}
	if m.MaxStaleness != 0 && !slices.Contains(kinds, remote.KindHealth) {
		return fmt.Errorf("maxStaleness: the module offers nothing of the kind %v", remote.KindHealth)
	}
	if m.OnFailure == ByKind || slices.ContainsFunc(kinds, func(k remote.Kind) bool { return CheckFailure(k, m.OnFailure) == nil }) {
		return nil
	}
	return fmt.Errorf("onFailure: %w", CheckFailure(kinds[0], m.OnFailure))
}

// failure is a fault of a module of which the operator wants something else than
// the kind does by itself. Who asked finds that out by its methods.
type failure struct {
	*sdk.Fault

	static    bool
	givesUp   bool
	staleness time.Duration
}

// Unwrap returns the fault.
func (f *failure) Unwrap() error { return f.Fault }

// Static tells that verdicts on values that were given before hold still.
func (f *failure) Static() bool { return f.static }

// GivesUp tells that the upgrade is to be rolled back.
func (f *failure) GivesUp() bool { return f.givesUp }

// MaxStaleness is how long verdicts on health stay; 0 means the default.
func (f *failure) MaxStaleness() time.Duration { return f.staleness }

// settle says of a fault what the operator wants to become of the question. pure is
// about constraints: that their verdicts are on values alone.
func (s source) settle(err error, pure bool) error {
	fault, ok := errors.AsType[*sdk.Fault](err)
	if !ok || s.version == nil {
		return err
	}
	way, staleness := s.origin.onFailure(s.kind)
	switch {
	case s.kind == remote.KindConstraint && way == Static && pure:
		return &failure{Fault: fault, static: true}
	case s.kind == remote.KindUpgrade && way == Closed:
		return &failure{Fault: fault, givesUp: true}
	case s.kind == remote.KindHealth && staleness != 0:
		return &failure{Fault: fault, staleness: staleness}
	}
	return err
}

// onFailure is what the operator wants now.
func (o *origin) onFailure(kind remote.Kind) (OnFailure, time.Duration) {
	o.catalog.mu.RLock()
	defer o.catalog.mu.RUnlock()
	return o.config.wayOf(kind), o.config.MaxStaleness
}

// opens tells whether a fault of the source lets pass what was asked about, and notes
// it then.
func (s source) opens(err error) bool {
	if _, ok := errors.AsType[*sdk.Fault](err); !ok || s.version == nil {
		return false
	}
	if way, _ := s.origin.onFailure(s.kind); way != LetPass {
		return false
	}
	s.origin.passedOver.Add(1)
	return true
}
