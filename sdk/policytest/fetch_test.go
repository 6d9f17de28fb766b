package policytest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// fetcher is a policy that decides by a function.
type fetcher func([]sdk.FetchURI) []sdk.FetchDecision

func (f fetcher) Policies() []string { return []string{"test"} }

func (f fetcher) Prepare(_ context.Context, spec sdk.FetchSpec) (sdk.PreparedFetch, error) {
	if spec.Settings == "bad" {
		return nil, &sdk.Invalid{Message: "the settings are bad"}
	}
	if spec.Enforced == (spec.Settings == "unenforced") {
		return nil, errors.New("told the wrong thing of agents")
	}
	return f, nil
}

func (f fetcher) Decide(_ context.Context, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	return f(uris), nil
}

func (f fetcher) Close() {}

// one is a policy with a word on each URI.
func one(decide func(i int, uri sdk.FetchURI) sdk.FetchDecision) fetcher {
	return func(uris []sdk.FetchURI) (decisions []sdk.FetchDecision) {
		for i, uri := range uris {
			decisions = append(decisions, decide(i, uri))
		}
		return decisions
	}
}

func TestFetchVectors(t *testing.T) {
	allow := one(func(_ int, uri sdk.FetchURI) sdk.FetchDecision { return sdk.AllowFetch(uri) })
	deny := one(func(int, sdk.FetchURI) sdk.FetchDecision { return sdk.DenyFetch("not here") })
	checks := one(func(_ int, uri sdk.FetchURI) sdk.FetchDecision {
		return sdk.FetchDecision{FetchURI: uri, SHA256: "ab", Limits: sdk.FetchLimits{Bytes: 1, Entries: 2, Depth: 3, Ratio: 4}}
	})
	moves := one(func(_ int, uri sdk.FetchURI) sdk.FetchDecision {
		uri.URI, uri.DestPath = "http://b", "c"
		return sdk.AllowFetch(uri)
	})
	for _, tt := range []struct {
		name, line string
		policy     fetcher
		want       string // in the error; "" for none
	}{
		{"allowed", `test "" http://a allowed`, allow, ""},
		{"allowed, but denied", `test "" http://a allowed`, deny, "denied with"},
		{"denied", `test "" http://a denied "not here"`, deny, ""},
		{"denied for another reason", `test "" http://a denied "elsewhere"`, deny, "elsewhere"},
		{"denied, but allowed", `test "" http://a denied here`, allow, "want it denied"},
		{"moved", `test "" http://a becomes http://b as c`, moves, ""},
		{"moved elsewhere", `test "" http://a becomes http://c as c`, moves, "want"},
		{"moved under another name", `test "" http://a becomes http://b`, moves, "want"},
		{"with a sign", `test "" http://a?b=c allowed`, allow, ""},
		{"invalid", `test bad invalid "are bad"`, allow, ""},
		{"invalid for another reason", `test bad invalid "are good"`, allow, "are good"},
		{"not invalid", `test good invalid "bad"`, allow, "accepted"},
		{"too few", `test "" http://a allowed`, func([]sdk.FetchURI) []sdk.FetchDecision { return nil }, "0 decisions on 1"},
		{"depends on the place", `test "" http://a allowed`, one(func(i int, uri sdk.FetchURI) sdk.FetchDecision {
			return sdk.FetchDecision{FetchURI: uri, Denied: i > 0}
		}), "denied with"},
		{"sets a flag", `test "" http://a allowed with cache=false`, one(func(_ int, uri sdk.FetchURI) sdk.FetchDecision {
			uri.Cache = false
			return sdk.AllowFetch(uri)
		}), ""},
		{"sets checks", `test "" http://a allowed with sha256=ab bytes=1 entries=2 depth=3 ratio=4`, checks, ""},
		{"sets other checks", `test "" http://a allowed with sha256=ab bytes=1 entries=2 depth=3 ratio=5`, checks, "checked by"},
		{"sets a digest", `test "" http://a allowed with bytes=1 entries=2 depth=3 ratio=4`, checks, "checked by"},
		{"is told what agents do", `unenforced test unenforced http://a allowed`, allow, ""},
		{"does not set a flag", `test "" http://a allowed with cache=false extract=true`, allow, "want"},
		{"loses a flag", `test "" http://a allowed`, one(func(_ int, uri sdk.FetchURI) sdk.FetchDecision {
			uri.Cache = false
			return sdk.AllowFetch(uri)
		}), "want"},
		{"decides about nothing", `test "" http://a allowed`, func(uris []sdk.FetchURI) []sdk.FetchDecision {
			return append(allow(uris), make([]sdk.FetchDecision, 1/(len(uris)+1))...)
		}, "about nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			vectors, err := policytest.ReadFetch(strings.NewReader("# a line\n\n" + tt.line + "\n"))
			if err != nil || len(vectors) != 1 || vectors[0].Line != 3 {
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
	for _, line := range []string{`test`, `test "" http://a`, `test "" http://a maybe`, `test "" http://a becomes`, `test "a`, `test "" http://a allowed with size=1`, `test "" http://a allowed with bytes=x`, `unenforced`} {
		if _, err := policytest.ReadFetch(strings.NewReader(line)); err == nil {
			t.Errorf("%q was read", line)
		}
	}
}
