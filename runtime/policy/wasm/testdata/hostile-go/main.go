// Command hostile-go is a Go guest that fails in the ways of Go programs; the
// value of the constraint says how.
package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
)

var _ = guest.Register(guest.Module{Name: "hostile-go", Version: "1.0.0", Constraint: hostile{}})

func main() {}

type hostile struct{}

func (hostile) Operators() []string { return []string{"HOSTILE"} }

func (hostile) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return &way{name: c.Value}, nil
}

// way is one way to fail.
type way struct {
	name  string
	calls uint32
	kept  [][]byte
}

func (*way) Traits() sdk.Traits { return sdk.Stateful }
func (*way) Close()             {}

func (w *way) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	w.calls++
	switch w.name {
	case "panic":
		panic("boom")
	case "nil":
		w = nil
		w.calls++
	case "deadlock":
		<-make(chan int)
	case "memory":
		for {
			w.kept = append(w.kept, make([]byte, 1<<20))
		}
	case "recursion":
		return w.Evaluate(context.Background(), in)
	case "sleep":
		time.Sleep(time.Hour)
	case "exit":
		os.Exit(3)
	case "error":
		return sdk.ConstraintAnswer{}, errors.New("out of ideas")
	}
	quota := make([]uint32, len(in.Values))
	for i := range quota {
		quota[i] = w.calls
	}
	return sdk.ConstraintAnswer{Quota: quota}, nil
}
