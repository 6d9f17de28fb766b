package process

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pacer-run/pacer/sdk/process/protocol"
	"github.com/pacer-run/pacer/sdk/wire"
)

// converse answers the calls of one stream, one after the other, until the host ends
// it.
func (a *answers) converse(stream grpc.ServerStream) error {
	for {
		var in, out protocol.Message
		switch err := stream.RecvMsg(&in); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		out = wire.AppendReply(nil, a.reply(stream.Context(), in))
		if err := stream.SendMsg(&out); err != nil {
			return err
		}
	}
}

// reply answers one call.
func (a *answers) reply(ctx context.Context, in []byte) wire.Reply {
	call, err := wire.DecodeCall(in)
	answer := a.methods[call.Method]
	switch {
	case err != nil:
		err = refusal(err)
	case answer == nil:
		err = status.Error(codes.Unimplemented, "unknown method "+call.Method)
	default:
		var output []byte
		if output, err = answer(limit(ctx, call.TimeoutMicros), call.Input); err == nil {
			return wire.Reply{Output: output}
		}
		err = refusal(err)
	}
	s := status.Convert(err)
	return wire.Reply{Code: uint32(s.Code()), Reason: s.Message()}
}

// limited is a context that knows when the host gives up. The host ends the stream
// then, and the context with it, so there is no second clock here: starting one for
// each call costs more than answering it.
type limited struct {
	context.Context //nolint:containedctx // that is what a context within a context is
	deadline        time.Time
}

func limit(ctx context.Context, micros uint64) context.Context {
	if micros == 0 || micros > uint64(time.Duration(1<<63-1).Microseconds()) {
		return ctx
	}
	return limited{ctx, time.Now().Add(time.Duration(micros) * time.Microsecond)}
}

// Deadline implements context.Context.
func (l limited) Deadline() (time.Time, bool) { return l.deadline, true }
