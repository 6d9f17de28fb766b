// Package manifest is what a policy module says of itself before any of its code
// runs: JSON in a custom section of the WASM file, where a copy of the bare file
// keeps it. It needs the standard library alone.
package manifest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
)

// Section is the name of the custom section that holds the manifest.
const Section = "policy.manifest"

// MaxSize is how long a manifest may be, in bytes.
const MaxSize = 256 << 10

// Manifest is the manifest of one module. Equal manifests may differ in the order
// of their names and in the spaces of their JSON; those of Parse do not.
type Manifest struct {
	Name    string `json:"name"`    // dns-label, such as rack-spread
	Version string `json:"version"` // semantic version
	ABI     string `json:"abi"`     // that it needs, such as 1.1
	// Kinds are the names that the module offers, by kind: constraint, fetch,
	// upgrade, health, admission. There is one name at least.
	Kinds    map[string][]string `json:"kinds"`
	Settings *Settings           `json:"settings,omitempty"` // nil: it takes none, or any
	// Imports are the groups of host functions that it needs: log, now, rand, metric, kv.
	Imports     []string `json:"imports,omitempty"`
	Limits      Limits   `json:"limits,omitzero"`
	Metrics     []Metric `json:"metrics,omitempty"`
	Description string   `json:"description,omitempty"` // for people
	License     string   `json:"license,omitempty"`     // such as Apache-2.0
	Source      string   `json:"source,omitempty"`      // where its source is, such as a URL
}

// Settings are what an operator may set.
type Settings struct {
	Schema   json.RawMessage `json:"schema,omitempty"`   // a JSON Schema, an object; nil: any settings
	Defaults json.RawMessage `json:"defaults,omitempty"` // used where the operator sets nothing, an object; nil: none
}

// Limits are what the module thinks it needs; the operator's own are not raised by
// them. 0 is the host's default. Fuel is in units of about an instruction.
type Limits struct {
	MemoryPages uint32 `json:"memoryPages,omitempty"` // of 64 KiB, for an instance
	StartFuel   int64  `json:"startFuel,omitempty"`   // until an instance is ready
	PrepareFuel int64  `json:"prepareFuel,omitempty"` // to prepare once
	BaseFuel    int64  `json:"baseFuel,omitempty"`    // of one question
	ItemFuel    int64  `json:"itemFuel,omitempty"`    // of one question, for each value, URI or history in it
	CallFuel    int64  `json:"callFuel,omitempty"`    // of one question, however many items
	ReplyBytes  int    `json:"replyBytes,omitempty"`  // of one answer, beside what its items need
}

// Metric is something the module counts or measures.
type Metric struct {
	ID   uint32 `json:"id"`   // by which the module names it; from 1
	Name string `json:"name"` // such as spread_rejects; lower-case letters, digits and underscores
	Type string `json:"type"` // counter, gauge or histogram
	Help string `json:"help,omitempty"`
}

// Kinds are the kinds of policy, in the order in which they are shown.
func Kinds() []string {
	return []string{"constraint", "fetch", "upgrade", "health", "admission"}
}

// Imports are the groups of host functions that a module can ask for.
func Imports() []string { return []string{"log", "now", "rand", "metric", "kv"} }

// Encode returns the manifest as JSON in its one form: equal manifests give equal
// bytes. Whether the manifest is a good one is for Parse to say.
func (m *Manifest) Encode() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m.normal()); err != nil {
		// The one part that can fail is JSON of others, which normal has checked.
		return []byte("null")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// normal is the manifest in its one form, which shares nothing that is changed.
func (m *Manifest) normal() *Manifest {
	n := *m
	n.Kinds = map[string][]string{}
	for kind, names := range maps.All(m.Kinds) {
		if len(names) > 0 {
			n.Kinds[kind] = slices.Sorted(slices.Values(names))
		}
	}
	n.Imports = slices.Sorted(slices.Values(m.Imports))
	n.Metrics = slices.Clone(m.Metrics)
	slices.SortFunc(n.Metrics, func(a, b Metric) int { return cmp.Compare(a.ID, b.ID) })
	if m.Settings != nil {
		n.Settings = &Settings{Schema: canonical(m.Settings.Schema), Defaults: canonical(m.Settings.Defaults)}
	}
	if n.Settings != nil && n.Settings.Schema == nil && n.Settings.Defaults == nil {
		n.Settings = nil
	}
	return &n
}

// canonical is JSON with its keys sorted and without spaces, its numbers as they
// were written; nil for nothing. What is no JSON becomes a text, which is not what
// a manifest may have there.
func canonical(raw json.RawMessage) json.RawMessage {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	var value any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&value); err != nil || !json.Valid(raw) {
		value = string(raw)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return json.RawMessage(`""`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
