package main

import (
	"os"
	"testing"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// configured is the policy with the settings of its manifest.
func configured(t *testing.T) *mirror {
	t.Helper()
	var m mirror
	if err := m.configure(`{"images": "mirror.example/", "registries": {"docker.io": "hub/", "quay.io": "quay/"}, "uris": {
		"http://files.example/": "https://mirror.example/files/", "https://releases.example/": "https://mirror.example/releases/",
		"https://releases.example/beta/": "https://beta.example/"}}`); err != nil {
		t.Fatal(err)
	}
	return &m
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

func TestFetch(t *testing.T) {
	file, err := os.Open("vectors-fetch.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	vectors, err := policytest.ReadFetch(file)
	if err != nil {
		t.Fatal(err)
	}
	policytest.RunFetch(t, []sdk.Fetch{configured(t)}, vectors)
}

// Without a mirror everything would be refused: the module does not load.
func TestSettings(t *testing.T) {
	for _, settings := range []string{"", "{}", `{"images": 1}`} {
		if err := new(mirror).configure(settings); err == nil {
			t.Errorf("%q: taken", settings)
		}
	}
}
