package author

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// admissionCases are those of a file of vectors in JSON. Their line is where they
// begin.
func admissionCases(text []byte) ([]Case, error) {
	vectors, err := policytest.ReadAdmission(text)
	if err != nil {
		return nil, err
	}
	starts := linesOf(text)
	var cases []Case
	for i, v := range vectors {
		name := v.Name
		if name == "" {
			name = strings.TrimSpace(v.Policy + " " + v.Settings + " " + v.Verb + " " + v.Subject + " " + v.ID)
		}
		c := Case{
			Kind: remote.KindAdmission, Name: v.Policy, Text: name,
			check: func(ctx context.Context, m remote.Module) error { return v.Check(ctx, remote.Admission(m)) },
		}
		if i < len(starts) {
			c.Line = starts[i]
		}
		if v.Invalid == "" {
			c.sample = admissionSample(v)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// linesOf are the lines on which the items of a list in JSON begin.
func linesOf(text []byte) []int {
	var starts []int
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return nil
	}
	for dec.More() {
		at := dec.InputOffset()
		if skip := bytes.IndexByte(text[at:], '{'); skip > 0 {
			at += int64(skip)
		}
		starts = append(starts, 1+bytes.Count(text[:at], []byte("\n")))
		var item json.RawMessage
		if err := dec.Decode(&item); err != nil {
			return starts
		}
	}
	return starts
}

// isAdmission tells a file of admission vectors, which is JSON, from the others.
func isAdmission(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && text[0] == '['
}
