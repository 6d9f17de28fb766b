package policy

import (
	"context"
	"errors"
	"fmt"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// source is where a policy comes from: what is built in, or one version of a module,
// which whoever has the source has pinned.
type source struct {
	origin  *origin
	version *version // nil: built in
	kind    remote.Kind
	epoch   uint32 // of the version, when it was pinned
}

// release lets go of the version.
func (s source) release() {
	if s.version != nil {
		s.version.release()
	}
}

// Stale tells whether what was prepared should be closed and prepared anew. What
// is stale answers as before until then.
func (s source) Stale() bool {
	return s.version != nil && (s.version.retired.Load() || s.version.epoch.Load() != s.epoch)
}

// label is how faults name the source.
func (s source) label() string {
	if s.version == nil {
		return builtinName
	}
	return s.version.label()
}

func (s source) fault(cause string) *sdk.Fault {
	return &sdk.Fault{Module: s.label(), Kind: s.kind.String(), Cause: cause}
}

// call makes one call into a policy, for an app, and counts it and its end. While
// the version is in quarantine no call is made.
func (s source) call(ctx context.Context, app string, f func() error) error {
	probe, err := s.pass(ctx)
	if err != nil {
		return err
	}
	err = s.count(ctx, app, s.guard(f))
	s.judge(ctx, probe, err)
	return err
}

// unjudged is the key of what Unjudged says.
type unjudged struct{}

// Unjudged is for questions that nothing hangs on but what somebody is shown: faults are
// counted and told, and have no part in whether a module is in quarantine, nor do such
// questions try one that is. To look at an app again and again must not take a module
// away from others.
func Unjudged(ctx context.Context) context.Context {
	return context.WithValue(ctx, unjudged{}, true)
}

func judged(ctx context.Context) bool { return ctx.Value(unjudged{}) == nil }

// pass is asked before a call, judge is told after it. The error is the fault of a
// version in quarantine.
func (s source) pass(ctx context.Context) (probe bool, err error) {
	if s.version == nil {
		return false, nil
	}
	if !s.version.breaker.open.Load() {
		return false, nil // without a look at the clock, as nearly always
	}
	probe, refusal := s.version.breaker.pass(s.origin.now(), judged(ctx))
	if refusal == "" {
		return probe, nil
	}
	s.origin.refused.Add(1)
	return false, s.fault(refusal + s.origin.because())
}

// guard makes a panic of a policy that is built in a fault like those of others.
func (s source) guard(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = s.panicked(cause)
		}
	}()
	return f()
}

func (s source) panicked(cause any) error {
	fault := s.fault(fmt.Sprintf("it panicked: %v", cause))
	fault.Trap = true
	return fault
}

// count notes a call for an app and its end. Errors that are neither the user's
// nor the caller's doing become faults.
func (s source) count(ctx context.Context, app string, err error) error {
	s.origin.calls.Add(1)
	if err == nil {
		return nil // without the allocations of what follows
	}
	invalid, fault := (*sdk.Invalid)(nil), (*sdk.Fault)(nil)
	if errors.As(err, &invalid) || ctx.Err() != nil && !errors.As(err, &fault) {
		return err
	}
	if !errors.As(err, &fault) {
		fault = s.fault(err.Error())
	}
	named := *fault // the module's own does not know what it was asked
	fault, named.Kind = &named, s.kind.String()
	s.note(app, fault)
	return fault
}

// judge tells the breaker. What is built in has none: it is as sound as Pacer itself,
// and a panic for one app must not keep all others waiting.
func (s source) judge(ctx context.Context, probe bool, err error) {
	switch {
	case s.version == nil:
		return
	case err == nil && !probe:
		s.version.breaker.works()
		return
	case !judged(ctx):
		return
	}
	end := worked
	if _, ok := errors.AsType[*sdk.Fault](err); ok {
		end = failed
	} else if _, ok := errors.AsType[*sdk.Invalid](err); err != nil && !ok {
		end = neither
	}
	wasOpen := s.version.breaker.open.Load()
	if s.version.breaker.done(s.origin.now(), probe, end) {
		s.origin.tripped(s.version)
	} else if wasOpen && !s.version.breaker.open.Load() {
		s.origin.recovered(s.version)
	}
}

// note counts a fault, remembers it, and tells it, but not each of those that come
// one upon the other.
func (s source) note(app string, fault *sdk.Fault) {
	faults := s.origin.faults.Add(1)
	if fault.Trap {
		s.origin.traps.Add(1)
	}
	last := LastFault{At: s.origin.now(), Kind: s.kind.String(), Module: fault.Module, App: app, Cause: fault.Cause, Trap: fault.Trap}
	if s.origin.remember(s.kind, last) {
		s.origin.log.Warn("policy module failed", "module", fault.Module, "kind", last.Kind, "app", app, "cause", fault.Cause, "digest", s.digest(), "trap", fault.Trap, "faults", faults)
		s.origin.notify(Event{
			Name: EventFault, Module: s.origin.id(), Version: s.number(), Digest: s.digest(), Kind: last.Kind, App: app, Cause: fault.Cause, Trap: fault.Trap, Faults: faults,
		})
	}
}

func (s source) number() string {
	if s.version == nil {
		return ""
	}
	return s.version.number
}

func (s source) digest() string {
	if s.version == nil {
		return ""
	}
	return s.version.digest
}

// blame notes a fault that shows only to who carries an answer out, and names the
// module. It counts for the quarantine as others do: a module that goes beyond what it
// was told again and again is as wrong as one that does not answer.
func (s source) blame(app, cause string) *sdk.Fault {
	fault := s.fault(cause)
	s.note(app, fault)
	s.judge(context.Background(), false, fault)
	return fault
}

// end calls close, and has nobody to tell of a panic but the list of modules.
func (s source) end(app string, closing func()) {
	err := s.guard(func() error {
		closing()
		return nil
	})
	if fault, ok := errors.AsType[*sdk.Fault](err); ok {
		s.note(app, fault)
	}
	s.release()
}
