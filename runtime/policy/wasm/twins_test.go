//go:build !race

package wasm

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/plugins/admission"
	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/plugins/fetchers"
	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// twins are the shipped policies natively and as a WASM module, which names them with
// a prefix. Every question is asked of both, and the bytes of their answers must be
// the same: each twin type is a policy that answers as the native one does and fails
// where the module differs.
type twins struct {
	t testing.TB
	m *tap
	// How many questions, and specs, ended so.
	taken, refused, faults int
}

// tap is a module whose last answer can be seen as it came.
type tap struct {
	remote.Module
	last []byte
}

type tapped struct {
	remote.Prepared
	tap *tap
}

func (m *tap) Prepare(ctx context.Context, kind remote.Kind, spec []byte) (remote.Prepared, error) {
	p, err := m.Module.Prepare(ctx, kind, spec)
	if err != nil {
		return nil, err
	}
	return tapped{p, m}, nil
}

func (m *tap) note(take func([]byte) error) func([]byte) error {
	m.last = nil
	return func(answer []byte) error {
		m.last = bytes.Clone(answer)
		return take(answer)
	}
}

func (m *tap) Review(ctx context.Context, request []byte, take func([]byte) error) error {
	return m.Module.Review(ctx, request, m.note(take))
}

func (p tapped) Ask(ctx context.Context, input []byte, items int, take func([]byte) error) error {
	return p.Prepared.Ask(ctx, input, items, p.tap.note(take))
}

// alike compares how both ended: with an answer, or refused or failed in the same words.
func (w *twins) alike(native, guest error) {
	w.t.Helper()
	a, isA := errors.AsType[*sdk.Invalid](native)
	b, isB := errors.AsType[*sdk.Invalid](guest)
	fault, isFault := errors.AsType[*sdk.Fault](guest)
	// What a module says is made one line.
	switch {
	case native == nil && guest == nil:
		w.taken++
	case isA && isB && line([]byte(a.Message)) == b.Message:
		w.refused++
	case native != nil && !isA && isFault && !fault.Trap && line([]byte(native.Error())) == fault.Cause:
		w.faults++
	default:
		w.t.Errorf("natively error %v, as a module %v", native, guest)
	}
}

// same compares what both answered.
func (w *twins) same(native []byte, nativeErr, guestErr error) {
	w.t.Helper()
	if w.alike(nativeErr, guestErr); nativeErr == nil && guestErr == nil && !bytes.Equal(native, w.m.last) {
		w.t.Errorf("natively %q, as a module %q", native, w.m.last)
	}
}

// pick is the policy that offers the name.
func pick[P any](policies []P, of func(P) []string, name string) P {
	return policies[slices.IndexFunc(policies, func(p P) bool { return slices.Contains(of(p), name) })]
}

// namesOf are all names of the policies.
func namesOf[P any](policies []P, of func(P) []string) (names []string) {
	for _, p := range policies {
		names = append(names, of(p)...)
	}
	return names
}

// twin is a prepared policy of both.
type twin[P any] struct {
	*twins
	native, guest P
}

// both prepares a spec natively and, under another name, in the module.
func both[S, P any](
	w *twins, spec S, rename func(*S), native, guest func(context.Context, S) (P, error),
) (twin[P], error) {
	w.t.Helper()
	renamed := spec
	rename(&renamed)
	a, errA := native(w.t.Context(), spec)
	b, errB := guest(w.t.Context(), renamed)
	w.alike(errA, errB)
	return twin[P]{w, a, b}, errors.Join(errA, errB)
}

type twinConstraint struct{ *twins }

func (w twinConstraint) Operators() []string {
	return namesOf(constraints.All(), sdk.Constraint.Operators)
}

func (w twinConstraint) Prepare(_ context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	native := pick(constraints.All(), sdk.Constraint.Operators, spec.Operator)
	p, err := both(w.twins, spec, func(s *sdk.ConstraintSpec) { s.Operator = "W_" + s.Operator }, native.Prepare, remote.Constraint(w.m).Prepare)
	if err == nil && p.native.Traits() != p.guest.Traits() {
		w.t.Errorf("traits %b natively, %b as a module", p.native.Traits(), p.guest.Traits())
	}
	return preparedTwinConstraint{p}, err
}

type preparedTwinConstraint struct {
	twin[sdk.PreparedConstraint]
}

func (p preparedTwinConstraint) Traits() sdk.Traits { return p.native.Traits() }
func (p preparedTwinConstraint) Close()             { p.native.Close(); p.guest.Close() }

func (p preparedTwinConstraint) Evaluate(ctx context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	_, guestErr := p.guest.Evaluate(ctx, in)
	answer, err := p.native.Evaluate(ctx, in)
	p.same(wire.AppendAnswer(nil, answer), err, guestErr)
	return answer, err
}

type twinFetch struct{ *twins }

func (w twinFetch) Policies() []string { return namesOf(fetchers.All(), sdk.Fetch.Policies) }

func (w twinFetch) Prepare(_ context.Context, spec sdk.FetchSpec) (sdk.PreparedFetch, error) {
	native := pick(fetchers.All(), sdk.Fetch.Policies, spec.Policy)
	p, err := both(w.twins, spec, func(s *sdk.FetchSpec) { s.Policy = "w-" + s.Policy }, native.Prepare, remote.Fetch(w.m).Prepare)
	return preparedTwinFetch{p}, err
}

type preparedTwinFetch struct{ twin[sdk.PreparedFetch] }

func (p preparedTwinFetch) Close() { p.native.Close(); p.guest.Close() }

func (p preparedTwinFetch) Decide(ctx context.Context, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	_, guestErr := p.guest.Decide(ctx, uris)
	decisions, err := p.native.Decide(ctx, uris)
	p.same(wire.AppendFetchAnswer(nil, decisions), err, guestErr)
	return decisions, err
}

type twinUpgrade struct{ *twins }

func (w twinUpgrade) Strategies() []string { return namesOf(upgrades.All(), sdk.Upgrade.Strategies) }

func (w twinUpgrade) Prepare(_ context.Context, spec sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	native := pick(upgrades.All(), sdk.Upgrade.Strategies, spec.Strategy)
	p, err := both(w.twins, spec, func(s *sdk.UpgradeSpec) { s.Strategy = "w-" + s.Strategy }, native.Prepare, remote.Upgrade(w.m).Prepare)
	return preparedTwinUpgrade{p}, err
}

type preparedTwinUpgrade struct{ twin[sdk.PreparedUpgrade] }

func (p preparedTwinUpgrade) Close() { p.native.Close(); p.guest.Close() }

func (p preparedTwinUpgrade) Next(ctx context.Context, s sdk.UpgradeState) (sdk.UpgradeStep, error) {
	_, guestErr := p.guest.Next(ctx, s)
	step, err := p.native.Next(ctx, s)
	p.same(wire.AppendUpgradeStep(nil, step), err, guestErr)
	return step, err
}

type twinHealth struct{ *twins }

func (w twinHealth) Rules() []string { return namesOf(health.All(), sdk.Health.Rules) }

func (w twinHealth) Prepare(_ context.Context, spec sdk.HealthSpec) (sdk.PreparedHealth, error) {
	native := pick(health.All(), sdk.Health.Rules, spec.Rule)
	p, err := both(w.twins, spec, func(s *sdk.HealthSpec) { s.Rule = "w-" + s.Rule }, native.Prepare, remote.Health(w.m).Prepare)
	return preparedTwinHealth{p}, err
}

type preparedTwinHealth struct{ twin[sdk.PreparedHealth] }

func (p preparedTwinHealth) Close() { p.native.Close(); p.guest.Close() }

// Judge compares the bytes of the last part of a long question, which package remote
// divides, and the verdicts of all of it.
func (p preparedTwinHealth) Judge(ctx context.Context, histories []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
	const part = 256
	p.m.last = nil
	guest, guestErr := p.guest.Judge(ctx, histories)
	verdicts, err := p.native.Judge(ctx, histories)
	last := verdicts
	if n := len(verdicts); n > part {
		last = verdicts[(n-1)/part*part:]
	}
	p.same(wire.AppendHealthAnswer(nil, last), err, guestErr)
	shown := slices.Clone(verdicts)
	for i := range shown {
		shown[i].Reason = strings.Join(strings.Fields(shown[i].Reason), " ") // as the host makes it one line
	}
	if !slices.Equal(shown, guest) {
		p.t.Errorf("natively %+v, as a module %+v", shown, guest)
	}
	return verdicts, err
}

type twinAdmission struct{ *twins }

func (w twinAdmission) Policies() []string { return namesOf(admission.All(), sdk.Admission.Policies) }

func (w twinAdmission) Review(ctx context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	native := pick(admission.All(), sdk.Admission.Policies, r.Policy)
	renamed := r
	renamed.Policy = "w-" + r.Policy
	_, guestErr := remote.Admission(w.m).Review(ctx, renamed)
	review, err := native.Review(ctx, r)
	w.same(wire.AppendAdmissionReview(nil, review), err, guestErr)
	return review, err
}
