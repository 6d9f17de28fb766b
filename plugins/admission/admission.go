// Package admission holds the admission policies that Pacer ships: one file each,
// written against package sdk alone, so that the same source can also be built as
// a WASM module.
package admission

import (
	"errors"
	"strings"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/jsonvalue"
)

// All returns every policy of this package.
func All() []sdk.Admission { return []sdk.Admission{Labels{}, Caps{}} }

// appsOf reads the app before and after; before a new one there is none.
func appsOf(r sdk.AdmissionRequest) (old, now jsonvalue.Value, err error) {
	if r.Old != nil {
		if old, err = appOf("old", r.Old); err != nil {
			return old, now, err
		}
	}
	now, err = appOf("new", r.New)
	return old, now, err
}

func appOf(which string, text []byte) (jsonvalue.Value, error) {
	app, err := jsonvalue.Parse(text)
	switch {
	case err != nil:
		return app, errors.New("the " + which + " app: " + err.Error())
	case app.Kind() != jsonvalue.Object:
		return app, errors.New("the " + which + " app is no object")
	}
	return app, nil
}

// listOf splits settings at semicolons; empty items are left out.
func listOf(settings string) []string {
	var items []string
	for item := range strings.SplitSeq(settings, ";") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
