package author

import (
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
	"github.com/pacer-run/pacer/sdk/wire"
)

// fetchForm is that of the kind fetch.
type fetchForm = form[sdk.Fetch, sdk.PreparedFetch, sdk.FetchSpec, []sdk.FetchURI, []sdk.FetchDecision]

func fetchTools() fetchForm {
	return fetchForm{
		policies: func(b Builtins) []sdk.Fetch { return b.Fetches }, names: sdk.Fetch.Policies,
		take: sdk.Fetch.Prepare, answer: sdk.PreparedFetch.Decide,
		decodeSpec: wire.DecodeFetchSpec, encodeSpec: wire.AppendFetchSpec, decoder: always(wire.DecodeFetchInput),
		encodeInput: wire.AppendFetchInput, decodeAnswer: wire.DecodeFetchAnswer, encodeAnswer: wire.AppendFetchAnswer,
		name:    func(f *sdk.FetchSpec) *string { return &f.Policy },
		subject: func(f *sdk.FetchSpec) subject { return subject{f.Policy, f.Policy, f.App.ID} },
		itemsOf: func(uris []sdk.FetchURI) (items []string) {
			for _, uri := range uris {
				items = append(items, uri.URI)
			}
			return items
		},
		verdictsOf: func(decisions []sdk.FetchDecision) (texts []string) {
			for i := range decisions {
				texts = append(texts, decisionText(&decisions[i]))
			}
			return texts
		},
		cases: fetchCases, make: randomFetch, text: fetchText, reduced: smallerFetch,
	}
}

func decisionText(d *sdk.FetchDecision) string {
	if d.Denied {
		return "denied"
	}
	text := "fetch " + d.URI
	if d.DestPath != "" {
		text += " as " + d.DestPath
	}
	if d.SHA256 != "" {
		text += " sha256 " + d.SHA256
	}
	if d.Limits != (sdk.FetchLimits{}) {
		text += fmt.Sprintf(" limits %+v", d.Limits)
	}
	return text + fmt.Sprintf(" extract=%t executable=%t cache=%t", d.Extract, d.Executable, d.Cache)
}

func fetchCases(text []byte, _ Envelope) ([]Case, error) {
	return lineCases(text, policytest.ReadFetch, func(v policytest.FetchVector) Case {
		c := Case{Line: v.Line, Name: v.Policy, Text: v.Text, check: asked(remote.Fetch, v.Check), actual: answered(remote.Fetch, v.Actual)}
		if v.Invalid == "" {
			spec := sdk.FetchSpec{Policy: v.Policy, Settings: v.Settings, App: sdk.AppFacts{ID: "/app", Instances: 1}, Enforced: !v.Unenforced}
			c.sample = &sample{remote.KindFetch, v.Policy, wire.AppendFetchSpec(nil, spec), func(n int) []byte {
				uris := make([]sdk.FetchURI, n)
				for i := range uris {
					uris[i] = sdk.FetchURI{URI: v.URI + "-" + strconv.Itoa(i), Extract: true}
				}
				return wire.AppendFetchInput(nil, uris)
			}}
		}
		return c
	})
}

func randomFetch(f *fuzzer, t target) (sdk.FetchSpec, []sdk.FetchURI) {
	spec := sdk.FetchSpec{Policy: t.name, App: sdk.AppFacts{ID: "/app", Instances: 1}, Enforced: f.rand.IntN(2) == 0}
	if known, ok := fetchTools().known(f, t); ok {
		spec.Settings = known.Settings
	} else if f.rand.IntN(4) > 0 {
		spec.Settings = f.text(t)
	}
	uris := make([]sdk.FetchURI, f.size(50))
	for i := range uris {
		uris[i] = sdk.FetchURI{URI: f.text(t), Extract: f.rand.IntN(2) == 0, Cache: f.rand.IntN(2) == 0, Executable: f.rand.IntN(2) == 0}
	}
	return spec, uris
}

// fetchText asks about the first URI. A vector always asks with all flags and with
// none, and about nothing, too.
func fetchText(spec sdk.FetchSpec, uris []sdk.FetchURI) string {
	text, uri := "", "http://a"
	if !spec.Enforced {
		text = "unenforced "
	}
	if len(uris) > 0 {
		uri = uris[0].URI
	}
	return text + spec.Policy + " " + strconv.Quote(spec.Settings) + " " + strconv.Quote(uri) + " allowed"
}

func smallerFetch(spec sdk.FetchSpec, uris []sdk.FetchURI) iter.Seq2[sdk.FetchSpec, []sdk.FetchURI] {
	return func(yield func(sdk.FetchSpec, []sdk.FetchURI) bool) {
		for fewer := range without(uris) {
			if !yield(spec, fewer) {
				return
			}
		}
		less := spec
		if less.Enforced = true; !spec.Enforced && !yield(less, uris) {
			return
		}
		for settings := range shorter(spec.Settings) {
			less := spec
			if less.Settings = settings; !yield(less, uris) {
				return
			}
		}
		for i := range uris {
			for uri := range smallerURI(uris[i]) {
				changed := slices.Clone(uris)
				if changed[i] = uri; !yield(spec, changed) {
					return
				}
			}
		}
	}
}

func smallerURI(u sdk.FetchURI) iter.Seq[sdk.FetchURI] {
	return func(yield func(sdk.FetchURI) bool) {
		if bare := (sdk.FetchURI{URI: u.URI}); bare != u && !yield(bare) {
			return
		}
		for text := range shorter(u.URI) {
			less := u
			if less.URI = text; !yield(less) {
				return
			}
		}
	}
}
