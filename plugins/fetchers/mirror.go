package fetchers

import (
	"context"
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// Mirror is the policy mirror: what lies below one place is fetched from another.
// Its settings are pairs such as http://old/=http://mirror/old/, with a semicolon
// between them. The longest place that fits counts, once. All else is fetched as
// the app says.
type Mirror struct{}

// Policies returns mirror.
func (Mirror) Policies() []string { return []string{"mirror"} }

// Prepare reads the pairs.
func (Mirror) Prepare(_ context.Context, f sdk.FetchSpec) (sdk.PreparedFetch, error) {
	var pairs []mirrored
	for _, item := range listOf(f.Settings) {
		from, to, _ := strings.Cut(item, "=")
		from, to = strings.TrimSpace(from), strings.TrimSpace(to)
		old, ok := locate(from)
		_, fine := locate(to)
		if !ok || !fine {
			return nil, &sdk.Invalid{Message: fmt.Sprintf(
				"the fetch policy mirror takes pairs such as http://old/=http://mirror/, with a semicolon between them; got %q", item)}
		}
		if strings.HasSuffix(from, "/") != strings.HasSuffix(to, "/") {
			return nil, &sdk.Invalid{Message: fmt.Sprintf("the fetch policy mirror: both places of %q must end with a slash, or neither", item)}
		}
		pairs = append(pairs, mirrored{old, to})
	}
	if len(pairs) == 0 {
		return nil, &sdk.Invalid{Message: "the fetch policy mirror needs settings such as http://old/=http://mirror/"}
	}
	return decide(func(uri sdk.FetchURI) sdk.FetchDecision { return mirror(uri, pairs) }), nil
}

// mirrored is a place and what stands for it.
type mirrored struct {
	from location
	to   string
}

func mirror(uri sdk.FetchURI, pairs []mirrored) sdk.FetchDecision {
	at, ok := locate(uri.URI)
	if !ok {
		return sdk.AllowFetch(uri)
	}
	best, target := -1, ""
	for _, pair := range pairs {
		if rest, below := at.below(pair.from); below && len(pair.from.rest) > best {
			best, target = len(pair.from.rest), pair.to+rest
		}
	}
	if best < 0 {
		return sdk.AllowFetch(uri)
	}
	if uri.DestPath == "" && lastPart(target) != lastPart(uri.URI) {
		uri.DestPath = lastPart(uri.URI) // the task looks for it by the name it knows
	}
	uri.URI = target
	return sdk.AllowFetch(uri)
}

// lastPart is what comes behind the last slash.
func lastPart(uri string) string { return uri[strings.LastIndexByte(uri, '/')+1:] }
