package admission

import (
	"context"
	"strings"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/jsonvalue"
)

// Labels is the policy labels: every app has to have the labels in its settings, such
// as team;owner, and none of them empty. An app that lacked one already is let through
// with a warning: it can be scaled and mended.
type Labels struct{}

// Policies returns labels.
func (Labels) Policies() []string { return []string{"labels"} }

// Review looks at the labels of an app.
func (Labels) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	names := listOf(r.Settings)
	if len(names) == 0 {
		return sdk.AdmissionReview{}, &sdk.Invalid{
			Message: "the admission policy labels needs settings such as team;owner, the labels that every app has to have",
		}
	}
	review := sdk.AllowAdmission()
	if r.Subject != sdk.AdmissionApp || r.Verb == sdk.AdmissionDelete {
		return review, nil
	}
	old, now, err := appsOf(r)
	if err != nil {
		return review, err
	}
	for _, name := range names {
		switch {
		case label(now, name) != "":
		case old.Exists() && label(old, name) == "":
			review.Warnings = append(review.Warnings, r.ID+" has no label "+name)
		default:
			return sdk.DenyAdmission("/labels/"+name, "every app needs the label "+name), nil
		}
	}
	return review, nil
}

// label is the label of an app without blanks around it; "" when there is none.
func label(app jsonvalue.Value, name string) string {
	return strings.TrimSpace(app.Get("labels", name).String())
}
