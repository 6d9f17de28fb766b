package admission_test

import (
	"os"
	"slices"
	"testing"

	"github.com/pacer-run/pacer/plugins/admission"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

func TestVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := policytest.ReadAdmission(data)
	if err != nil {
		t.Fatal(err)
	}
	policytest.RunAdmission(t, admission.All(), vectors)
	for _, policy := range admission.All() {
		for _, name := range policy.Policies() {
			if !slices.ContainsFunc(vectors, func(v policytest.AdmissionVector) bool { return v.Policy == name }) {
				t.Errorf("no vector is about %s", name)
			}
		}
	}
}

// TestWhatIsNoAppIsAFault: it is not let through.
func TestWhatIsNoAppIsAFault(t *testing.T) {
	settings := map[string]string{"labels": "team", "caps": "cpus=1"}
	for _, policy := range admission.All() {
		name := policy.Policies()[0]
		for _, bad := range [][2]string{{"", ""}, {"", "null"}, {"", `{"cpus":"many"}`}, {"[", "{}"}} {
			r := sdk.AdmissionRequest{
				Policy: name, Settings: settings[name], Verb: sdk.AdmissionUpdate, Subject: sdk.AdmissionApp, ID: "/a",
				Old: []byte(bad[0]), New: []byte(bad[1]),
			}
			if review, err := policy.Review(t.Context(), r); err == nil {
				t.Errorf("%s %q: %+v", name, bad, review)
			}
		}
	}
}
