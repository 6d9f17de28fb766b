package author

import (
	"context"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// sample is a question of any size, made of a vector: what is measured, and what
// fuzzing starts from.
type sample struct {
	kind remote.Kind
	name string
	spec []byte // of a kind that is prepared
	// input is a question of n items; of the kinds that have one item, n says nothing.
	input func(n int) []byte
}

// policiesOf are the module's policies, as its caller sees them: what is built in
// without any messages in between.
func policiesOf(m remote.Module) Builtins {
	if n, ok := m.(native); ok {
		return n.Builtins
	}
	return Builtins{
		Constraints: []sdk.Constraint{remote.Constraint(m)}, Fetches: []sdk.Fetch{remote.Fetch(m)}, Upgrades: []sdk.Upgrade{remote.Upgrade(m)},
		Healths: []sdk.Health{remote.Health(m)}, Admissions: []sdk.Admission{remote.Admission(m)},
	}
}

// asker asks the same again and again.
type asker struct {
	ask func() error
	end func()
}

// asker prepares a question of n items for the policy of that name.
func (s *sample) asker(ctx context.Context, of Builtins, name string, n int) (asker, error) {
	tools, spec, input := toolsOf(s.kind), s.spec, s.input(n)
	if spec == nil {
		return tools.asker(ctx, of, nil, tools.renamed(input, name))
	}
	return tools.asker(ctx, of, tools.renamed(spec, name), input)
}
