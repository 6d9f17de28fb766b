// Package admission holds the admission policies that Pacer ships: one file each,
// written against package sdk alone, so that the same source can also be built as
// a WASM module.
package admission

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// All returns every policy of this package.
func All() []sdk.Admission { return []sdk.Admission{Labels{}, Caps{}} }

// appNow is what the policies read of an app.
type appNow struct {
	Instances float64           `json:"instances"`
	CPUs      float64           `json:"cpus"`
	Mem       float64           `json:"mem"`
	Disk      float64           `json:"disk"`
	GPUs      float64           `json:"gpus"`
	Labels    map[string]string `json:"labels"`
}

// appsOf reads the app before and after; old is nil for a new one.
func appsOf(r sdk.AdmissionRequest) (old, now *appNow, err error) {
	if r.Old != nil {
		if err := json.Unmarshal(r.Old, &old); err != nil {
			return nil, nil, fmt.Errorf("the old app: %w", err)
		}
	}
	if err := json.Unmarshal(r.New, &now); err != nil {
		return nil, nil, fmt.Errorf("the new app: %w", err)
	}
	if now == nil {
		return nil, nil, errors.New("the new app is null")
	}
	return old, now, nil
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
