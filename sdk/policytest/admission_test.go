package policytest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// admitter is a policy that reviews by a function.
type admitter func(sdk.AdmissionRequest) (sdk.AdmissionReview, error)

func (a admitter) Policies() []string { return []string{"test"} }

func (a admitter) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	if r.Settings == "bad" {
		return sdk.AdmissionReview{}, &sdk.Invalid{Message: "the settings are bad"}
	}
	if r.Verb == sdk.AdmissionCheck {
		return sdk.AdmissionReview{}, nil
	}
	return a(r)
}

func TestAdmissionVectors(t *testing.T) {
	const create = `"policy":"test","verb":"create","subject":"app","id":"/a","new":{"id":"/a"}`
	answers := func(review sdk.AdmissionReview) admitter {
		return func(sdk.AdmissionRequest) (sdk.AdmissionReview, error) { return review, nil }
	}
	allow, deny := answers(sdk.AllowAdmission()), answers(sdk.DenyAdmission("/cpus", "not here"))
	warn, amend := answers(sdk.AdmissionReview{Warnings: []string{"mind the gap"}}), answers(sdk.AdmissionReview{Amended: []byte(`{"b":1,"id":"/a"}`)})
	calls := 0
	for _, tt := range []struct {
		name, vector string
		policy       admitter
		want         string // in the error; "" for none
	}{
		{"allowed", create, allow, ""},
		{"allowed, but denied", create, deny, "denied true"},
		{"denied", create + `,"denied":"not here","path":"/cpus"`, deny, ""},
		{"denied elsewhere", create + `,"denied":"not here","path":"/mem"`, deny, `denied at "/cpus"`},
		{"denied for another reason", create + `,"denied":"not there","path":"/cpus"`, deny, "not there"},
		{"denied, but allowed", create + `,"denied":"not"`, allow, "denied false"},
		{"a warning", create + `,"warnings":["the gap"]`, warn, ""},
		{"another warning", create + `,"warnings":["the step"]`, warn, "the step"},
		{"no warning", create, warn, "mind the gap"},
		{"amended", create + `,"amended":{"id":"/a","b":1.0}`, amend, ""},
		{"amended otherwise", create + `,"amended":{"id":"/a","b":2}`, amend, "want"},
		{"amended, but not meant to be", create, amend, "amended to"},
		{"invalid", `"policy":"test","settings":"bad","invalid":"are bad"`, allow, ""},
		{"invalid for another reason", `"policy":"test","settings":"bad","invalid":"are good"`, allow, "are good"},
		{"not invalid", `"policy":"test","settings":"good","invalid":"bad"`, allow, "accepted"},
		{"invalid, but not meant to be", create + `,"settings":"bad"`, allow, "about the settings"},
		{"failed", create, func(sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
			return sdk.AdmissionReview{}, errors.New("no")
		}, "review: no"},
		{"changes the request", create, func(r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
			r.New[0] = '['
			return sdk.AllowAdmission(), nil
		}, "has changed the request"},
		{"answers otherwise", create, func(sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
			calls++
			return sdk.AdmissionReview{Denied: calls%2 == 0}, nil
		}, "the same request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			vectors, err := policytest.ReadAdmission([]byte("[{" + tt.vector + "}]"))
			if err != nil || len(vectors) != 1 {
				t.Fatalf("%+v, %v", vectors, err)
			}
			switch err := vectors[0].Check(t.Context(), tt.policy); {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
	for _, bad := range []string{
		`{}`, `[{}]`, `[{"policy":"Test"}]`, `[{"policy":"test","verb":"scale","subject":"app","new":{}}]`,
		`[{"policy":"test","verb":"create","subject":"pod","new":{}}]`, `[{"policy":"test","verb":"create","subject":"app"}]`,
		`[{"policy":"test","verb":"update","subject":"app","new":{}}]`, `[{"policy":"test","verb":"delete","subject":"app","old":{},"new":{}}]`,
		`[{"policy":"test","verb":"create","subject":"app","new":{},"deny":"x"}]`,
	} {
		if _, err := policytest.ReadAdmission([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// What is wrong with a list is told in words of the list, not of this package.
func TestWrongAdmissionVectors(t *testing.T) {
	for text, want := range map[string]string{
		"[\n {\"policy\": \"test\",}]":               "line 2: invalid character '}'",
		"[{\"policy\": \"test\"}\n":                  "line 2: unexpected end of JSON input",
		`{"policy": "test"}`:                         "expected a list and not object",
		`[3]`:                                        "vector 1: expected an object and not number",
		`[{"policy": "test", "user": 3}]`:            "vector 1: user: expected a text and not number",
		`[{"policy": "test", "nowMillis": "x"}]`:     "vector 1: nowMillis: expected a whole number and not string",
		`[{"policy": "test", "force": "x"}]`:         "vector 1: force: expected true or false and not string",
		`[{"policy": "test", "warnings": "x"}]`:      "vector 1: warnings: expected a list and not string",
		`[{"policy": "test", "above": [{"ID": 1}]}]`: "expected a text and not number",
		`[{}]`:                 `vector 1: policy "": expected a lower-case letter, then lower-case letters, digits and dashes, 64 at most`,
		`[{"policy": "Test"}]`: `vector 1: policy "Test": expected a lower-case letter`,
		`[{"policies": "x"}]`:  `vector 1: unknown field "policies"`,
	} {
		if _, err := policytest.ReadAdmission([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", text, err, want)
		}
	}
}

// The vector with the review that came in the place of the expected one; all else is
// as it was written.
func TestAdmissionActual(t *testing.T) {
	const create = `"policy":"test",  "verb":"create","subject":"app","id":"/a","new":{"id":"/a", "denied": 1}`
	answers := func(review sdk.AdmissionReview) admitter {
		return func(sdk.AdmissionRequest) (sdk.AdmissionReview, error) { return review, nil }
	}
	allow, deny := answers(sdk.AllowAdmission()), answers(sdk.DenyAdmission("/cpus", "a < \"b\""))
	for _, tt := range []struct {
		vector string
		policy admitter
		want   string // "" for an error
	}{
		{"{" + create + "}", allow, "{" + create + "}"},
		{"{" + create + ",\n \"denied\": \"x\", \"path\": \"/y\"\n}", allow, "{" + create + "\n}"},
		{"{" + create + ",\n \"denied\": \"x\", \"path\": \"/y\"\n}", deny, "{" + create + ",\n \"denied\": \"a < \\\"b\\\"\", \"path\": \"/cpus\"\n}"},
		{"{\n\"Denied\": \"x\",\n" + create + "}", deny, "{\n" + create + ", \"denied\": \"a < \\\"b\\\"\", \"path\": \"/cpus\"}"},
		{"{" + create + "}", answers(sdk.AdmissionReview{Amended: []byte("{ \"a\": 1 }"), Warnings: []string{"b", "c"}}), "{" + create + `, "amended": {"a":1}, "warnings": ["b","c"]}`},
		{`{"policy": "test", "settings": "bad", "invalid": "x"}`, allow, `{"policy": "test", "settings": "bad", "invalid": "the settings are bad"}`},
		{`{"policy": "test", "settings": "good", "invalid": "x"}`, allow, ""},
		{`{"policy": "test", "settings": "bad", "verb": "delete", "subject": "app", "old": {}}`, allow, `{"policy": "test", "settings": "bad", "verb": "delete", "subject": "app", "old": {}, "invalid": "the settings are bad"}`},
		{"{" + create + "}", answers(sdk.AdmissionReview{Denied: true}), ""},
		{"{" + create + "}", answers(sdk.AdmissionReview{Amended: []byte("{")}), ""},
	} {
		vectors, err := policytest.ReadAdmission([]byte("[ {\"policy\": \"test\", \"invalid\": \"x\"}, " + tt.vector + "\n]"))
		if err != nil || vectors[1].Text != tt.vector || vectors[1].At != 38 {
			t.Fatalf("%+v, %v", vectors, err)
		}
		got, err := vectors[1].Actual(t.Context(), tt.policy)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s\ngot  %s, %v\nwant %s", tt.vector, got, err, tt.want)
		}
	}
}
