package process

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/process/protocol"
	"github.com/pacer-run/pacer/sdk/wire"
)

var errNoClient = errors.New("a module calls nobody")

// answers answers the calls of the service from a Module.
type answers struct {
	module  Module
	handles handles
	methods map[string]method
}

func newAnswers(m Module) *answers {
	a := &answers{module: m, handles: handles{kept: map[uint32]*kept{}}}
	a.methods = map[string]method{
		protocol.Describe:           a.describe,
		protocol.Configure:          a.configure,
		protocol.Release:            a.release,
		protocol.ConstraintPrepare:  a.prepareConstraint,
		protocol.ConstraintEvaluate: a.ask,
		protocol.FetchPrepare:       a.prepareFetch,
		protocol.FetchDecide:        a.ask,
		protocol.UpgradePrepare:     a.prepareUpgrade,
		protocol.UpgradeNext:        a.ask,
		protocol.HealthPrepare:      a.prepareHealth,
		protocol.HealthJudge:        a.ask,
		protocol.AdmissionReview:    a.review,
	}
	return a
}

// method answers one call: the bytes of a message for those of another.
type method func(ctx context.Context, in []byte) (out []byte, err error)

// service is the description that protoc would have generated.
func (a *answers) service() *grpc.ServiceDesc {
	desc := &grpc.ServiceDesc{ServiceName: protocol.Service, HandlerType: (*any)(nil), Metadata: "policy.proto"}
	for name, answer := range a.methods {
		desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: name, Handler: answer.handler()})
	}
	desc.Streams = []grpc.StreamDesc{{
		StreamName: protocol.Converse, ServerStreams: true, ClientStreams: true,
		Handler: func(_ any, stream grpc.ServerStream) error { return a.converse(stream) },
	}}
	return desc
}

func (answer method) handler() grpc.MethodHandler {
	return func(_ any, ctx context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var in protocol.Message
		if err := read(&in); err != nil {
			return nil, err
		}
		out, err := answer(ctx, in)
		if err != nil {
			return nil, refusal(err)
		}
		return (*protocol.Message)(&out), nil
	}
}

// refusal is the error in the form that the host understands.
func refusal(err error) error {
	if invalid := (*sdk.Invalid)(nil); errors.As(err, &invalid) {
		return status.Error(codes.InvalidArgument, invalid.Message)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return status.FromContextError(err).Err()
	}
	return status.Error(codes.Internal, err.Error())
}

func (a *answers) describe(context.Context, []byte) ([]byte, error) {
	m := &a.module
	d := wire.Description{Minor: wire.Minor, Name: m.Name, Version: m.Version}
	if m.Constraint != nil {
		d.Operators = m.Constraint.Operators()
	}
	if m.Fetch != nil {
		d.Fetchers = m.Fetch.Policies()
	}
	if m.Upgrade != nil {
		d.Strategies = m.Upgrade.Strategies()
	}
	if m.Health != nil {
		d.Rules = m.Health.Rules()
	}
	if m.Admission != nil {
		d.Admission = m.Admission.Policies()
	}
	return wire.AppendDescription(nil, d), nil
}

func (a *answers) configure(_ context.Context, in []byte) ([]byte, error) {
	host, err := wire.DecodeHostInfo(in)
	switch {
	case err != nil:
		return nil, err
	case a.module.Configure != nil:
		return nil, a.module.Configure(host.Settings)
	case host.Settings != "":
		return nil, &sdk.Invalid{Message: "the module takes no settings"}
	}
	return nil, nil
}

func (a *answers) release(_ context.Context, in []byte) ([]byte, error) {
	handle, err := wire.DecodeRelease(in)
	if err == nil {
		a.handles.release(handle)
	}
	return nil, err
}

// ask answers about what was prepared, whatever its kind.
func (a *answers) ask(ctx context.Context, in []byte) ([]byte, error) {
	q, err := wire.DecodeQuestion(in)
	if err != nil {
		return nil, err
	}
	k, err := a.handles.take(ctx, q.Handle)
	if err != nil {
		return nil, err
	}
	defer k.giveBack()
	return k.answer(ctx, q.Input)
}
