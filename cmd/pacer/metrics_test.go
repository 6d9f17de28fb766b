package main

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/store"
)

// fill sets the fields of a struct of integers to first, first+1, ….
func fill(stats any, first int) {
	v := reflect.ValueOf(stats).Elem()
	for i := range v.NumField() {
		v.Field(i).Set(reflect.ValueOf(first + i).Convert(v.Field(i).Type()))
	}
}

// TestEveryTotalIsShown gives each total a number of its own: one that is added
// and forgotten among the metrics is found here.
func TestEveryTotalIsShown(t *testing.T) {
	var d driver.Stats
	var s store.Stats
	fill(&d, 100)
	fill(&s, 200)
	shown := append(driverMetrics(d), storeMetrics(s)...)
	// The store counts what is saved, and the snapshot counts matches.
	elsewhere := []uint64{d.Commits, d.Records, d.Bytes, d.Matches}
	for _, stats := range []any{d, s} {
		v := reflect.ValueOf(stats)
		for i := range v.NumField() {
			n := v.Field(i).Convert(reflect.TypeFor[uint64]()).Uint()
			times := 0
			for _, m := range shown {
				if m.Value == float64(n) {
					times++
				}
			}
			want := 1
			if slices.Contains(elsewhere, n) {
				want = 0
			}
			if times != want {
				t.Errorf("%s.%s is shown %d times, want %d", v.Type(), v.Type().Field(i).Name, times, want)
			}
		}
	}
}

func TestNamesOfMetrics(t *testing.T) {
	names := map[string]bool{}
	for _, m := range append(driverMetrics(driver.Stats{}), storeMetrics(store.Stats{})...) {
		if !regexp.MustCompile(`^pacer(_[a-z]+)+$`).MatchString(m.Name) || names[m.Name] {
			t.Errorf("%s: expected pacer_ and words, once", m.Name)
		}
		if m.Counter != strings.HasSuffix(m.Name, "_total") {
			t.Errorf("%s: expected _total for counters and only for them", m.Name)
		}
		if !strings.HasSuffix(m.Help, ".") {
			t.Errorf("%s: expected a sentence as help, not %q", m.Name, m.Help)
		}
		names[m.Name] = true
	}
}
