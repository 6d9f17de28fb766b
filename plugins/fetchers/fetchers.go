// Package fetchers holds the fetch policies that Pacer ships: one file each,
// written against package sdk alone, so that the same source can also be built as
// a WASM module.
package fetchers

import (
	"context"
	"net/url"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// All returns every policy of this package, the default one first.
func All() []sdk.Fetch {
	return []sdk.Fetch{Marathon{}, Mirror{}, Schemes{}, Sources{}, Flags{}, Pin{}, Limits{}}
}

// decide is a prepared policy whose decision is a function of the URI.
type decide func(sdk.FetchURI) sdk.FetchDecision

func (f decide) Close() {}

func (f decide) Decide(_ context.Context, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	decisions := make([]sdk.FetchDecision, len(uris))
	for i, uri := range uris {
		decisions[i] = f(uri)
	}
	return decisions, nil
}

// listOf splits settings at semicolons; empty items are left out.
func listOf(settings string) []string {
	var items []string
	for item := range strings.SplitSeq(settings, ";") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// location is where a URI points, in a form that can be compared: scheme and host
// in lower case, and what comes after them. A path of the agent is a file.
type location struct {
	scheme string
	host   string // with user and port, if given; "" for a path of the agent
	rest   string // as it was written: path, query and fragment
}

// locate takes a URI apart without changing a character of rest; ok is false for
// what is no URI, and for one without any slashes, such as docker:name.
func locate(uri string) (l location, ok bool) {
	if _, err := url.Parse(uri); err != nil {
		return location{}, false
	}
	scheme, rest, found := strings.Cut(uri, "://")
	if !found || strings.ContainsAny(scheme, "/?#") {
		return location{scheme: "file", rest: uri}, strings.HasPrefix(uri, "/")
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	return location{strings.ToLower(scheme), strings.ToLower(rest[:end]), rest[end:]}, true
}

// below returns what follows the prefix p in l; ok is false when l is not below it.
// A prefix ends where a part of a path does: http://a/b has http://a/b/c below it
// and http://a/bc not.
func (l location) below(p location) (rest string, ok bool) {
	if l.scheme != p.scheme || l.host != p.host {
		return "", false
	}
	rest, ok = strings.CutPrefix(l.rest, p.rest)
	if !ok || rest != "" && p.rest != "" && !strings.HasSuffix(p.rest, "/") && !strings.ContainsAny(rest[:1], "/?#") {
		return "", false
	}
	return rest, true
}
