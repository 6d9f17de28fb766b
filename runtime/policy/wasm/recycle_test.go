package wasm

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// loadZoo loads the zoo with one instance, so that the quota tells how many calls it
// has seen.
func loadZoo(t *testing.T, options Options) *Module {
	t.Helper()
	m, err := loadWith(t, fixture(t, "zoo"), tight(), options)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// An instance is replaced after so many calls, preparations included.
func TestReplacedAfterCalls(t *testing.T) {
	m := loadZoo(t, Options{Limits: Limits{Calls: 3}})
	p := prepare(t, m, "ZOO", "z") // the load was the first call
	wantCalls(t, p, 1)
	wantCalls(t, p, 1)
	wantCalls(t, p, 2)
	wantCalls(t, p, 3)
	wantCalls(t, p, 1)
}

// An instance whose memory has grown beyond the mark is replaced after the call.
func TestReplacedAboveHighWater(t *testing.T) {
	for mark, want := range map[uint32]uint32{10: 1, 100: 3} {
		m := loadZoo(t, Options{Limits: Limits{HighWater: mark}})
		p := prepare(t, m, "ZOO", "z")
		wantCalls(t, p, 1)
		if _, err := prepare(t, m, "ZOO", "M").Evaluate(t.Context(), two()); err != nil { // grows by 20 pages
			t.Fatal(err)
		}
		wantCalls(t, p, want)
	}
}

// With an instance for each call nobody meets what others left behind.
func TestFresh(t *testing.T) {
	m := loadZoo(t, Options{Fresh: true})
	p := prepare(t, m, "ZOO", "z")
	for range 3 {
		wantCalls(t, p, 1)
	}
	p.Close()
	if _, err := prepare(t, m, "ZOO", "u").Evaluate(t.Context(), two()); err == nil {
		t.Error("no fault")
	}
	wantCalls(t, prepare(t, m, "ZOO", "z"), 1)
}

// A module that keeps all its instances busy is at fault, not its caller's time.
func TestWaitEnds(t *testing.T) {
	code := fixture(t, "zoo")
	synctest.Test(t, func(t *testing.T) {
		loader, err := NewLoader(tight(), "", quiet())
		if err != nil {
			t.Fatal(err)
		}
		m, err := loader.Load(t.Context(), code, Options{Limits: Limits{Wait: time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		p := prepare(t, m, "ZOO", "z")
		err = m.pool.with(t.Context(), func(*instance) error { // holds the only instance
			start := time.Now()
			_, err := p.Evaluate(t.Context(), two())
			wantFault(t, err, "none of its 1 instances was free within 1s")
			if took := time.Since(start); took != time.Second {
				t.Errorf("it waited for %v", took)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wantCalls(t, p, 1)
		closeModule(t, m)
	})
}

// Interpreted, a module does the same and uses the same fuel.
func TestInterpretedIsTheSame(t *testing.T) {
	compiled, interpreted := loadZoo(t, Options{}), loadZoo(t, Options{Interpreted: true})
	for letter := range strings.SplitSeq("zutTpmxG", "") {
		var errs [2]string
		var answers [2]uint32
		var fuel [2]int64
		for i, m := range []*Module{compiled, interpreted} {
			before := m.FuelUsed()
			answer, err := prepare(t, m, "ZOO", letter).Evaluate(t.Context(), two())
			if err != nil {
				errs[i] = err.Error()
			} else {
				answers[i] = answer.Quota[1]
			}
			fuel[i] = m.FuelUsed() - before
		}
		if errs[0] != errs[1] || answers[0] != answers[1] || fuel[0] != fuel[1] {
			t.Errorf("%s: answers %v, errors %q, fuel %v", letter, answers, errs, fuel)
		}
	}
}

// A panic of the engine costs the instance, but not its place.
func TestPanicKeepsThePlace(t *testing.T) {
	m := loadZoo(t, Options{})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_ = m.pool.with(t.Context(), func(*instance) error { panic("the engine") })
	}()
	wantCalls(t, prepare(t, m, "ZOO", "z"), 1)
}
