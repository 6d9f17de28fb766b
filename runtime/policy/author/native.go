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
	p, err := toolsOf(kind).prepare(ctx, n.Builtins, spec)
	if err != nil {
		return nil, fault(err)
	}
	return p, nil
}

func (n native) Review(ctx context.Context, b []byte, take func([]byte) error) error {
	answer, err := admissionTools{}.review(ctx, n.Builtins, b)
	if err == nil {
		err = take(wire.AppendAdmissionReview(nil, answer))
	}
	if err != nil {
		return fault(err)
	}
	return nil
}
