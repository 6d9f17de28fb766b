package author

import (
	"context"
	"strconv"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
	"github.com/pacer-run/pacer/sdk/wire"
)

// sample is a question of any size, made of a vector: what is measured, and what
// fuzzing starts from.
type sample struct {
	kind remote.Kind
	name string
	spec func(name string) []byte // of a kind that is prepared
	// input is a question of n items; of the kinds that have one item, n says nothing.
	input func(name string, n int) []byte
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
	switch s.kind {
	case remote.KindConstraint:
		return s.constraintAsker(ctx, of, name, n)
	case remote.KindFetch:
		return preparedAsker(ctx, of.Fetches, sdk.Fetch.Policies, sdk.Fetch.Prepare, sdk.PreparedFetch.Decide, wire.DecodeFetchSpec, wire.DecodeFetchInput, s, name, n)
	case remote.KindUpgrade:
		return preparedAsker(ctx, of.Upgrades, sdk.Upgrade.Strategies, sdk.Upgrade.Prepare, sdk.PreparedUpgrade.Next, wire.DecodeUpgradeSpec, wire.DecodeUpgradeState, s, name, n)
	case remote.KindHealth:
		return preparedAsker(ctx, of.Healths, sdk.Health.Rules, sdk.Health.Prepare, sdk.PreparedHealth.Judge, wire.DecodeHealthSpec, wire.DecodeHealthInput, s, name, n)
	default:
		return s.admissionAsker(ctx, of, name, n)
	}
}

func (s *sample) admissionAsker(ctx context.Context, of Builtins, name string, n int) (asker, error) {
	policy, err := named(of.Admissions, sdk.Admission.Policies, name)
	if err != nil {
		return asker{}, err
	}
	request, err := wire.DecodeAdmissionRequest(s.input(name, n))
	return asker{func() error {
		_, err := policy.Review(ctx, request)
		return err
	}, func() {}}, err
}

func (s *sample) constraintAsker(ctx context.Context, of Builtins, name string, n int) (asker, error) {
	policy, err := named(of.Constraints, sdk.Constraint.Operators, name)
	if err != nil {
		return asker{}, err
	}
	spec, err := wire.DecodeSpec(s.spec(name))
	if err != nil {
		return asker{}, err
	}
	p, err := policy.Prepare(ctx, spec)
	if err != nil {
		return asker{}, err
	}
	var decoder wire.InputDecoder
	in, err := decoder.Decode(s.input(name, n))
	return asker{func() error {
		_, err := p.Evaluate(ctx, in)
		return err
	}, p.Close}, err
}

// preparedAsker is the same for the kinds that are alike.
func preparedAsker[Policy any, Prepared interface{ Close() }, Spec, In, Out any](
	ctx context.Context, policies []Policy, names func(Policy) []string, prepare func(Policy, context.Context, Spec) (Prepared, error),
	answer func(Prepared, context.Context, In) (Out, error), decodeSpec func([]byte) (Spec, error), decode func([]byte) (In, error),
	s *sample, name string, n int,
) (asker, error) {
	policy, err := named(policies, names, name)
	if err != nil {
		return asker{}, err
	}
	spec, err := decodeSpec(s.spec(name))
	if err != nil {
		return asker{}, err
	}
	in, err := decode(s.input(name, n))
	if err != nil {
		return asker{}, err
	}
	p, err := prepare(policy, ctx, spec)
	if err != nil {
		return asker{}, err
	}
	return asker{func() error {
		_, err := answer(p, ctx, in)
		return err
	}, p.Close}, nil
}

func constraintSample(v policytest.Vector) *sample {
	return &sample{
		kind: remote.KindConstraint, name: v.Spec.Operator,
		spec: func(name string) []byte {
			spec := v.Spec
			spec.Operator = name
			return wire.AppendSpec(nil, spec)
		},
		input: func(_ string, n int) []byte {
			in := sdk.ConstraintInput{Values: []string{""}, Placed: []uint32{0}, First: -1, Instances: uint32(n)}
			for i := range n {
				value := "value-" + strconv.Itoa(i)
				if known := len(v.Input.Values) - 1; known > 0 {
					value = v.Input.Values[1+i%known]
					if i >= known {
						value += "-" + strconv.Itoa(i/known)
					}
				}
				in.Values, in.Placed = append(in.Values, value), append(in.Placed, uint32(i%3))
			}
			if n > 1 {
				in.First = 2
			}
			return wire.AppendInput(nil, in)
		},
	}
}

func fetchSample(v policytest.FetchVector) *sample {
	return &sample{
		kind: remote.KindFetch, name: v.Policy,
		spec: func(name string) []byte {
			return wire.AppendFetchSpec(nil, sdk.FetchSpec{Policy: name, Settings: v.Settings, App: sdk.AppFacts{ID: "/app", Instances: 1}})
		},
		input: func(_ string, n int) []byte {
			uris := make([]sdk.FetchURI, n)
			for i := range uris {
				uris[i] = sdk.FetchURI{URI: v.URI + "-" + strconv.Itoa(i), Extract: true}
			}
			return wire.AppendFetchInput(nil, uris)
		},
	}
}

func upgradeSample(v policytest.UpgradeVector) *sample {
	return &sample{
		kind: remote.KindUpgrade, name: v.Spec.Strategy,
		spec: func(name string) []byte {
			spec := v.Spec
			spec.Strategy = name
			return wire.AppendUpgradeSpec(nil, spec)
		},
		input: func(string, int) []byte { return wire.AppendUpgradeState(nil, v.State) },
	}
}

func healthSample(v policytest.HealthVector) *sample {
	return &sample{
		kind: remote.KindHealth, name: v.Spec.Rule,
		spec: func(name string) []byte {
			spec := v.Spec
			spec.Rule = name
			return wire.AppendHealthSpec(nil, spec)
		},
		input: func(_ string, n int) []byte {
			histories := make([]sdk.HealthHistory, n)
			for i := range histories {
				h := sdk.HealthHistory{AgeMillis: 600_000}
				for bit := range 16 {
					h.HealthRecord = h.Add(sdk.HealthResult{AtMillis: int64(bit+1) * 10_000, Alive: (i*7+bit)%5 != 0, Cause: "no answer"})
				}
				histories[i] = h
			}
			return wire.AppendHealthInput(nil, histories)
		},
	}
}

// admissionSample is an app that is created.
func admissionSample(v policytest.AdmissionVector) *sample {
	return &sample{
		kind: remote.KindAdmission, name: v.Policy,
		input: func(name string, _ int) []byte {
			app := []byte(v.New)
			if app == nil {
				app = []byte(`{"id":"/app","cpus":1,"mem":128,"instances":1,"labels":{}}`)
			}
			return wire.AppendAdmissionRequest(nil, sdk.AdmissionRequest{
				Policy: name, Settings: v.Settings, Verb: sdk.AdmissionCreate, Subject: sdk.AdmissionApp, ID: "/app", New: app,
				User: v.User, NowMillis: v.NowMillis, Above: v.Above,
			})
		},
	}
}
