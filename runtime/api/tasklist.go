package api

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/spec"
)

// parseIDs reads {"ids":["…"]}. unknown are the names of other fields.
func parseIDs(data []byte) (ids, unknown []string, err error) {
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil, nil, &spec.SyntaxError{Empty: true, Detail: "No content to map due to end-of-input"}
	}
	var syntax *json.SyntaxError
	var body map[string]json.RawMessage
	faults := &spec.Faults{Message: spec.MessageInvalidJSON}
	switch err := json.Unmarshal(data, &body); {
	case errors.As(err, &syntax):
		return nil, nil, &spec.SyntaxError{Detail: err.Error()}
	case err != nil:
		faults.Add("/", "error.expected.jsobject")
		return nil, nil, faults
	}
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
