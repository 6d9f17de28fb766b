package fetchers_test

import (
	"os"
	"slices"
	"testing"

	"github.com/pacer-run/pacer/plugins/fetchers"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

func TestVectors(t *testing.T) {
	file, err := os.Open("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	vectors, err := policytest.ReadFetch(file)
	if err != nil {
		t.Fatal(err)
	}
	policytest.RunFetch(t, fetchers.All(), vectors)
	for _, policy := range fetchers.All() {
		for _, name := range policy.Policies() {
			if !slices.ContainsFunc(vectors, func(v policytest.FetchVector) bool { return v.Policy == name }) {
				t.Errorf("no vector is about %s", name)
			}
		}
	}
}

// TestMirrorKeepsTheAppsPath: a path that the app has chosen is not changed.
func TestMirrorKeepsTheAppsPath(t *testing.T) {
	p, err := fetchers.Mirror{}.Prepare(t.Context(), sdk.FetchSpec{Policy: "mirror", Settings: "http://old/a=http://new/b"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	decisions, err := p.Decide(t.Context(), []sdk.FetchURI{{URI: "http://old/a", DestPath: "bin/a", Cache: true}})
	if want := (sdk.FetchURI{URI: "http://new/b", DestPath: "bin/a", Cache: true}); err != nil || decisions[0].FetchURI != want {
		t.Errorf("%+v, %v", decisions, err)
	}
}
