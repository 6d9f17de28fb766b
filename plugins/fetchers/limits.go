package fetchers

import (
	"context"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// Limits is the policy limits: no URI may become more than its settings say, such as
// bytes=1GiB;entries=10000;depth=20;ratio=100. The word unenforced has things
// fetched without limits where agents know none.
type Limits struct{}

// Policies returns limits.
func (Limits) Policies() []string { return []string{"limits"} }

// Prepare reads the limits.
func (Limits) Prepare(_ context.Context, f sdk.FetchSpec) (sdk.PreparedFetch, error) {
	var set sdk.FetchLimits
	anyway := false
	for _, item := range listOf(f.Settings) {
		if item == "unenforced" {
			anyway = true
			continue
		}
		name, value, _ := strings.Cut(item, "=")
		if !setLimit(&set, strings.TrimSpace(name), strings.TrimSpace(value)) {
			return nil, &sdk.Invalid{Message: fmt.Sprintf("the fetch policy limits takes bytes, entries, depth and ratio, each once and above 0, "+
				"such as bytes=1GiB;entries=10000, and the word unenforced; got %q", item)}
		}
	}
	if set == (sdk.FetchLimits{}) {
		return nil, &sdk.Invalid{Message: "the fetch policy limits needs settings such as bytes=1GiB;entries=10000"}
	}
	return decide(func(uri sdk.FetchURI) sdk.FetchDecision {
		if !f.Enforced && !anyway {
			return sdk.DenyFetch("there are limits for what is fetched, and the agents do not know them")
		}
		d := sdk.AllowFetch(uri)
		d.Limits = set
		return d
	}), nil
}

// setLimit tells whether the value is one of the named limit, which was not set.
func setLimit(set *sdk.FetchLimits, name, value string) bool {
	if name == "bytes" {
		n, ok := bytesOf(value)
		fresh := set.Bytes == 0
		set.Bytes = n
		return ok && fresh
	}
	into := map[string]*uint32{"entries": &set.Entries, "depth": &set.Depth, "ratio": &set.Ratio}[name]
	n, err := strconv.ParseUint(value, 10, 32)
	if into == nil || err != nil || n == 0 || *into != 0 {
		return false
	}
	*into = uint32(n)
	return true
}

// bytesOf reads a number of bytes, KiB, MiB, GiB or TiB.
func bytesOf(text string) (uint64, bool) {
	factor := uint64(1)
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if digits, ok := strings.CutSuffix(text, unit); ok {
			text, factor = strings.TrimSpace(digits), 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseUint(text, 10, 64)
	over, product := bits.Mul64(n, factor)
	return product, err == nil && n > 0 && over == 0
}
