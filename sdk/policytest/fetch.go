package policytest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk"
)

// FetchVector is one line about a fetch policy: its name, its settings, and either
// what is wrong with these or a URI and what becomes of it:
//
//	schemes "" invalid "needs settings"
//	schemes "http;ftp" https://files/a allowed
//	schemes "http;ftp" http://files/a denied "http is forbidden"
//	mirror "http://old/=http://new/" http://old/a becomes http://new/a
//	mirror "http://old/a=http://new/b" http://old/a becomes http://new/b as a
//	flags "extract=off" http://files/a allowed with extract=false
//	limits "bytes=1KiB" http://files/a allowed with bytes=1024
//	unenforced limits "bytes=1KiB" http://files/a denied "do not know them"
//
// as names the path in the sandbox that the policy gives it, with the flags that it
// sets: extract, executable and cache, and what is to be checked: sha256, bytes,
// entries, depth and ratio. Everything else about the URI has to stay as it was, and
// nothing else is to be checked. Agents check digests and limits, unless the line
// begins with unenforced. Texts may be quoted as in Go.
type FetchVector struct {
	Line             int
	Text             string
	Policy, Settings string
	Invalid          string // in the message about the settings; "" for none
	URI              string
	Denied           string          // in the reason; "" for one that is allowed
	Becomes, As      string          // of one that is allowed; As "" for no path
	With             map[string]bool // flags that the policy sets, by name; nil for none
	SHA256           string          // that the policy sets; "" for none
	Limits           sdk.FetchLimits // that it sets
	Unenforced       bool            // agents check neither
}

// ReadFetch reads a file of fetch vectors. Empty lines and those that start with #
// are left out.
func ReadFetch(r io.Reader) ([]FetchVector, error) {
	var vectors []FetchVector
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		v, err := parseFetch(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		v.Line = n
		vectors = append(vectors, v)
	}
	return vectors, lines.Err()
}

func parseFetch(line string) (FetchVector, error) {
	v := FetchVector{Text: line}
	words, err := split(line)
	if err != nil {
		return v, err
	}
	texts := make([]string, len(words))
	for i, w := range words {
		if texts[i] = w.text; w.tail != "" {
			texts[i] += "=" + w.tail
		}
	}
	if texts[0] == "unenforced" {
		v.Unenforced, texts = true, texts[1:]
	}
	if len(texts) < 4 {
		return v, errors.New("expected a policy, its settings, and a URI with what becomes of it, or invalid")
	}
	v.Policy, v.Settings = texts[0], texts[1]
	texts, err = v.parseWith(texts)
	if err != nil {
		return v, err
	}
	switch rest := texts[2:]; {
	case len(rest) == 2 && rest[0] == "invalid":
		v.Invalid = rest[1]
	case len(rest) == 2 && rest[1] == "allowed":
		v.URI, v.Becomes = rest[0], rest[0]
	case len(rest) == 3 && rest[1] == "denied":
		v.URI, v.Denied = rest[0], rest[2]
	case len(rest) == 3 && rest[1] == "becomes":
		v.URI, v.Becomes = rest[0], rest[2]
	case len(rest) == 5 && rest[1] == "becomes" && rest[3] == "as":
		v.URI, v.Becomes, v.As = rest[0], rest[2], rest[4]
	default:
		return v, fmt.Errorf(`"%s": expected URI allowed, URI denied "why", URI becomes URI [as PATH], or invalid "why"`, strings.Join(rest, " "))
	}
	return v, nil
}

// parseWith takes the flags from the end of the line.
func (v *FetchVector) parseWith(texts []string) ([]string, error) {
	i := slices.Index(texts, "with")
	if i < 3 {
		return texts, nil
	}
	v.With = map[string]bool{}
	for _, text := range texts[i+1:] {
		name, value, _ := strings.Cut(text, "=")
		if checked, err := v.parseCheck(name, value); err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		} else if checked {
			continue
		}
		if name != "extract" && name != "executable" && name != "cache" || value != "true" && value != "false" {
			return nil, fmt.Errorf("%q: expected a flag such as extract=false, or a check such as bytes=1024", text)
		}
		v.With[name] = value == "true"
	}
	return texts[:i], nil
}

// parseCheck reads a digest or a limit; false for what is none.
func (v *FetchVector) parseCheck(name, value string) (bool, error) {
	if name == "sha256" {
		v.SHA256 = value
		return true, nil
	}
	into := map[string]*uint32{"entries": &v.Limits.Entries, "depth": &v.Limits.Depth, "ratio": &v.Limits.Ratio}[name]
	if name != "bytes" && into == nil {
		return false, nil
	}
	size := 64
	if into != nil {
		size = 32
	}
	n, err := strconv.ParseUint(value, 10, size)
	if into != nil {
		*into = uint32(n)
	} else {
		v.Limits.Bytes = n
	}
	return true, err
}

// flags sets those that the vector names.
func (v FetchVector) flags(uri *sdk.FetchURI) {
	for name, flag := range map[string]*bool{"extract": &uri.Extract, "executable": &uri.Executable, "cache": &uri.Cache} {
		if value, ok := v.With[name]; ok {
			*flag = value
		}
	}
}

// RunFetch checks each vector, in a subtest named after its line, with the policy that
// offers its name. A name that none offers fails.
func RunFetch(t *testing.T, policies []sdk.Fetch, vectors []FetchVector) {
	t.Helper()
	for _, v := range vectors {
		t.Run(fmt.Sprintf("line %d", v.Line), func(t *testing.T) {
			i := slices.IndexFunc(policies, func(p sdk.Fetch) bool { return slices.Contains(p.Policies(), v.Policy) })
			if i < 0 {
				t.Fatalf("no policy has the name %s", v.Policy)
			}
			if err := v.Check(t.Context(), policies[i]); err != nil {
				t.Errorf("%s\n%v", v.Text, err)
			}
		})
	}
}

// Check says how the policy's decision differs from the vector; nil if it does not.
// The URI is asked about alone and among others, with and without its flags: the
// decision must not depend on that.
func (v FetchVector) Check(ctx context.Context, policy sdk.Fetch) error {
	if v.Policy != sdk.CanonicalFetchPolicy(v.Policy) {
		return fmt.Errorf("policy %q: expected a lower-case letter, then lower-case letters, digits and dashes, 64 at most", v.Policy)
	}
	prepared, err := policy.Prepare(ctx, v.spec())
	if invalid, ok := errors.AsType[*sdk.Invalid](err); ok && v.Invalid != "" {
		if !strings.Contains(invalid.Message, v.Invalid) {
			return fmt.Errorf("invalid: %q, want %q in it", invalid.Message, v.Invalid)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	defer prepared.Close()
	if v.Invalid != "" {
		return fmt.Errorf("accepted, want it invalid with %q", v.Invalid)
	}
	bare := sdk.FetchURI{URI: v.URI}
	full := sdk.FetchURI{URI: v.URI, Extract: true, Executable: true, Cache: true}
	if err := v.ask(ctx, prepared, bare); err != nil {
		return err // once is enough
	}
	if err := v.ask(ctx, prepared, full, bare); err != nil {
		return fmt.Errorf("with all of its flags: %w", err)
	}
	if err := v.ask(ctx, prepared, sdk.FetchURI{URI: "https://pacer.example/x"}, full); err != nil {
		return fmt.Errorf("beside another URI: %w", err)
	}
	return nothing(ctx, prepared)
}

// spec is what the policy is told.
func (v FetchVector) spec() sdk.FetchSpec {
	return sdk.FetchSpec{Policy: v.Policy, Settings: v.Settings, App: sdk.AppFacts{ID: "/app", Instances: 1}, Enforced: !v.Unenforced}
}

// ask asks about URIs, of which those of the vector are checked.
func (v FetchVector) ask(ctx context.Context, prepared sdk.PreparedFetch, uris ...sdk.FetchURI) error {
	decisions, err := prepared.Decide(ctx, slices.Clone(uris))
	if err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	if len(decisions) != len(uris) {
		return fmt.Errorf("%d decisions on %d URIs", len(decisions), len(uris))
	}
	for i, d := range decisions {
		want := uris[i]
		want.URI, want.DestPath = v.Becomes, v.As
		v.flags(&want)
		switch {
		case uris[i].URI != v.URI:
		case d.Denied && (v.Denied == "" || !strings.Contains(d.Reason, v.Denied)):
			return fmt.Errorf("denied with %q, want %q", d.Reason, v.Denied)
		case !d.Denied && v.Denied != "":
			return fmt.Errorf("%+v, want it denied with %q", d.FetchURI, v.Denied)
		case !d.Denied && d.FetchURI != want:
			return fmt.Errorf("%+v, want %+v", d.FetchURI, want)
		case d.SHA256 != v.SHA256 || d.Limits != v.Limits:
			return fmt.Errorf("checked by %q and %+v, want %q and %+v", d.SHA256, d.Limits, v.SHA256, v.Limits)
		}
	}
	return nil
}

// nothing asks about no URI at all.
func nothing(ctx context.Context, prepared sdk.PreparedFetch) error {
	decisions, err := prepared.Decide(ctx, nil)
	if err == nil && len(decisions) != 0 {
		err = fmt.Errorf("%d decisions", len(decisions))
	}
	if err != nil {
		return fmt.Errorf("asked about nothing: %w", err)
	}
	return nil
}
