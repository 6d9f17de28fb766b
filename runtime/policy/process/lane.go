package process

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pacer-run/pacer/sdk/process/protocol"
	"github.com/pacer-run/pacer/sdk/wire"
)

// lane is a stream that carries one call at a time. A call by itself opens a stream
// and ends it, has its headers packed and unpacked, and a clock on either side; of all
// that a lane has none, which halves what a small question costs.
type lane struct {
	ctx    context.Context //nolint:containedctx // the life of the stream
	cancel context.CancelFunc
	stream grpc.ClientStream // nil before the first call
	out    []byte            // kept to spare the allocation

	mu    sync.Mutex
	timer *time.Timer
	fires time.Time // when the timer does; zero for not at all
	until time.Time // the deadline of the call under way; zero for none
	late  bool
}

const (
	// idleLanes is how many are kept while nobody asks.
	idleLanes = 16
	// laneBytes is the length of the answers that a lane takes; what may be longer is a
	// call by itself.
	laneBytes = 4 << 20
)

// lane takes one that is idle, or makes one, which ask opens.
func (r *run) lane() *lane {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.lanes); n > 0 {
		l := r.lanes[n-1]
		r.lanes = r.lanes[:n-1]
		return l
	}
	l := &lane{}
	l.ctx, l.cancel = context.WithCancel(context.Background()) // it outlives the call
	return l
}

// giveBack keeps a lane for the next call.
func (r *run) giveBack(l *lane) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lanes) == idleLanes || r.ended {
		l.end()
		return
	}
	r.lanes = append(r.lanes, l)
}

// endLanes ends the idle ones. Those in use end with the connection.
func (r *run) endLanes() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lanes {
		l.end()
	}
	r.lanes, r.ended = nil, true
}

// converse makes one call on a lane. The error is as that of a call by itself.
func (r *run) converse(ctx context.Context, deadline time.Time, method string, in []byte) ([]byte, error) {
	l := r.lane()
	l.begin(deadline)
	stop := context.AfterFunc(ctx, l.cancel)
	reply, err := l.ask(r.conn, wire.Call{Method: method, Input: in, TimeoutMicros: uint64(max(1, time.Until(deadline).Microseconds()))})
	late := l.finish()
	if untouched := stop(); untouched && !late && err == nil {
		r.giveBack(l)
	} else {
		l.end()
	}
	switch {
	case late:
		return nil, status.Error(codes.DeadlineExceeded, "no answer in time")
	case err != nil:
		return nil, err
	}
	if reply.Code != uint32(codes.OK) {
		return nil, status.Error(codes.Code(reply.Code), reply.Reason)
	}
	return reply.Output, nil
}

// open opens the stream.
func (l *lane) open(conn *grpc.ClientConn) (err error) {
	if l.stream != nil {
		return nil
	}
	l.stream, err = conn.NewStream(l.ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, protocol.Path(protocol.Converse),
		grpc.ForceCodecV2(protocol.Codec{}), grpc.MaxCallRecvMsgSize(laneBytes+maxHeaders))
	return err
}

// ask sends a call and waits for its answer.
func (l *lane) ask(conn *grpc.ClientConn, call wire.Call) (reply wire.Reply, err error) {
	if err := l.open(conn); err != nil {
		return reply, err
	}
	l.out = wire.AppendCall(l.out[:0], call)
	request, answer := protocol.Message(l.out), protocol.Message(nil)
	if err = l.stream.SendMsg(&request); err == nil || errors.Is(err, io.EOF) { // the answer says what that means
		err = l.stream.RecvMsg(&answer)
	}
	switch {
	case errors.Is(err, io.EOF):
		return reply, status.Error(codes.DataLoss, "it ended a stream of calls")
	case err != nil:
		return reply, err
	}
	if reply, err = wire.DecodeReply(answer); err != nil {
		return reply, status.Error(codes.DataLoss, protocol.Converse+": "+err.Error())
	}
	return reply, nil
}

// begin has the lane end at the deadline, unless finish comes before. The timer is not
// stopped after each call and not started for each: when it fires, it looks whether
// there is something to end, and otherwise goes on. The runtime wakes a thread for
// each timer that is started to fire before all others, and that takes longer than a
// module that answers.
func (l *lane) begin(deadline time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = deadline
	if !l.fires.IsZero() && !deadline.Before(l.fires) {
		return
	}
	l.fires = deadline
	if l.timer == nil {
		l.timer = time.AfterFunc(time.Until(deadline), l.look)
		return
	}
	l.timer.Reset(time.Until(deadline))
}

// end ends the stream, if it is open, and the timer.
func (l *lane) end() {
	l.cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
}

// finish tells whether the deadline was met, or passed.
func (l *lane) finish() (late bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = time.Time{}
	return l.late
}

// look is what the timer does.
func (l *lane) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fires = time.Time{}
	if l.until.IsZero() {
		return
	}
	if left := time.Until(l.until); left > 0 {
		l.fires = l.until
		l.timer.Reset(left)
		return
	}
	l.late = true
	l.cancel()
}
