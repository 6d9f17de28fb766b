package fetchers_test

import (
	"os"
	"slices"
	"strings"
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

// TestPinByLabel: an app pins what the operator leaves to it.
func TestPinByLabel(t *testing.T) {
	one, two := strings.Repeat("1", 64), strings.Repeat("2", 64)
	for _, tt := range []struct{ settings, label, want, denied string }{
		{"label", " http://a/b=" + one + "\n\thttp://a/c=" + two, one, ""},
		{"label", "", "", ""},
		{"http://a/c=" + one, "http://a/b=" + one, "", ""},
		{"label;http://a/b=" + two, "http://a/b=" + one, two, ""},
		{"label;http://a/b=" + two, "x", "", `got "x"`},
		{"label", "http://a/b=1", "", `PACER_FETCH_SHA256 must have pairs such as https://files/a.tgz=<64 hexadecimal digits>, each URI once; got "http://a/b=1"`},
	} {
		p, err := fetchers.Pin{}.Prepare(t.Context(), sdk.FetchSpec{
			Policy: "pin", Settings: tt.settings, App: sdk.AppFacts{Labels: map[string]string{fetchers.PinLabel: tt.label}}, Enforced: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		decisions, err := p.Decide(t.Context(), []sdk.FetchURI{{URI: "http://a/b"}})
		p.Close()
		if err != nil || decisions[0].SHA256 != tt.want || !strings.HasSuffix(decisions[0].Reason, tt.denied) || decisions[0].Denied != (tt.denied != "") {
			t.Errorf("%q, %q: %+v, %v", tt.settings, tt.label, decisions, err)
		}
	}
}
