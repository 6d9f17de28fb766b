package wasm

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Those that wait get the place in the order in which they came.
func TestFirstComeFirstServed(t *testing.T) {
	code := fixture(t, "zoo")
	synctest.Test(t, func(t *testing.T) {
		loader, err := NewLoader(tight(), "", quiet())
		if err != nil {
			t.Fatal(err)
		}
		m, err := loader.Load(t.Context(), code, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var served []int
		var group sync.WaitGroup
		err = m.pool.with(t.Context(), func(*instance) error { // holds the only instance
			for i := range 5 {
				group.Go(func() {
					err := m.pool.with(t.Context(), func(*instance) error {
						served = append(served, i)
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				})
				synctest.Wait()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		group.Wait()
		if want := []int{0, 1, 2, 3, 4}; !slices.Equal(served, want) {
			t.Errorf("served %v, expected %v", served, want)
		}
		closeModule(t, m)
	})
}

// However those that wait give up, every place is free in the end, and a module that is
// closed lets nobody in.
func TestPlacesAreNotLost(t *testing.T) {
	loader, err := NewLoader(tight(), "", quiet())
	if err != nil {
		t.Fatal(err)
	}
	m, err := loader.Load(t.Context(), fixture(t, "zoo"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range 1000 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(20))*time.Microsecond)
				err := m.pool.with(ctx, func(*instance) error { return nil })
				if err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	group.Wait()
	if m.pool.working != 0 || len(m.pool.waiting) != 0 || len(m.pool.idle) != 1 {
		t.Errorf("%d places are taken, %d wait, %d instances are idle; expected 0, 0 and 1", m.pool.working, len(m.pool.waiting), len(m.pool.idle))
	}
	closeModule(t, m)
	if err := m.pool.with(t.Context(), func(*instance) error { return nil }); !errors.Is(err, errClosed) {
		t.Errorf("once it is closed: error %v, expected %v", err, errClosed)
	}
}
