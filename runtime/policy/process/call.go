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

// call calls a method of the process. The error has a gRPC status; settle makes of
// it what callers see.
func (r *run) call(ctx context.Context, method string, in []byte, limit int) ([]byte, error) {
	request, answer := protocol.Message(in), protocol.Message(nil)
	err := r.conn.Invoke(ctx, protocol.Path(method), &request, &answer,
		grpc.ForceCodecV2(protocol.Codec{}), grpc.MaxCallRecvMsgSize(limit))
	if status.Code(err) == codes.ResourceExhausted && strings.Contains(status.Convert(err).Message(), "larger than max") {
		err = status.Error(codes.ResourceExhausted, fmt.Sprintf("an answer of more than %d bytes", limit))
	}
	if status.Code(err) != codes.DeadlineExceeded {
		r.late.Store(0)
	}
	return answer, err
}

// settle turns what went wrong in a call, to which so much time was given, into what
// callers see. What ended their own context is theirs: the module did nothing wrong.
func (m *Module) settle(ctx context.Context, r *run, err error, given time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s := status.Convert(err)
	switch s.Code() {
	case codes.InvalidArgument:
		return &sdk.Invalid{Message: line(s.Message())}
	case codes.DeadlineExceeded:
		if r.late.Add(1) >= tooLate {
			r.kill(fmt.Sprintf("ended since %d calls in a row had no answer", tooLate))
		}
		return m.fault("no answer within " + given.String())
	case codes.Unavailable, codes.Canceled:
		return m.fault(m.broken(ctx, r, s.Message()))
	case codes.Unimplemented:
		return m.fault("it does not know the call: " + line(s.Message()))
	}
	return m.fault(line(s.Message()))
}

// broken says why there is no connection: how the process ended, which shows a
// moment after the connection is gone.
func (m *Module) broken(ctx context.Context, r *run, otherwise string) string {
	timer := time.NewTimer(time.Second)
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
	_, err := r.call(ctx, protocol.Release, wire.AppendRelease(nil, handle), maxHeaders)
	return err
}
