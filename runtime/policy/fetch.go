package policy

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// FetchStep is a fetch policy that the operator has chosen, and its settings.
type FetchStep struct {
	Policy   string // in any spelling
	Settings string // "" for none
}

// WrongFetching is the error of Open for a fetch policy that the operator has chosen
// and that cannot work: there is none of that name, or its settings are wrong.
type WrongFetching struct {
	Policy string // as it was chosen
	Err    error
}

// Error names the policy and what is wrong.
func (e *WrongFetching) Error() string { return strconv.Quote(e.Policy) + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *WrongFetching) Unwrap() error { return e.Err }

// FetchPolicies lists the fetch policies there are now, the built-in ones first.
func (c *Catalog) FetchPolicies() []string {
	return slices.Clone(c.table.Load().fetch.names)
}

// FetchingKnown tells whether every fetch policy that the operator has chosen is there.
// Others may come with modules.
func (c *Catalog) FetchingKnown() bool {
	return !slices.ContainsFunc(c.config.Fetching, func(step FetchStep) bool {
		return c.table.Load().fetch.by[sdk.CanonicalFetchPolicy(step.Policy)].policy == nil
	})
}

// tryFetching has every policy that the operator has chosen say whether it can work
// with its settings. Those of an unknown name may be left for later, when modules may
// have brought them. The error is a *WrongFetching.
func (c *Catalog) tryFetching(ctx context.Context, later bool) error {
	for _, step := range c.config.Fetching {
		name := sdk.CanonicalFetchPolicy(step.Policy)
		found, ok := find(view{catalog: c}, fetchOf, name)
		if !ok && later {
			continue
		}
		if !ok {
			return &WrongFetching{step.Policy, unknown(c, fetchOf, name)}
		}
		err := found.guard(func() error {
			prepared, err := found.policy.Prepare(ctx, sdk.FetchSpec{Policy: name, Settings: step.Settings, Enforced: c.config.Enforced})
			if err == nil {
				prepared.Close()
			}
			return err
		})
		found.release()
		if err != nil {
			return &WrongFetching{step.Policy, err}
		}
	}
	return nil
}

// DecideFetch has the operator's policies decide about what an app wants fetched,
// one after the other: each is asked about what the one before made of it, and one
// that denies has the last word. A digest holds until a later policy sets another,
// and of several limits the smallest counts. There is one decision per URI; without policies
// everything is fetched as the app says. The error is an *sdk.Fault of a policy that
// failed or answered what cannot be, an *sdk.Invalid of one that cannot work with its
// settings any more, and otherwise ctx's.
func (c *Catalog) DecideFetch(ctx context.Context, app sdk.AppFacts, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	return view{catalog: c}.decideAll(ctx, app, uris)
}

func (v view) decideAll(ctx context.Context, app sdk.AppFacts, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	decisions := make([]sdk.FetchDecision, len(uris))
	for i, uri := range uris {
		decisions[i] = sdk.AllowFetch(uri)
	}
	for _, step := range v.catalog.config.Fetching {
		asked, of := allowed(decisions)
		if len(asked) == 0 {
			break
		}
		spec := sdk.FetchSpec{
			Policy: sdk.CanonicalFetchPolicy(step.Policy), Settings: step.Settings, App: app, Enforced: v.catalog.config.Enforced,
		}
		answers, err := v.decideFetch(ctx, spec, asked)
		if err != nil {
			return nil, fmt.Errorf("fetch policy %s: %w", spec.Policy, err)
		}
		for k, answer := range answers {
			decisions[of[k]] = chained(spec.Policy, &decisions[of[k]], answer)
		}
	}
	return decisions, nil
}

// chained is the answer of a policy after what those before it have decided.
func chained(policy string, before *sdk.FetchDecision, answer sdk.FetchDecision) sdk.FetchDecision {
	if answer.Denied {
		return sdk.DenyFetch(denial(policy, answer.Reason))
	}
	if answer.SHA256 == "" {
		answer.SHA256 = before.SHA256
	}
	answer.Limits = sdk.FetchLimits{
		Bytes: tighter(before.Limits.Bytes, answer.Limits.Bytes), Entries: tighter(before.Limits.Entries, answer.Limits.Entries),
		Depth: tighter(before.Limits.Depth, answer.Limits.Depth), Ratio: tighter(before.Limits.Ratio, answer.Limits.Ratio),
	}
	return answer
}

// tighter is the smaller of two limits, of which 0 is none.
func tighter[N uint32 | uint64](a, b N) N {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// allowed are the URIs that no policy has denied so far, and whose they are.
func allowed(decisions []sdk.FetchDecision) (uris []sdk.FetchURI, of []int) {
	for i := range decisions {
		if !decisions[i].Denied {
			uris, of = append(uris, decisions[i].FetchURI), append(of, i)
		}
	}
	return uris, of
}

// denial names the policy and its reason, as one line.
func denial(policy, reason string) string {
	text := "denied by the fetch policy " + policy
	if reason = strings.Join(strings.Fields(reason), " "); reason != "" {
		text += ": " + reason
	}
	return text
}

// decideFetch asks one policy, which is released again: an app version is decided
// about once.
func (v view) decideFetch(ctx context.Context, spec sdk.FetchSpec, uris []sdk.FetchURI) (decisions []sdk.FetchDecision, err error) {
	found, err := lookup(ctx, v, fetchOf, spec.Policy)
	if err != nil {
		return nil, err
	}
	var prepared sdk.PreparedFetch
	err = found.call(ctx, spec.App.ID, func() (err error) {
		prepared, err = found.policy.Prepare(ctx, spec)
		return err
	})
	if err != nil {
		found.release()
		return nil, err
	}
	defer found.end(spec.App.ID, prepared.Close)
	err = found.call(ctx, spec.App.ID, func() (err error) {
		if decisions, err = prepared.Decide(ctx, slices.Clone(uris)); err != nil {
			return err
		}
		return soundFetch(found.source, uris, decisions)
	})
	return decisions, err
}

// soundFetch refuses what no decisions on the URIs can be.
func soundFetch(o source, uris []sdk.FetchURI, decisions []sdk.FetchDecision) error {
	if len(decisions) != len(uris) {
		return o.fault(fmt.Sprintf("it answered %d decisions on %d URIs", len(decisions), len(uris)))
	}
	for i, d := range decisions {
		switch {
		case !d.Denied && d.SHA256 != "" && !isDigest(d.SHA256):
			return o.fault(fmt.Sprintf("it pins %q to %q, expected 64 digits of lower-case hexadecimal", uris[i].URI, d.SHA256))
		case d.Denied || d.FetchURI == uris[i]:
		case d.URI != uris[i].URI && !fetchable(d.URI):
			return o.fault(fmt.Sprintf("it answered %q for %q, which is no URI", d.URI, uris[i].URI))
		case d.DestPath != uris[i].DestPath && d.DestPath != "" && !inside(d.DestPath):
			return o.fault(fmt.Sprintf("it wants %q stored as %q, which is not below the sandbox", uris[i].URI, d.DestPath))
		}
	}
	return nil
}

// isDigest tells whether the text is a SHA-256, in lower-case hexadecimal.
func isDigest(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// maxURI is how long a URI may become; the API takes those of a quarter of it.
const maxURI = 4096

// fetchable tells whether the text is a URI, with all that has to be escaped.
func fetchable(uri string) bool {
	_, err := url.Parse(uri)
	return err == nil && uri != "" && len(uri) <= maxURI && !strings.ContainsAny(uri, " \"<>\\^`{|}") &&
		!strings.ContainsFunc(uri, func(c rune) bool { return c < ' ' || c == 0x7f })
}

// inside tells whether a path stays below the sandbox.
func inside(name string) bool {
	clean := path.Clean(name)
	return !path.IsAbs(name) && clean != "." && clean != ".." && !strings.HasPrefix(clean, "../") && !strings.ContainsRune(name, 0)
}
