package policytest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk"
)

// AdmissionVector is one change and what an admission policy makes of it, or settings
// and what is wrong with these. Vectors are a list in JSON:
//
//	[{"policy": "caps", "settings": "cpus=4", "verb": "create", "subject": "app", "id": "/a",
//	  "new": {"id": "/a", "cpus": 8}, "denied": "more than 4", "path": "/cpus"},
//	 {"policy": "caps", "settings": "cpus", "invalid": "expected"}]
//
// A change for which nothing is named is let through as it is, without a warning.
type AdmissionVector struct {
	Text string `json:"-"` // the vector as it is in the list
	At   int    `json:"-"` // where that begins, in bytes

	Name             string // for people; may be ""
	Policy, Settings string
	Verb             string // create, update or delete
	Subject          string // app or group
	ID               string
	Old, New         json.RawMessage // nil for none
	User             string
	Force            bool
	NowMillis        int64
	Above            []sdk.GroupUse

	Invalid  string          // in the message about the settings; "" when they are right
	Denied   string          // in the reason; "" when it is let through
	Path     string          // of the field, when it is denied
	Amended  json.RawMessage // nil for as it is; members may come in any order
	Warnings []string        // each a part of one, in their order
}

// ReadAdmission reads a list of vectors. A field that vectors do not have is an error.
func ReadAdmission(data []byte) ([]AdmissionVector, error) {
	var texts []json.RawMessage
	if err := json.Unmarshal(data, &texts); err != nil {
		return nil, jsonMistake(data, err)
	}
	vectors := make([]AdmissionVector, len(texts))
	end := 0
	for i, text := range texts {
		v := &vectors[i]
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		err := d.Decode(v)
		if err == nil {
			_, err = v.request()
		}
		if err != nil {
			return nil, fmt.Errorf("vector %d: %w", i+1, jsonMistake(text, err))
		}
		v.Text, v.At = string(text), end+bytes.Index(data[end:], text) // between them is no more than commas
		end = v.At + len(text)
	}
	return vectors, nil
}

// jsonMistake tells an error of package json to those who write vectors: by the line, or
// by the field and what it takes.
func jsonMistake(text []byte, err error) error {
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:min(int(wrong.Offset), len(text))], []byte("\n")), err)
	}
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		if unknown, ok := strings.CutPrefix(err.Error(), "json: "); ok {
			return errors.New(unknown) // package json has no type for an unknown field
		}
		return err
	}
	field := ""
	if wrong.Field != "" {
		field = strings.ToLower(wrong.Field[:1]) + wrong.Field[1:] + ": "
	}
	expected := ""
	switch wrong.Type.Kind() {
	case reflect.String:
		expected = "a text"
	case reflect.Bool:
		expected = "true or false"
	case reflect.Slice:
		expected = "a list"
	case reflect.Struct:
		expected = "an object"
	case reflect.Float64:
		expected = "a number"
	default:
		expected = "a whole number"
	}
	return fmt.Errorf("%sexpected %s and not %s", field, expected, wrong.Value)
}

// request is the change as a policy is asked about it.
func (v AdmissionVector) request() (sdk.AdmissionRequest, error) {
	r := sdk.AdmissionRequest{
		Policy: v.Policy, Settings: v.Settings, ID: v.ID, Old: v.Old, New: v.New, User: v.User, Force: v.Force,
		NowMillis: v.NowMillis, Above: v.Above,
	}
	if v.Policy != sdk.CanonicalAdmissionPolicy(v.Policy) || v.Policy == "" {
		return r, fmt.Errorf("policy %q: expected a lower-case letter, then lower-case letters, digits and dashes, 64 at most", v.Policy)
	}
	if v.Invalid != "" {
		return r, nil
	}
	for _, r.Verb = range []sdk.AdmissionVerb{sdk.AdmissionCreate, sdk.AdmissionUpdate, sdk.AdmissionDelete, sdk.AdmissionCheck} {
		if r.Verb.String() == v.Verb {
			break
		}
	}
	switch v.Subject {
	case "app":
		r.Subject = sdk.AdmissionApp
	case "group":
		r.Subject = sdk.AdmissionGroup
	default:
		return r, fmt.Errorf("subject %q: expected app or group", v.Subject)
	}
	if (v.Old != nil) != (r.Verb != sdk.AdmissionCreate) || (v.New != nil) != (r.Verb != sdk.AdmissionDelete) || r.Verb == sdk.AdmissionCheck {
		return r, fmt.Errorf("verb %q: expected create with new, update with old and new, or delete with old", v.Verb)
	}
	return r, nil
}

// RunAdmission checks each vector, in a subtest of its name or number, with the policy
// that offers its policy's name. A name that none offers fails.
func RunAdmission(t *testing.T, policies []sdk.Admission, vectors []AdmissionVector) {
	t.Helper()
	for n, v := range vectors {
		t.Run(v.Policy+" "+cmp.Or(v.Name, fmt.Sprint(n+1)), func(t *testing.T) {
			i := slices.IndexFunc(policies, func(p sdk.Admission) bool { return slices.Contains(p.Policies(), v.Policy) })
			if i < 0 {
				t.Fatalf("no policy has the name %s", v.Policy)
			}
			if err := v.Check(t.Context(), policies[i]); err != nil {
				t.Error(err)
			}
		})
	}
}

// Check says how the policy's review differs from the vector; nil if it does not. The
// settings are checked first, then the change is reviewed twice: the same request has
// the same review, and is left alone.
func (v AdmissionVector) Check(ctx context.Context, policy sdk.Admission) error {
	r, err := v.request()
	if err != nil {
		return err
	}
	_, err = policy.Review(ctx, sdk.AdmissionRequest{Policy: v.Policy, Settings: v.Settings, Verb: sdk.AdmissionCheck})
	if invalid, ok := errors.AsType[*sdk.Invalid](err); ok && v.Invalid != "" {
		if !strings.Contains(invalid.Message, v.Invalid) {
			return fmt.Errorf("invalid: %q, want %q in it", invalid.Message, v.Invalid)
		}
		return nil
	}
	switch {
	case err != nil:
		return fmt.Errorf("about the settings: %w", err)
	case v.Invalid != "":
		return fmt.Errorf("the settings are accepted, want them invalid with %q", v.Invalid)
	}
	r.Old, r.New = bytes.Clone(v.Old), bytes.Clone(v.New)
	review, err := policy.Review(ctx, r)
	if err != nil {
		return fmt.Errorf("review: %w", err)
	}
	again, err := policy.Review(ctx, r)
	switch {
	case err != nil:
		return fmt.Errorf("review of the same again: %w", err)
	case !reflect.DeepEqual(review, again):
		return fmt.Errorf("the same request is answered %+v, then %+v", review, again)
	case !bytes.Equal(r.Old, v.Old) || !bytes.Equal(r.New, v.New):
		return errors.New("the policy has changed the request")
	}
	return v.compare(review)
}

func (v AdmissionVector) compare(got sdk.AdmissionReview) error {
	switch {
	case got.Denied != (v.Denied != "") || !strings.Contains(got.Reason, v.Denied):
		return fmt.Errorf("denied %t with %q, want %q", got.Denied, got.Reason, v.Denied)
	case got.Denied && got.Path != v.Path:
		return fmt.Errorf("denied at %q, want %q", got.Path, v.Path)
	case len(got.Warnings) != len(v.Warnings):
		return fmt.Errorf("warnings %q, want %q", got.Warnings, v.Warnings)
	}
	for i, want := range v.Warnings {
		if !strings.Contains(got.Warnings[i], want) {
			return fmt.Errorf("warnings %q, want %q", got.Warnings, v.Warnings)
		}
	}
	if (got.Amended == nil) != (v.Amended == nil) || got.Amended != nil && !sameJSON(got.Amended, v.Amended) {
		return fmt.Errorf("amended to %s, want %s", got.Amended, v.Amended)
	}
	return nil
}

// sameJSON compares what two texts mean.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
