package policy

import (
	"bytes"

	"github.com/pacer-run/pacer/runtime/policy/recording"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk/wire"
)

// agree tells whether two answers to the same question come to the same. Texts for
// people, and what a strategy keeps in mind, may differ.
func agree(a, b recording.Call) bool {
	if a.Failure != b.Failure {
		return false
	}
	if a.Failure != recording.None || bytes.Equal(a.Answer, b.Answer) {
		return true
	}
	one, err := bare(a.Kind, a.Items, a.Answer)
	if err != nil {
		return false
	}
	other, err := bare(a.Kind, a.Items, b.Answer)
	return err == nil && bytes.Equal(one, other)
}

// bare is an answer without what does not count.
func bare(kind remote.Kind, items int, answer []byte) ([]byte, error) {
	switch kind {
	case remote.KindFetch:
		decisions, err := wire.DecodeFetchAnswer(answer, items)
		for i := range decisions {
			decisions[i].Reason = ""
		}
		return wire.AppendFetchAnswer(nil, decisions), err
	case remote.KindUpgrade:
		step, err := wire.DecodeUpgradeStep(answer)
		step.Reason, step.Memory = "", nil
		return wire.AppendUpgradeStep(nil, step), err
	case remote.KindHealth:
		verdicts, err := wire.DecodeHealthAnswer(answer, items)
		for i := range verdicts {
			verdicts[i].Reason = ""
		}
		return wire.AppendHealthAnswer(nil, verdicts), err
	case remote.KindAdmission:
		review, err := wire.DecodeAdmissionReview(answer)
		review.Reason, review.Path, review.Warnings = "", "", nil
		return wire.AppendAdmissionReview(nil, review), err
	default:
		quotas, err := wire.DecodeAnswer(answer, items)
		quotas.Reason = ""
		return wire.AppendAnswer(nil, quotas), err
	}
}
