package process

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/process/protocol"
	"github.com/pacer-run/pacer/sdk/wire"
)

// call calls a method of the process, and gives up at the deadline or when ctx ends.
// The error has a gRPC status; settle makes of it what callers see.
func (r *run) call(ctx context.Context, deadline time.Time, method string, in []byte, limit int) ([]byte, error) {
	var answer []byte
	var err error
	if r.single || limit > laneBytes {
		answer, err = r.alone(ctx, deadline, method, in, limit)
	} else {
		answer, err = r.converse(ctx, deadline, method, in)
	}
	if err == nil && len(answer) > limit || status.Code(err) == codes.ResourceExhausted && strings.Contains(status.Convert(err).Message(), "larger than max") {
		err = status.Error(codes.ResourceExhausted, fmt.Sprintf("an answer of more than %d bytes", limit))
	}
	if status.Code(err) != codes.DeadlineExceeded && r.late.Load() != 0 {
		r.late.Store(0)
	}
	return answer, err
}

// alone makes a call by itself.
func (r *run) alone(ctx context.Context, deadline time.Time, method string, in []byte, limit int) ([]byte, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	request, answer := protocol.Message(in), protocol.Message(nil)
	err := r.conn.Invoke(ctx, protocol.Path(method), &request, &answer,
		grpc.ForceCodecV2(protocol.Codec{}), grpc.MaxCallRecvMsgSize(limit))
	return answer, err
}

// question is one question of a caller, which has one deadline, however many calls
// it takes.
type question struct {
	*run
	module   *Module
	given    time.Duration
	deadline time.Time
	ctx      context.Context //nolint:containedctx // a question lives as long as the caller's call
}

// leave ends the question.
func (q *question) leave() { q.module.calls.Done() }

// call is one call for the question. Its errors are what the caller sees.
func (q *question) call(method string, in []byte, limit int) ([]byte, error) {
	b, err := q.run.call(q.ctx, q.deadline, method, in, limit)
	if err != nil {
		return nil, q.module.settle(q.ctx, q.deadline, q.run, err, q.given)
	}
	return b, nil
}

// until is when a question that so much time is given to has to be answered: at the
// latest when its caller has no more time.
func until(ctx context.Context, given time.Duration) time.Time {
	deadline := time.Now().Add(given)
	if own, ok := ctx.Deadline(); ok && own.Before(deadline) {
		return own
	}
	return deadline
}

// settle turns what went wrong in a call, to which so much time was given, into what
// callers see. What ended their own context, or their own deadline, is theirs: the
// module did nothing wrong.
func (m *Module) settle(ctx context.Context, deadline time.Time, r *run, err error, given time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s := status.Convert(err)
	if s.Code() == codes.DeadlineExceeded && theirs(ctx, deadline) {
		return context.DeadlineExceeded // another clock was first
	}
	switch s.Code() {
	case codes.InvalidArgument:
		return &sdk.Invalid{Message: line(s.Message())}
	case codes.DeadlineExceeded:
		if r.late.Add(1) >= tooLate {
			r.kill(fmt.Sprintf("ended since %d calls in a row had no answer", tooLate))
		}
		return m.trap("no answer within " + given.String())
	case codes.Unavailable, codes.Canceled:
		return m.trap(broken(ctx, r, s.Message(), given))
	case codes.Unimplemented:
		return m.fault("it does not know the call: " + line(s.Message()))
	case codes.ResourceExhausted, codes.DataLoss: // too long to be read, or nothing to be read
		return m.trap(line(s.Message()))
	default:
		return m.fault(line(s.Message()))
	}
}

// theirs tells that the deadline is that of ctx.
func theirs(ctx context.Context, deadline time.Time) bool {
	own, ok := ctx.Deadline()
	return ok && !deadline.Before(own)
}

// broken says why there is no connection: how the process ended, which shows a
// moment after the connection is gone.
func broken(ctx context.Context, r *run, otherwise string, given time.Duration) string {
	timer := time.NewTimer(min(given, time.Second))
	defer timer.Stop()
	select {
	case <-r.exited:
		return r.cause()
	case <-ctx.Done():
	case <-timer.C:
	}
	return "the connection to it broke: " + line(otherwise)
}

// refused makes a refusal a fault: what was once prepared has to be answered.
func (m *Module) refused(err error) error {
	if invalid, ok := errors.AsType[*sdk.Invalid](err); ok {
		return m.fault(invalid.Message)
	}
	return err
}

// release has the process forget what it prepared.
func (r *run) release(ctx context.Context, handle uint32) error {
	_, err := r.call(ctx, until(ctx, r.limits.Ping), protocol.Release, wire.AppendRelease(nil, handle), maxHeaders)
	return err
}
