// Command author-go is a Go guest that does what authors may, and what goes wrong in
// Go programs; the value of the constraint says which.
package main

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
	"github.com/pacer-run/pacer/sdk/guest/host"
)

var _ = guest.Register(guest.Module{Name: "author-go", Version: "1.0.0", Constraint: author{}, Configure: configure})

// configured is the settings of this instance.
var configured string

func configure(settings string) error {
	if strings.Contains(settings, "bad") {
		return errors.New("/color: red or green expected")
	}
	configured = settings
	return nil
}

func main() {}

type author struct{}

func (author) Operators() []string { return []string{"HOSTILE", "GRANTED"} }

func (author) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	if c.Operator == "GRANTED" {
		return order(c.Value), nil
	}
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

// order is what to ask the host for; its answer is the reason.
type order string

func (order) Traits() sdk.Traits { return sdk.Stateful }
func (order) Close()             {}

func (o order) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	answer := sdk.ConstraintAnswer{Quota: make([]uint32, len(in.Values))}
	verb, rest, _ := strings.Cut(string(o), " ")
	key, value, _ := strings.Cut(rest, " ")
	switch verb {
	case "settings":
		answer.Reason = configured
	case "now":
		answer.Reason = strconv.FormatInt(host.Now(), 10)
	case "rand":
		answer.Reason = strconv.FormatUint(host.Rand(), 16) + " " + strconv.FormatUint(host.Rand(), 16)
	case "metrics":
		host.Add(1, 2)
		host.Observe(2, -3.5)
		host.Observe(3, 50)
		host.Add(4, 1)  // there is none
		host.Add(1, -1) // it only grows
	case "get":
		answer.Reason = host.Get(key)
	case "put", "put-and-fail":
		if !host.Put(key, value) {
			answer.Reason = "no room"
		}
		if verb == "put-and-fail" {
			return answer, errors.New("after all not")
		}
	case "fill":
		n := 0
		for host.Put(strconv.Itoa(n), strings.Repeat("x", 1000)) {
			n++
		}
		answer.Reason = strconv.Itoa(n)
	}
	return answer, nil
}
