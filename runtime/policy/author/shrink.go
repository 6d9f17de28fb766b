package author

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"

	"github.com/pacer-run/pacer/sdk"
)

// How long a smaller question is looked for: a number of tries, and units of fuel, some
// seconds of it. There is no time in it, so that the same seed finds the same.
const (
	mostTries = 2000
	mostTried = 10_000_000_000
)

// shrink looks for the smallest question that fails alike.
func (f *fuzzer) shrink(ctx context.Context, t target, q question, wrong failure) question {
	tries, tried := 0, int64(0)
	for smaller := true; smaller; {
		smaller = false
		for next := range q.smaller() {
			if tries++; tries > mostTries || tried > mostTried || ctx.Err() != nil {
				return q
			}
			now, fuel, _ := f.ask(ctx, t, next)
			if tried += fuel; now.alike(wrong) {
				q, smaller = next, true
				break
			}
		}
	}
	return q
}

// The functions below make smaller values of one, the smallest first. Each is smaller
// in a way that comes to an end.

// without are lists with parts of it left out: all, halves, quarters and so on.
func without[T any](list []T) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for size := len(list); size > 0; size /= 2 {
			for from := 0; from < len(list); from += size {
				if !yield(slices.Concat(list[:from], list[min(from+size, len(list)):])) {
					return
				}
			}
		}
	}
}

// shorter are texts with parts of it left out.
func shorter(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for runes := range without([]rune(text)) {
			if !yield(string(runes)) {
				return
			}
		}
	}
}

// below are 0, a half, and one less.
func below(n uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		_ = n > 0 && yield(0) && (n < 4 || yield(n/2)) && (n < 2 || yield(n-1))
	}
}

// smallerApp are apps with fewer and shorter labels.
func smallerApp(app sdk.AppFacts) iter.Seq[sdk.AppFacts] {
	return func(yield func(sdk.AppFacts) bool) {
		less := app
		if less.ID = "/app"; app.ID != less.ID && !yield(less) {
			return
		}
		for _, key := range slices.Sorted(maps.Keys(app.Labels)) {
			less := app
			less.Labels = maps.Clone(app.Labels)
			delete(less.Labels, key)
			if !yield(less) {
				return
			}
			for value := range shorter(app.Labels[key]) {
				less.Labels = maps.Clone(app.Labels)
				if less.Labels[key] = value; !yield(less) {
					return
				}
			}
		}
	}
}

// smallerRequest are changes with less in them.
func smallerRequest(r sdk.AdmissionRequest) iter.Seq[sdk.AdmissionRequest] {
	return func(yield func(sdk.AdmissionRequest) bool) {
		less := r
		if less.Verb, less.Old = sdk.AdmissionCreate, nil; r.Verb == sdk.AdmissionUpdate && !yield(less) {
			return
		}
		less = r
		if less.User, less.Force, less.NowMillis = "", false, 0; (r.User != "" || r.Force || r.NowMillis != 0) && !yield(less) {
			return
		}
		for above := range without(r.Above) {
			less = r
			if less.Above = above; !yield(less) {
				return
			}
		}
		for settings := range shorter(r.Settings) {
			less = r
			if less.Settings = settings; !yield(less) {
				return
			}
		}
		for old := range smallerApps(r.Old) {
			less = r
			if less.Old = old; !yield(less) {
				return
			}
		}
		for app := range smallerApps(r.New) {
			less = r
			if less.New = app; !yield(less) {
				return
			}
		}
	}
}

// smallerApps are objects in JSON with less in them; none for what is no JSON.
func smallerApps(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var value any
		if d.Decode(&value) != nil {
			return
		}
		for less := range smallerJSON(value) {
			if _, object := less.(map[string]any); !object {
				continue // nothing else is an app
			}
			if small, err := json.Marshal(less); err != nil || !yield(small) {
				return
			}
		}
	}
}

func smallerJSON(value any) iter.Seq[any] {
	return func(yield func(any) bool) {
		switch value := value.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(value)) {
				less := maps.Clone(value)
				delete(less, key)
				if !yield(less) {
					return
				}
				for part := range smallerJSON(value[key]) {
					less := maps.Clone(value)
					if less[key] = part; !yield(less) {
						return
					}
				}
			}
		case []any:
			for less := range without(value) {
				if !yield(less) {
					return
				}
			}
		case string:
			for less := range shorter(value) {
				if !yield(less) {
					return
				}
			}
		case json.Number:
			_ = value != "0" && yield(json.Number("0"))
		}
	}
}
