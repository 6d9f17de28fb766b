package fetchers

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// Schemes is the policy schemes: URIs of the schemes in its settings are denied,
// such as http;ftp. A path of the agent without a scheme counts as file.
type Schemes struct{}

// Policies returns schemes.
func (Schemes) Policies() []string { return []string{"schemes"} }

// Prepare reads the schemes.
func (Schemes) Prepare(_ context.Context, f sdk.FetchSpec) (sdk.PreparedFetch, error) {
	forbidden := listOf(strings.ToLower(f.Settings))
	for i, scheme := range forbidden {
		forbidden[i] = strings.TrimSuffix(scheme, ":")
		if parsed, err := url.Parse(forbidden[i] + ":x"); err != nil || parsed.Scheme != forbidden[i] {
			return nil, &sdk.Invalid{Message: fmt.Sprintf("the fetch policy schemes takes names of schemes such as http;ftp; got %q", scheme)}
		}
	}
	if len(forbidden) == 0 {
		return nil, &sdk.Invalid{Message: "the fetch policy schemes needs settings such as http;ftp, the schemes that it forbids"}
	}
	return decide(func(uri sdk.FetchURI) sdk.FetchDecision {
		for _, scheme := range schemesOf(uri.URI) {
			if slices.Contains(forbidden, scheme) {
				return sdk.DenyFetch("the scheme " + scheme + " is forbidden")
			}
		}
		return sdk.AllowFetch(uri)
	}), nil
}

// schemesOf are the schemes, in lower case, by which a URI may be fetched. What has
// no slashes behind its scheme may be read as a path of the agent as well.
func schemesOf(uri string) []string {
	parsed, err := url.Parse(uri)
	switch {
	case err != nil || parsed.Scheme == "":
		return []string{"file"}
	case !strings.Contains(uri, "://"):
		return []string{parsed.Scheme, "file"}
	}
	return []string{parsed.Scheme} // the parser has made it lower case
}
