package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// TestFetchPolicies: the flag's policies decide, in its order, what apps fetch.
func TestFetchPolicies(t *testing.T) {
	app := &spec.App{ID: "/a", Cmd: "x", Fetch: []spec.Artifact{{URI: "http://old/a"}, {URI: "ftp://old/b"}, {URI: "https://c/d"}}}
	for _, tt := range []struct {
		flag string
		want []string // what is fetched, or the policy that denies it
	}{
		{"", []string{"http://old/a", "ftp://old/b", "https://c/d"}},
		{defaultFetchPolicies, []string{"http://old/a", "ftp://old/b", "https://c/d"}},
		{" mirror:http://old/=https://new:8080/ , schemes:http;ftp", []string{"https://new:8080/a", "schemes", "https://c/d"}},
		{"schemes:http,mirror:http://old/=https://new/;ftp://old/=https://new/,sources:https://new/", []string{"schemes", "https://new/b", "sources"}},
	} {
		p, err := loadPolicies(t.Context(), policyConfig{fetching: tt.flag}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		decisions, err := p.checkFetch(t.Context(), app)
		if err != nil || len(decisions) != len(tt.want) {
			t.Fatalf("%s: %+v, %v", tt.flag, decisions, err)
		}
		for i, d := range decisions {
			denied := strings.HasPrefix(d.Reason, "denied by the fetch policy "+tt.want[i]+": ")
			if d.Denied != denied || !d.Denied && d.URI != tt.want[i] {
				t.Errorf("%s: %+v, want %s", tt.flag, d, tt.want[i])
			}
		}
		p.close()
	}
}

func TestWrongFetchPolicies(t *testing.T) {
	for flag, want := range map[string]string{
		"torrent":         `--fetch_policies: "torrent": fetch policy must be one of the following marathon, mirror, schemes, sources, flags, pin or limits`,
		"marathon,mirror": `--fetch_policies: "mirror": the fetch policy mirror needs settings`,
		"marathon:x":      `--fetch_policies: "marathon": the fetch policy marathon has no settings`,
	} {
		_, err := loadPolicies(t.Context(), policyConfig{fetching: flag}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.HasPrefix(err.Error(), want) || codeOf(err) != exitFlag {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

// TestAdmissionPolicies: the flag's policies review changes, in its order.
func TestAdmissionPolicies(t *testing.T) {
	p, err := loadPolicies(t.Context(), policyConfig{admission: " Caps:cpus=4;mem=512 , labels:team;owner"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	admit := p.admission()
	for app, want := range map[string]string{
		`{"id":"/a","cpus":8}`: "denied by the admission policy caps: cpus 8 is more than 4",
		`{"id":"/a","cpus":1}`: "denied by the admission policy labels: every app needs the label team",
		`{"id":"/a","cpus":1,"labels":{"team":"x","owner":"y"}}`: "",
	} {
		r := sdk.AdmissionRequest{Verb: sdk.AdmissionCreate, Subject: sdk.AdmissionApp, ID: "/a", New: []byte(app)}
		review, err := admit(t.Context(), r, nil)
		if err != nil || review.Denied != (want != "") || review.Reason != want {
			t.Errorf("%s: %+v, %v", app, review, err)
		}
	}
	none, err := loadPolicies(t.Context(), policyConfig{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer none.close()
	if none.admission() != nil {
		t.Error("without policies there is somebody to ask")
	}
}

func TestWrongAdmissionPolicies(t *testing.T) {
	for flag, want := range map[string]string{
		"quota":            `--admission_policies: "quota": admission policy must be one of the following labels or caps`,
		"labels:team,caps": `--admission_policies: "caps": the admission policy caps needs settings`,
		"labels":           `--admission_policies: "labels": the admission policy labels needs settings`,
	} {
		_, err := loadPolicies(t.Context(), policyConfig{admission: flag}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.HasPrefix(err.Error(), want) || codeOf(err) != exitFlag {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

// TestCheckStrategy: users learn the strategies there are.
func TestCheckStrategy(t *testing.T) {
	p, err := loadPolicies(t.Context(), policyConfig{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	app := &spec.App{ID: "/a", Cmd: "x", Labels: map[string]string{spec.StrategyLabel: "batch"}}
	if err := p.checkStrategy(t.Context(), app); err != nil {
		t.Errorf("batch: %v", err)
	}
	app.Labels[spec.StrategyLabel] = "sideways"
	err = p.checkStrategy(t.Context(), app)
	if err == nil || !strings.Contains(err.Error(), "batch") || !strings.Contains(err.Error(), "rolling") {
		t.Errorf("sideways: %v", err)
	}
}
