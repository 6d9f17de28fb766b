package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// configured is the policy with the settings of its manifest.
func configured(t *testing.T) *groups {
	t.Helper()
	var g groups
	if err := g.configure(`{"groups": {
		"web-and-db": {"field": "hostname", "apps": ["/shop/web", "/shop/db"]},
		"three": {"field": "rack_id", "apps": ["/shop/db", "/x/a", "/x/b"]}}}`); err != nil {
		t.Fatal(err)
	}
	return &g
}

func TestConstraint(t *testing.T) {
	file, err := os.Open("vectors-constraint.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	vectors, err := policytest.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	policytest.Run(t, constraint{configured(t)}.Prepare, vectors)
}

func TestAdmission(t *testing.T) {
	text, err := os.ReadFile("vectors-admission.json")
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := policytest.ReadAdmission(text)
	if err != nil {
		t.Fatal(err)
	}
	policytest.RunAdmission(t, []sdk.Admission{configured(t)}, vectors)
}

// Every agent belongs to exactly one app of the group, and each app gets about as many.
func TestShares(t *testing.T) {
	values := []string{""}
	for i := range 3000 {
		values = append(values, fmt.Sprintf("host-%d.example.com", i))
	}
	owners := make([]int, len(values))
	for _, app := range []string{"/shop/db", "/x/a", "/x/b"} {
		p, err := constraint{configured(t)}.Prepare(t.Context(), sdk.ConstraintSpec{Value: "three", App: sdk.AppFacts{ID: app}})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: values})
		if err != nil {
			t.Fatal(err)
		}
		owned := 0
		for slot, quota := range answer.Quota {
			if quota > 0 {
				owners[slot]++
				owned++
			}
		}
		if owned < 900 || owned > 1100 {
			t.Errorf("%s owns %d of 3000", app, owned)
		}
	}
	for slot, n := range owners {
		if want := min(slot, 1); n != want {
			t.Errorf("%q belongs to %d apps, want %d", values[slot], n, want)
		}
	}
}
