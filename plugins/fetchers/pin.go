package fetchers

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// PinLabel is the label of an app by which, where the operator lets it, the app pins
// what it fetches itself: pairs as in the settings, with semicolons or white space
// between them.
const PinLabel = "PACER_FETCH_SHA256"

// Pin is the policy pin: what is fetched from a URI must have the SHA-256 that is
// set for it, as in https://files/a.tgz=2c26b4…; what no pair names is fetched as it
// is. Words between the pairs change that:
//
//	label        the app may pin more, by its label PACER_FETCH_SHA256
//	required     what is not pinned is denied
//	unenforced   where agents check no digests, it is fetched all the same
type Pin struct{}

// Policies returns pin.
func (Pin) Policies() []string { return []string{"pin"} }

// Prepare reads the pairs, and those of the app.
func (Pin) Prepare(_ context.Context, f sdk.FetchSpec) (sdk.PreparedFetch, error) {
	pins, words, err := pinSettings(f.Settings)
	if err != nil {
		return nil, err
	}
	own, denial := map[string]string{}, ""
	if words["label"] {
		var wrong string
		own, wrong = pinsOf(strings.FieldsFunc(f.App.Labels[PinLabel], func(c rune) bool { return strings.ContainsRune("; \t\r\n", c) }))
		if wrong != "" {
			own = map[string]string{} // nothing is fetched
			denial = fmt.Sprintf("the app's label %s must have pairs such as https://files/a.tgz=<64 hexadecimal digits>, each URI once; got %q", PinLabel, wrong)
		}
	}
	maps.Copy(own, pins) // the operator's word counts
	return decide(func(uri sdk.FetchURI) sdk.FetchDecision {
		digest := own[uri.URI]
		switch {
		case denial != "":
			return sdk.DenyFetch(denial)
		case digest == "" && words["required"]:
			return sdk.DenyFetch("no SHA-256 is set for it")
		case digest != "" && !f.Enforced && !words["unenforced"]:
			return sdk.DenyFetch("its SHA-256 is set, and the agents cannot check it")
		}
		d := sdk.AllowFetch(uri)
		d.SHA256 = digest
		return d
	}), nil
}

// pinSettings reads the pairs and the words between them.
func pinSettings(settings string) (pins map[string]string, words map[string]bool, err error) {
	words = map[string]bool{}
	var pairs []string
	for _, item := range listOf(settings) {
		switch item {
		case "label", "required", "unenforced":
			words[item] = true
		default:
			pairs = append(pairs, item)
		}
	}
	pins, wrong := pinsOf(pairs)
	switch {
	case wrong != "":
		err = &sdk.Invalid{Message: fmt.Sprintf("the fetch policy pin takes pairs such as https://files/a.tgz=<64 hexadecimal digits>, "+
			"each URI once, and the words label, required and unenforced; got %q", wrong)}
	case len(pins) == 0 && !words["label"] && !words["required"]:
		err = &sdk.Invalid{Message: "the fetch policy pin needs settings such as https://files/a.tgz=<64 hexadecimal digits>, or label, or required"}
	}
	return pins, words, err
}

// pinsOf reads pairs of URIs and digests; wrong is the first that is none. A URI may
// have a = in it, a digest has not.
func pinsOf(pairs []string) (pins map[string]string, wrong string) {
	pins = map[string]string{}
	for _, pair := range pairs {
		i := strings.LastIndexByte(pair, '=')
		if i <= 0 {
			return nil, pair
		}
		uri, digest := strings.TrimSpace(pair[:i]), strings.ToLower(strings.TrimSpace(pair[i+1:]))
		if _, twice := pins[uri]; twice || len(digest) != 64 || strings.Trim(digest, "0123456789abcdef") != "" {
			return nil, pair
		}
		pins[uri] = digest
	}
	return pins, ""
}
