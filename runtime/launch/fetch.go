package launch

import (
	"encoding/json"
	"maps"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// fetchCheck is what a task's label says of one of its command's URIs. Mesos has no
// field for it, and ignores it; the agents of the embedded cluster read it.
type fetchCheck struct {
	SHA256  string `json:"sha256,omitempty"`
	Bytes   uint64 `json:"bytes,omitempty"`
	Entries uint32 `json:"entries,omitempty"`
	Depth   uint32 `json:"depth,omitempty"`
	Ratio   uint32 `json:"ratio,omitempty"`
}

// taskLabels are the labels of the app, and what is to be checked of what is fetched.
func taskLabels(key templateKey) map[string]string {
	labels := key.app.Labels
	_, own := labels[spec.FetchLabel]
	checks := key.fetch != nil && key.fetch.Checks != nil
	if !own && !checks {
		return labels
	}
	out := map[string]string{}
	maps.Copy(out, labels)
	delete(out, spec.FetchLabel)
	if checks {
		out[spec.FetchLabel] = fetchLabel(key.fetch.Checks)
	}
	return out
}

// fetchLabel has one item per URI of the command, in their order.
func fetchLabel(checks []placement.FetchCheck) string {
	items := make([]fetchCheck, len(checks))
	for i, c := range checks {
		items[i] = fetchCheck{c.SHA256, c.Limits.Bytes, c.Limits.Entries, c.Limits.Depth, c.Limits.Ratio}
	}
	text, err := json.Marshal(items)
	if err != nil {
		panic("launch: checks of a fetch have no JSON form: " + err.Error()) // they are texts and numbers
	}
	return string(text)
}
