package api

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// scriptAdmission does what the labels of an app say, with two policies. The first one
// obeys deny, at the field of deny-at, warn, fault, and set, which is a JSON object of
// fields to amend; what an app's labels say of its deletion is keep. The second one,
// quota, lets no group ask for more than 10 cores in all. Of groups the first one denies
// dependencies on /forbidden, and makes those on /old ones on /new.
func scriptAdmission(
	_ context.Context, r sdk.AdmissionRequest, take func(string, []byte) ([]byte, error),
) (review sdk.AdmissionReview, err error) {
	if r.Subject == sdk.AdmissionGroup {
		return scriptGroup(r, take)
	}
	now := fieldsOf(r.New)
	labels, _ := now["labels"].(map[string]any)
	label := func(name string) string { s, _ := labels[name].(string); return s }
	if text := label("warn"); text != "" {
		review.Warnings = append(review.Warnings, "admission policy script: "+text)
	}
	old, _ := fieldsOf(r.Old)["labels"].(map[string]any)
	switch {
	case r.New == nil && old["keep"] != nil:
		return deny("script", "", "it is kept"), nil
	case label("deny") != "":
		return deny("script", label("deny-at"), label("deny")), nil
	case label("deny-user") != "" && label("deny-user") == r.User:
		return deny("script", "", r.User+" may not"), nil
	case label("fault") != "":
		return review, &sdk.Fault{Module: "zoo@1.0.0", Cause: label("fault")}
	case label("set") != "":
		if r.New, err = take("script", amend(r.New, now, label("set"))); err != nil {
			return review, &sdk.Fault{Module: "zoo@1.0.0", Cause: "its amendment cannot be accepted: " + err.Error()}
		}
		now = fieldsOf(r.New)
	}
	cpus, _ := now["cpus"].(float64)
	instances, _ := now["instances"].(float64)
	for _, g := range r.Above {
		if r.New != nil && g.CPUs+cpus*instances > 10 {
			d := deny("quota", "/cpus", g.ID+" has 10 cores")
			d.Warnings = review.Warnings
			return d, nil
		}
	}
	return review, nil
}

func scriptGroup(r sdk.AdmissionRequest, take func(string, []byte) ([]byte, error)) (review sdk.AdmissionReview, err error) {
	switch {
	case strings.Contains(string(r.New), `"dependencies":["/forbidden"]`):
		return deny("script", "/dependencies", "nobody may need /forbidden"), nil
	case strings.Contains(string(r.New), `"dependencies":["/old"]`):
		_, err = take("script", []byte(strings.ReplaceAll(string(r.New), `["/old"]`, `["/new"]`)))
	case r.ID == "/closed" && r.New == nil:
		return deny("script", "", "it is closed"), nil
	case r.ID == "/enforced" && strings.Contains(string(r.New), `"enforceRole":true`):
		_, err = take("script", []byte(strings.ReplaceAll(string(r.New), `"enforceRole":true`, `"enforceRole":false`)))
	}
	if err != nil {
		err = &sdk.Fault{Module: "zoo@1.0.0", Cause: "its amendment cannot be accepted: " + err.Error()}
	}
	return review, err
}

func deny(policy, path, reason string) sdk.AdmissionReview {
	return sdk.DenyAdmission(path, "denied by the admission policy "+policy+": "+reason)
}

// fieldsOf are those of an object; nil for none.
func fieldsOf(data []byte) (fields map[string]any) {
	if data != nil && json.Unmarshal(data, &fields) != nil {
		panic("no object: " + string(data))
	}
	return fields
}

// amend sets fields of an object, or answers the text that is none.
func amend(data []byte, fields map[string]any, set string) []byte {
	var changed map[string]any
	if json.Unmarshal([]byte(set), &changed) != nil {
		return []byte(set)
	}
	maps.Copy(fields, changed)
	return encodeJSON(fields)
}
