package fetchers

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// Sources is the policy sources: only what lies below one of the places in its
// settings is fetched, such as https://files.example.com/;s3://team/.
type Sources struct{}

// Policies returns sources.
func (Sources) Policies() []string { return []string{"sources"} }

// Prepare reads the places.
func (Sources) Prepare(_ context.Context, f sdk.FetchSpec) (sdk.PreparedFetch, error) {
	var places []location
	for _, item := range listOf(f.Settings) {
		place, ok := locate(item)
		if !ok || climbs(place.rest) {
			return nil, &sdk.Invalid{Message: fmt.Sprintf(
				"the fetch policy sources takes places such as https://files.example.com/, with a semicolon between them; got %q", item)}
		}
		places = append(places, place)
	}
	if len(places) == 0 {
		return nil, &sdk.Invalid{Message: "the fetch policy sources needs settings such as https://files.example.com/, the places that it allows"}
	}
	return decide(func(uri sdk.FetchURI) sdk.FetchDecision {
		at, ok := locate(uri.URI)
		if ok && !climbs(at.rest) && slices.ContainsFunc(places, func(place location) bool { _, below := at.below(place); return below }) {
			return sdk.AllowFetch(uri)
		}
		return sdk.DenyFetch(fmt.Sprintf("%q is not below one of the allowed sources %s", uri.URI, f.Settings))
	}), nil
}

// climbs tells whether a path leads up again: who fetches it may come to another
// place than the one where it seems to lie.
func climbs(rest string) bool {
	path, _, _ := strings.Cut(rest, "#")
	path, _, _ = strings.Cut(path, "?")
	for range 3 { // a server may decode more than once
		decoded, err := url.PathUnescape(path)
		if err != nil {
			break // there is nothing more to decode
		}
		path = decoded
	}
	return slices.ContainsFunc(strings.FieldsFunc(path, func(c rune) bool { return c == '/' || c == '\\' }), func(part string) bool {
		return part == ".." || part == "."
	})
}
