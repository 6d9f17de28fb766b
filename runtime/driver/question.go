package driver

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// question is what upgrade strategies and health rules are asked through: one
// question at a time, with a deadline that holds whatever the policy does.
type question struct {
	noun  string // what is asked, for people
	out   atomic.Bool
	stuck atomic.Bool // it was given up: nobody may use what is prepared for it again
}

// usable tells whether the next question may go the same way.
func (q *question) usable() bool { return !q.stuck.Load() }

// askPolicy has answer called and its answer posted, late or not: the core asks for no other
// before it has it. A panic, and an answer that does not come, are what fault makes of
// the cause.
func (d *Driver) askPolicy(
	ctx context.Context, q *question, app spec.PathID, answer func(context.Context) scheduler.Event, fault func(cause string) scheduler.Event,
) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.MatchTimeout)
	defer cancel()
	answers := make(chan scheduler.Event, 1)
	go func() {
		a := q.guard(ctx, answer, fault)
		q.out.Store(false) // before the answer: the next question may come at once
		answers <- a
	}()
	patience := d.cfg.MatchTimeout + matchGrace
	grace := time.NewTimer(patience)
	defer grace.Stop()
	select {
	case a := <-answers:
		d.Post(a)
	case <-grace.C:
		q.stuck.Store(true)
		d.cfg.Log.Error(q.noun+" did not answer in time", "app", app, "timeout", d.cfg.MatchTimeout, "grace", matchGrace)
		d.Post(fault(fmt.Sprintf("the %s did not answer within %v", q.noun, patience)))
	}
}

// guard makes a panic an answer like any other.
func (q *question) guard(
	ctx context.Context, answer func(context.Context) scheduler.Event, fault func(cause string) scheduler.Event,
) (a scheduler.Event) {
	defer func() {
		if cause := recover(); cause != nil {
			a = fault(fmt.Sprintf("the %s panicked: %v", q.noun, cause))
		}
	}()
	return answer(ctx)
}

// renew prepares what is not prepared, or has to be prepared anew.
func renew[P interface{ Close() }](held *P, prepare func() (P, error)) error {
	if any(*held) != nil && !stale(*held) {
		return nil
	}
	if any(*held) != nil {
		(*held).Close()
		*held = *new(P)
	}
	p, err := prepare()
	if err == nil {
		*held = p
	}
	return err
}

// failed is the module's part in an error: its fault, or that it is there and cannot be
// asked; nil when no module is known.
func failed(err error) *sdk.Fault {
	if fault, ok := errors.AsType[*sdk.Fault](err); ok {
		return fault
	}
	var absent interface{ Absent() (module, kind string) }
	if errors.As(err, &absent) {
		module, kind := absent.Absent()
		return &sdk.Fault{Module: module, Kind: kind, Cause: err.Error()}
	}
	return nil
}
