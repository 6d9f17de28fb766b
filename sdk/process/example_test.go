package process_test

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/process"
)

// tidy refuses apps whose name is too long to read.
type tidy struct{}

func (tidy) Policies() []string { return []string{"tidy"} }

func (tidy) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	if len(r.ID) > 40 {
		return sdk.DenyAdmission("/id", "an id of at most 40 letters expected"), nil
	}
	return sdk.AllowAdmission(), nil
}

// The whole main of a module.
func ExampleServe() {
	process.Serve(process.Module{Name: "tidy", Version: "1.0.0", Admission: tidy{}})
}
