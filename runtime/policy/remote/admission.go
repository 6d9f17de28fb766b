package remote

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Admission is the module's policy of the kind admission.
func Admission(m Module) sdk.Admission { return admission{m} }

type admission struct{ module Module }

func (a admission) Policies() []string { return Names(a.module, KindAdmission) }

func (a admission) Review(ctx context.Context, r sdk.AdmissionRequest) (review sdk.AdmissionReview, err error) {
	err = a.module.Review(ctx, wire.AppendAdmissionRequest(nil, r), func(b []byte) (err error) {
		review, err = wire.DecodeAdmissionReview(b)
		return err
	})
	if err != nil {
		return sdk.AdmissionReview{}, err
	}
	review.Reason = line(review.Reason)
	for i := range review.Warnings {
		review.Warnings[i] = line(review.Warnings[i])
	}
	return review, nil
}
