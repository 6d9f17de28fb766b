package api

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/pacer-run/pacer/runtime/spec"
)

// parseIDs reads {"ids":["…"]}. unknown are the names of other fields.
func parseIDs(data []byte) (ids, unknown []string, err error) {
	body, err := parseObject(data)
	if err != nil {
		return nil, nil, err
	}
	faults := &spec.Faults{Message: spec.MessageInvalidJSON}
	var items []json.RawMessage
	switch text, ok := body["ids"]; {
	case !ok || string(text) == "null":
		faults.Add("/ids", "'ids' is undefined")
	case json.Unmarshal(text, &items) != nil:
		faults.Add("/ids", "error.expected.jsarray")
	}
	ids = make([]string, len(items))
	for n, item := range items {
		if item[0] != '"' || json.Unmarshal(item, &ids[n]) != nil {
			faults.Add("/ids("+strconv.Itoa(n)+")", "error.expected.jsstring")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if name != "ids" {
			unknown = append(unknown, name)
		}
	}
	return ids, unknown, faults.Err()
}
