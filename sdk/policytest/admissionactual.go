package policytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// Review asks the policy what the vector asks: about the settings first, and then
// about the change. The error is an *sdk.Invalid for settings that are refused.
func (v AdmissionVector) Review(ctx context.Context, policy sdk.Admission) (sdk.AdmissionReview, error) {
	_, err := policy.Review(ctx, sdk.AdmissionRequest{Policy: v.Policy, Settings: v.Settings, Verb: sdk.AdmissionCheck})
	if err != nil {
		return sdk.AdmissionReview{}, err
	}
	v.Invalid = "" // it is what has to be there for any other
	r, err := v.request()
	if err != nil {
		return sdk.AdmissionReview{}, errors.Join(errors.New("the settings are accepted, and the vector has no change to review"), err)
	}
	r.Old, r.New = bytes.Clone(v.Old), bytes.Clone(v.New)
	return policy.Review(ctx, r)
}

// Actual is the vector as the policy reviews it: as it was written, with the review
// that came in the place of the expected one.
func (v AdmissionVector) Actual(ctx context.Context, policy sdk.Admission) (string, error) {
	review, err := v.Review(ctx, policy)
	var answer []string
	add := func(name string, value any) {
		text, failed := jsonText(value)
		answer = append(answer, `"`+name+`": `+text)
		err = errors.Join(err, failed)
	}
	if invalid, ok := errors.AsType[*sdk.Invalid](err); ok {
		err = nil
		add("invalid", invalid.Message)
		return v.with(answer), err
	}
	if err != nil {
		return "", err
	}
	if review.Denied {
		if review.Reason == "" {
			return "", errors.New("it denies without a reason, which no vector can say")
		}
		add("denied", review.Reason)
		if review.Path != "" {
			add("path", review.Path)
		}
	}
	if review.Amended != nil {
		add("amended", json.RawMessage(review.Amended))
	}
	if len(review.Warnings) > 0 {
		add("warnings", review.Warnings)
	}
	if err != nil {
		return "", err
	}
	return v.with(answer), nil
}

// jsonText is a value without what only a page in HTML needs.
func jsonText(value any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return strings.TrimSpace(out.String()), err
}

// member is a part of an object's text: a name with its value.
type member struct {
	name     string
	from, to int
}

// members are those of the object, which has been read before.
func members(text string) (list []member) {
	d := json.NewDecoder(strings.NewReader(text))
	_, _ = d.Token()
	for d.More() {
		from := int(d.InputOffset())
		from += strings.IndexByte(text[from:], '"')
		name, _ := d.Token()
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return list
		}
		key, _ := name.(string)
		list = append(list, member{key, from, int(d.InputOffset())})
	}
	return list
}

// with is the vector's text with another answer. What is between its members stays,
// so that the lines of a file do.
func (v AdmissionVector) with(answer []string) string {
	answers := []string{"invalid", "denied", "path", "amended", "warnings"}
	list := members(v.Text)
	var out strings.Builder
	out.WriteString(v.Text[:list[0].from]) // there is a policy at least
	between, kept := "", 0
	for i, m := range list {
		gap := ", "
		if i > 0 {
			gap = v.Text[list[i-1].to:m.from]
		}
		if slices.ContainsFunc(answers, func(name string) bool { return strings.EqualFold(name, m.name) }) {
			if between == "" {
				between = gap
			}
			continue
		}
		if kept > 0 {
			out.WriteString(gap)
		}
		out.WriteString(v.Text[m.from:m.to])
		kept++
	}
	if between == "" {
		between = ", "
	}
	for i, text := range answer {
		if i > 0 {
			between = ", "
		}
		out.WriteString(between + text)
	}
	out.WriteString(v.Text[list[len(list)-1].to:])
	return out.String()
}
