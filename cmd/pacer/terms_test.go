package main

import (
	"strings"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/placement"
)

// TestTermsOfOptions: what operators say about offers reaches the matcher.
func TestTermsOfOptions(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want placement.Terms
	}{
		{nil, placement.Terms{}},
		{[]string{"--accepted_resource_roles_default_behavior", "any"}, placement.Terms{}},
		{[]string{"--accepted_resource_roles_default_behavior", "unreserved"}, placement.Terms{DefaultRoles: placement.UnreservedOnly}},
		{[]string{"--accepted_resource_roles_default_behavior", "reserved"}, placement.Terms{DefaultRoles: placement.ReservedOnly}},
		{[]string{"--draining_seconds", "90"}, placement.Terms{Draining: 90 * time.Second}},
		{[]string{"--disable_maintenance_mode"}, placement.Terms{NoMaintenance: true}},
		{[]string{"--maintenance_mode"}, placement.Terms{}},
		{[]string{"--gpu_scheduling_behavior", "unrestricted"}, placement.Terms{UnrestrictedGPUs: true}},
	} {
		v, _, err := read(t, nil, tt.args...)
		if err != nil {
			t.Fatal(err)
		}
		m := matcherOf(v)
		if err := v.err(); err != nil || m.Terms != tt.want {
			t.Errorf("%q: %+v (%v), want %+v", tt.args, m.Terms, err, tt.want)
		}
	}
	for want, args := range map[string][]string{
		`--accepted_resource_roles_default_behavior: "all": expected any or unreserved or reserved`: {"--accepted_resource_roles_default_behavior", "all"},
		`--draining_seconds: "-1": expected a whole number from 0 to`:                               {"--draining_seconds=-1"},
		`--gpu_scheduling_behavior: "undefined": expected restricted or unrestricted`:               {"--gpu_scheduling_behavior", "undefined"},
	} {
		v, _, err := read(t, nil, args...)
		if err != nil {
			t.Fatal(err)
		}
		matcherOf(v)
		if err := v.err(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}
