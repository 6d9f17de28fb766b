package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// fieldDelta is a field that differs; Before or After is left out where the field
// is not there.
type fieldDelta struct {
	Path   string `json:"path"`
	Before any    `json:"before,omitempty"`
	After  any    `json:"after,omitempty"`
}

// fieldDeltas compares definitions as the API shows them, but for their versions.
// before is nil for a new app. Lists are compared as a whole.
func fieldDeltas(before, after *spec.App) []fieldDelta {
	return deltas([]fieldDelta{}, "", shown(before), shown(after))
}

func shown(app *spec.App) map[string]any {
	fields := map[string]any{}
	if app == nil {
		return fields
	}
	d := json.NewDecoder(bytes.NewReader(append(app.AppendFields([]byte{'{'}, false), '}')))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		panic("api: an app without a JSON form: " + err.Error())
	}
	delete(fields, "version")
	return fields
}

func deltas(out []fieldDelta, path string, before, after map[string]any) []fieldDelta {
	var names []string
	for name := range before {
		names = append(names, name)
	}
	for name := range after {
		if _, both := before[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		x, y := before[name], after[name]
		inX, isX := x.(map[string]any)
		inY, isY := y.(map[string]any)
		switch {
		case isX && isY:
			out = deltas(out, path+"/"+name, inX, inY)
		case !reflect.DeepEqual(x, y):
			out = append(out, fieldDelta{Path: path + "/" + name, Before: x, After: y})
		}
	}
	return out
}
