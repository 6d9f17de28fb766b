package main

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSmall runs all of it at sizes that take no time. What it costs is not
// asserted: that the work was done is, by the benchmark itself.
func TestSmall(t *testing.T) {
	g := newGrowth([]int{40, 80}, []int{20, 40}, 2, sampling{least: time.Millisecond}, plainDecoder)
	if err := g.run(); err != nil {
		t.Fatal(err)
	}
	k := newIntake(50, 20, 1, plainDecoder)
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	g.print(&out)
	k.print(&out)
	for _, want := range []string{"GROUP_BY host", "exponent", "none fits"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, out.String())
		}
	}
}

// TestShareSmall wants the same placements natively and of a guest, in every suite of
// the guest in C, which takes no time to build.
func TestShareSmall(t *testing.T) {
	s := newShare([]int{60}, 40, 1, sampling{least: time.Millisecond}, plainDecoder)
	s.cells = slices.DeleteFunc(s.cells, func(c *shareCell) bool { return c.guest != "c" })
	end, err := s.open(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	}()
	var out bytes.Buffer
	_ = s.run(t.Context(), &out) // that a share so small a sample is below the floor says nothing
	if lines := strings.Count(out.String(), "\n"); lines != 1+len(s.cells) || len(s.cells) != 3 {
		t.Errorf("%d cells, not all were measured:\n%s", len(s.cells), &out)
	}
}

func TestFit(t *testing.T) {
	x := []float64{1, 10, 100, 1000}
	var y []float64
	for _, v := range x {
		y = append(y, 3*math.Pow(v, 0.25))
	}
	exponent, residual := fit(x, y)
	if math.Abs(exponent-0.25) > 1e-9 || residual > 1e-9 {
		t.Errorf("exponent %v, residual %v", exponent, residual)
	}
	if got := (samples{5, 1, 3, 9}).median(); got != 4 {
		t.Errorf("median %v", got)
	}
}

// TestPerUnit wants a sample to go on for as many collections as were asked for.
func TestPerUnit(t *testing.T) {
	calls, readied := 0, 0
	length := sampling{collections: 3}
	got, err := length.perUnit(func(n int) error { readied += n; return nil }, func(int) (int, error) {
		calls++
		runtime.GC()
		return 2, nil
	})
	if err != nil || got <= 0 {
		t.Errorf("%v, %v", got, err)
	}
	if calls != readied || calls < 2 || calls > 3 { // one may be the runtime's own
		t.Errorf("%d calls, %d made ready; want one for each collection", calls, readied)
	}
}

// TestOrder wants shapes to stay together, and all cells to be there.
func TestOrder(t *testing.T) {
	g := newGrowth([]int{40, 80}, []int{20, 40}, 1, sampling{}, plainDecoder)
	order, changes := g.order(7), 0
	for i := range order[1:] {
		if order[i].shape.name != order[i+1].shape.name {
			changes++
		}
		if slices.Index(order, order[i]) != i {
			t.Errorf("%v twice", order[i])
		}
	}
	if len(order) != len(g.cells) || changes != len(shapes(1, 1))-1 {
		t.Errorf("%d of %d cells, %d changes of shape", len(order), len(g.cells), changes)
	}
}

func TestRounds(t *testing.T) {
	if err := run("1", "1", 0, 1); err == nil || !strings.Contains(err.Error(), "-rounds") {
		t.Error(err)
	}
}

func TestGuests(t *testing.T) {
	if err := runShare("1", "cobol", 1); err == nil || !strings.Contains(err.Error(), "-guests") {
		t.Error(err)
	}
}

func TestSizes(t *testing.T) {
	if got, err := sizes("agents", "1,20", 20); err != nil || len(got) != 2 || got[1] != 20 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "x", "0", "1,,2", "21"} {
		if _, err := sizes("agents", bad, 20); err == nil || !strings.Contains(err.Error(), "-agents") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Ratios and fuel that are missed make the run fail; times, and ratios by a little, do not.
func TestTargetsGate(t *testing.T) {
	var out bytes.Buffer
	x := &targets{w: &out}
	for _, line := range []target{
		{"1", "well", "x", 2, 3, 1.9, false},
		{"1", "enough", "x", 2, 1, 2, true},
		{"2", "slow", "ms", 1, 5, 5, false},
		{"5", "dear", "fuel", 10, 11, 11, false},
		{"10", "less", "x", 1.9, 1.2, 1.7, true},
		{"10", "nearly", "x", 1.9, 1.2, 1.72, true},
	} {
		x.note(line)
	}
	err := errors.Join(x.missed...)
	if want := "E5 dear: 11, the goal is 10\nE10 less: 1.2, the goal is 1.9"; err == nil || err.Error() != want {
		t.Errorf("missed: %v\nwant %s", err, want)
	}
	for word, n := range map[string]int{"MISSED": 2, "missed": 2, "ok": 2} {
		if got := strings.Count(out.String(), word); got != n {
			t.Errorf("%s %d times, want %d:\n%s", word, got, n, &out)
		}
	}
}
