package fetchers

import (
	"context"
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// Flags is the policy flags: whether things are unpacked, made executable and kept in
// the agent's cache is as its settings say, such as extract=off;cache=on. What they do
// not name is as the app says.
type Flags struct{}

// Policies returns flags.
func (Flags) Policies() []string { return []string{"flags"} }

// Prepare reads the settings.
func (Flags) Prepare(_ context.Context, f sdk.FetchSpec) (sdk.PreparedFetch, error) {
	set := map[string]bool{}
	for _, item := range listOf(strings.ToLower(f.Settings)) {
		name, value, _ := strings.Cut(item, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		known := name == "extract" || name == "executable" || name == "cache"
		if _, twice := set[name]; !known || twice || value != "on" && value != "off" {
			return nil, &sdk.Invalid{Message: fmt.Sprintf(
				"the fetch policy flags takes extract, executable and cache, each once and on or off, such as extract=off;cache=on; got %q", item)}
		}
		set[name] = value == "on"
	}
	if len(set) == 0 {
		return nil, &sdk.Invalid{Message: "the fetch policy flags needs settings such as extract=off;cache=on"}
	}
	return decide(func(uri sdk.FetchURI) sdk.FetchDecision {
		for name, flag := range map[string]*bool{"extract": &uri.Extract, "executable": &uri.Executable, "cache": &uri.Cache} {
			if value, ok := set[name]; ok {
				*flag = value
			}
		}
		return sdk.AllowFetch(uri)
	}), nil
}
