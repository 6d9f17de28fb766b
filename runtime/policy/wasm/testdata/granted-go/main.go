// Command granted-go is a Go guest that asks its host for all that can be granted;
// the value of the constraint says what for.
package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
	"github.com/pacer-run/pacer/sdk/guest/host"
)

var _ = guest.Register(guest.Module{
	Name: "granted-go", Version: "1.0.0", Constraint: granted{},
	Configure: func(settings string) error {
		if strings.Contains(settings, "bad") {
			return errors.New("/color: red or green expected")
		}
		configured = settings
		return nil
	},
})

// configured is the settings of this instance.
var configured string

func main() {}

type granted struct{}

func (granted) Operators() []string { return []string{"GRANTED"} }

func (granted) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return order(c.Value), nil
}

// order is what to do; its answer is the reason.
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
