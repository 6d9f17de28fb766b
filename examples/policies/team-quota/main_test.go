package main

import (
	"os"
	"testing"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// The policy is plain Go and is tested as such, with the settings of its manifest.
func TestVectors(t *testing.T) {
	var q quotas
	if err := q.configure(`{"warnPercent": 80, "teams": {"/shop": {"instances": 20, "cpus": 10, "mem": 20480}, "/batch": {"cpus": 4}}}`); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := policytest.ReadAdmission(text)
	if err != nil {
		t.Fatal(err)
	}
	policytest.RunAdmission(t, []sdk.Admission{&q}, vectors)
}

func TestSettings(t *testing.T) {
	var q quotas
	if err := q.configure(`{"teams": 1}`); err == nil {
		t.Error("settings of another form are taken")
	}
	if err := q.configure(""); err != nil || len(q.Teams) > 0 {
		t.Errorf("without settings: %+v, %v", q, err)
	}
}
