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
	ask  func(name string, n int) (input []byte, items int)
}

// call asks once, and prepares before where that is due. It returns a function that
// asks again, and one that ends it.
func (s *sample) prepare(ctx context.Context, m remote.Module, name string) (ask func(input []byte, items int, take func([]byte) error) error, end func(), err error) {
	if s.spec == nil {
		return func(input []byte, _ int, take func([]byte) error) error { return m.Review(ctx, input, take) }, func() {}, nil
	}
	p, err := m.Prepare(ctx, s.kind, s.spec(name))
	if err != nil {
		return nil, nil, err
	}
	return func(input []byte, items int, take func([]byte) error) error { return p.Ask(ctx, input, items, take) }, p.Close, nil
}

func constraintSample(v policytest.Vector) *sample {
	return &sample{
		kind: remote.KindConstraint, name: v.Spec.Operator,
		spec: func(name string) []byte {
			spec := v.Spec
			spec.Operator = name
			return wire.AppendSpec(nil, spec)
		},
		ask: func(_ string, n int) ([]byte, int) {
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
			return wire.AppendInput(nil, in), len(in.Values)
		},
	}
}

func fetchSample(v policytest.FetchVector) *sample {
	return &sample{
		kind: remote.KindFetch, name: v.Policy,
		spec: func(name string) []byte {
			return wire.AppendFetchSpec(nil, sdk.FetchSpec{Policy: name, Settings: v.Settings, App: sdk.AppFacts{ID: "/app", Instances: 1}})
		},
		ask: func(_ string, n int) ([]byte, int) {
			uris := make([]sdk.FetchURI, n)
			for i := range uris {
				uris[i] = sdk.FetchURI{URI: v.URI + "-" + strconv.Itoa(i), Extract: true}
			}
			return wire.AppendFetchInput(nil, uris), n
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
		ask: func(string, int) ([]byte, int) { return wire.AppendUpgradeState(nil, v.State), 1 },
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
		ask: func(_ string, n int) ([]byte, int) {
			histories := make([]sdk.HealthHistory, n)
			for i := range histories {
				h := sdk.HealthHistory{AgeMillis: 600_000}
				for bit := range 16 {
					h.HealthRecord = h.Add(sdk.HealthResult{AtMillis: int64(bit+1) * 10_000, Alive: (i*7+bit)%5 != 0, Cause: "no answer"})
				}
				histories[i] = h
			}
			return wire.AppendHealthInput(nil, histories), n
		},
	}
}

// admissionSample is an app that is created.
func admissionSample(v policytest.AdmissionVector) *sample {
	return &sample{
		kind: remote.KindAdmission, name: v.Policy,
		ask: func(name string, _ int) ([]byte, int) {
			app := []byte(v.New)
			if app == nil {
				app = []byte(`{"id":"/app","cpus":1,"mem":128,"instances":1,"labels":{}}`)
			}
			return wire.AppendAdmissionRequest(nil, sdk.AdmissionRequest{
				Policy: name, Settings: v.Settings, Verb: sdk.AdmissionCreate, Subject: sdk.AdmissionApp, ID: "/app", New: app,
				User: v.User, NowMillis: v.NowMillis, Above: v.Above,
			}), 1
		},
	}
}
