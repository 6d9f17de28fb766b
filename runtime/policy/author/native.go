package author

import (
	"context"
	"errors"
	"slices"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Module is the policies as a module that is asked by messages. It uses no fuel.
func (b Builtins) Module() remote.Module { return native{b} }

type native struct{ Builtins }

func (n native) Description() wire.Description {
	d := wire.Description{Minor: wire.Minor, Name: "builtin", Version: "0"}
	for _, p := range n.Constraints {
		d.Operators = append(d.Operators, p.Operators()...)
	}
	for _, p := range n.Fetches {
		d.Fetchers = append(d.Fetchers, p.Policies()...)
	}
	for _, p := range n.Upgrades {
		d.Strategies = append(d.Strategies, p.Strategies()...)
	}
	for _, p := range n.Healths {
		d.Rules = append(d.Rules, p.Rules()...)
	}
	for _, p := range n.Admissions {
		d.Admission = append(d.Admission, p.Policies()...)
	}
	return d
}

func (native) FuelUsed() int64 { return 0 }

func (native) Close(context.Context) error { return nil }

// fault is the form in which callers see that a policy failed.
func fault(err error) error {
	if _, ok := errors.AsType[*sdk.Invalid](err); ok {
		return err
	}
	return &sdk.Fault{Module: "builtin", Cause: err.Error()}
}

// named finds the policy that offers a name.
func named[P any](policies []P, names func(P) []string, name string) (p P, err error) {
	for _, p := range policies {
		if slices.Contains(names(p), name) {
			return p, nil
		}
	}
	return p, &sdk.Invalid{Message: "nothing has the name " + name}
}

// prepared is what a builtin policy has taken.
type prepared struct {
	traits sdk.Traits
	ask    func(ctx context.Context, input []byte) ([]byte, error)
	close  func()
}

func (p prepared) Traits() sdk.Traits { return p.traits }
func (p prepared) Close()             { p.close() }

func (p prepared) Ask(ctx context.Context, input []byte, _ int, take func([]byte) error) error {
	answer, err := p.ask(ctx, input)
	if err == nil {
		err = take(answer)
	}
	if err != nil {
		return fault(err)
	}
	return nil
}

func (n native) Prepare(ctx context.Context, kind remote.Kind, spec []byte) (remote.Prepared, error) {
	prepare := map[remote.Kind]func(context.Context, []byte) (prepared, error){
		remote.KindConstraint: n.constraint, remote.KindFetch: n.fetch, remote.KindUpgrade: n.upgrade, remote.KindHealth: n.health,
	}[kind]
	if prepare == nil {
		return nil, fault(errors.New("nothing of the kind " + kind.String() + " is prepared"))
	}
	p, err := prepare(ctx, spec)
	if err != nil {
		return nil, fault(err)
	}
	return p, nil
}

func (n native) constraint(ctx context.Context, b []byte) (prepared, error) {
	spec, err := wire.DecodeSpec(b)
	if err != nil {
		return prepared{}, err
	}
	policy, err := named(n.Constraints, sdk.Constraint.Operators, spec.Operator)
	if err != nil {
		return prepared{}, err
	}
	p, err := policy.Prepare(ctx, spec)
	if err != nil {
		return prepared{}, err
	}
	var decoder wire.InputDecoder
	return prepared{p.Traits(), func(ctx context.Context, b []byte) ([]byte, error) {
		in, err := decoder.Decode(b)
		if err != nil {
			return nil, err
		}
		answer, err := p.Evaluate(ctx, in)
		return wire.AppendAnswer(nil, answer), err
	}, p.Close}, nil
}

func (n native) fetch(ctx context.Context, b []byte) (prepared, error) {
	spec, err := wire.DecodeFetchSpec(b)
	if err != nil {
		return prepared{}, err
	}
	policy, err := named(n.Fetches, sdk.Fetch.Policies, spec.Policy)
	if err != nil {
		return prepared{}, err
	}
	p, err := policy.Prepare(ctx, spec)
	if err != nil {
		return prepared{}, err
	}
	return prepared{0, asked(wire.DecodeFetchInput, p.Decide, wire.AppendFetchAnswer), p.Close}, nil
}

func (n native) upgrade(ctx context.Context, b []byte) (prepared, error) {
	spec, err := wire.DecodeUpgradeSpec(b)
	if err != nil {
		return prepared{}, err
	}
	policy, err := named(n.Upgrades, sdk.Upgrade.Strategies, spec.Strategy)
	if err != nil {
		return prepared{}, err
	}
	p, err := policy.Prepare(ctx, spec)
	if err != nil {
		return prepared{}, err
	}
	return prepared{0, asked(wire.DecodeUpgradeState, p.Next, wire.AppendUpgradeStep), p.Close}, nil
}

func (n native) health(ctx context.Context, b []byte) (prepared, error) {
	spec, err := wire.DecodeHealthSpec(b)
	if err != nil {
		return prepared{}, err
	}
	policy, err := named(n.Healths, sdk.Health.Rules, spec.Rule)
	if err != nil {
		return prepared{}, err
	}
	p, err := policy.Prepare(ctx, spec)
	if err != nil {
		return prepared{}, err
	}
	return prepared{0, asked(wire.DecodeHealthInput, p.Judge, wire.AppendHealthAnswer), p.Close}, nil
}

// asked answers bytes by bytes.
func asked[In, Out any](
	decode func([]byte) (In, error), answer func(context.Context, In) (Out, error), encode func([]byte, Out) []byte,
) func(context.Context, []byte) ([]byte, error) {
	return func(ctx context.Context, b []byte) ([]byte, error) {
		in, err := decode(b)
		if err != nil {
			return nil, err
		}
		out, err := answer(ctx, in)
		if err != nil {
			return nil, err
		}
		return encode(nil, out), nil
	}
}

func (n native) Review(ctx context.Context, b []byte, take func([]byte) error) error {
	r, err := wire.DecodeAdmissionRequest(b)
	if err != nil {
		return fault(err)
	}
	policy, err := named(n.Admissions, sdk.Admission.Policies, r.Policy)
	if err != nil {
		return fault(err)
	}
	review, err := policy.Review(ctx, r)
	if err == nil {
		err = take(wire.AppendAdmissionReview(nil, review))
	}
	if err != nil {
		return fault(err)
	}
	return nil
}
