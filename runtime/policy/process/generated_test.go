package process

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/bufbuild/protocompile"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/process/protocol"
)

// The tests of this file hold both sides to sdk/policy.proto: they meet the other
// side as code does that a generator made of it, with protobuf's own library, its
// codec and its messages, and nothing of package wire.

// reference compiles the service from the folder of package sdk.
func reference(folder string) (protoreflect.ServiceDescriptor, error) {
	compiler := protocompile.Compiler{Resolver: &protocompile.SourceResolver{ImportPaths: []string{folder}}}
	files, err := compiler.Compile(context.Background(), "policy.proto")
	if err != nil {
		return nil, err
	}
	return files[0].Services().ByName("PolicyModule"), nil
}

const sdkFolder = "../../../sdk"

// stub calls the methods of the reference.
type stub struct {
	conn    *grpc.ClientConn
	service protoreflect.ServiceDescriptor
}

// call sends the request, JSON, and returns the answer as JSON.
func (s *stub) call(t *testing.T, method, request string) (proto.Message, error) {
	t.Helper()
	descriptor := s.service.Methods().ByName(protoreflect.Name(method))
	in, out := dynamicpb.NewMessage(descriptor.Input()), dynamicpb.NewMessage(descriptor.Output())
	if err := protojson.Unmarshal([]byte(request), in); err != nil {
		t.Fatal(err)
	}
	return out, s.conn.Invoke(t.Context(), "/"+string(s.service.FullName())+"/"+method, in, out)
}

// wants calls and compares the answer with the one given, JSON too.
func (s *stub) wants(t *testing.T, method, request, answer string) {
	t.Helper()
	got, err := s.call(t, method, request)
	if err != nil {
		t.Errorf("%s: %v", method, err)
		return
	}
	want := got.ProtoReflect().New().Interface()
	if err := protojson.Unmarshal([]byte(answer), want); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got, want) || len(got.ProtoReflect().GetUnknown()) > 0 {
		t.Errorf("%s answers %v; want %v", method, got, want)
	}
}

// dial starts a module as any host of go-plugin does.
func dial(t *testing.T, config Config) *stub {
	t.Helper()
	service, err := reference(sdkFolder)
	if err != nil {
		t.Fatal(err)
	}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: protocol.CookieKey, MagicCookieValue: protocol.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{protocol.Version: {protocol.Plugin: connection{}}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}, AutoMTLS: true, Logger: hclog.NewNullLogger(),
		Cmd: exec.CommandContext(t.Context(), config.Command[0], config.Command[1:]...),
	})
	t.Cleanup(client.Kill)
	rpc, err := client.Client()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := rpc.Dispense(protocol.Plugin)
	if err != nil {
		t.Fatal(err)
	}
	return &stub{conn.(*grpc.ClientConn), service}
}

// A module of package sdk/process answers a client that knows the reference alone.
func TestGeneratedClient(t *testing.T) {
	s := dial(t, as(t, "zoo"))
	s.wants(t, "Configure", `{"abiMinor":1,"settings":"{}"}`, `{}`)
	s.wants(t, "ConstraintPrepare", `{"field":"rack","operator":"LIKE","value":"r.","hasValue":true,"app":{"id":"/a","labels":{"a":""}}}`,
		`{"handle":1,"traits":1}`)
	// column {data "r1s1" off 0 0 2 4}
	s.wants(t, "ConstraintEvaluate", `{"handle":1,"input":"ChgSBHIxczEaEAAAAAAAAAAAAgAAAAQAAAA="}`,
		`{"quota":[0,4294967295,0],"reason":"does not match \"r.\""}`)
	s.wants(t, "Release", `{"handle":1}`, `{}`)
	s.wants(t, "AdmissionReview", `{"policy":"zoo","verb":"UPDATE","subject":"APP","id":"/a","new":"e30="}`,
		`{"reason":"update","amended":"e30=","warnings":["/a"]}`)
	d, err := s.call(t, "Describe", `{}`)
	if err != nil {
		t.Fatal(err)
	}
	if name := d.ProtoReflect().Get(d.ProtoReflect().Descriptor().Fields().ByName("name")).String(); name != "zoo" {
		t.Errorf("it is called %q", name)
	}
	for request, want := range map[string]codes.Code{`{"operator":"LIKE","value":"(","hasValue":true}`: codes.InvalidArgument, `{"operator":"LIKE"}`: codes.InvalidArgument} {
		if _, err := s.call(t, "ConstraintPrepare", request); status.Code(err) != want || status.Convert(err).Message() == "" {
			t.Errorf("%s: %v; want %v", request, err, want)
		}
	}
	s.converses(t)
	if _, err := s.call(t, "UpgradeNext", `{"handle":9}`); status.Code(err) != codes.Internal {
		t.Errorf("no such handle: %v", err)
	}
}

// converses makes several calls on one stream.
func (s *stub) converses(t *testing.T) {
	t.Helper()
	method := s.service.Methods().ByName("Converse")
	stream, err := s.conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+string(s.service.FullName())+"/Converse")
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range []struct{ request, answer string }{
		{`{"method":"Release","input":"CAI=","timeoutMicros":"1000000"}`, `{}`},
		{`{"method":"UpgradeNext","input":"CAk="}`, `{"code":13,"reason":"no such handle"}`},
		{`{"method":"Converse"}`, `{"code":12,"reason":"unknown method Converse"}`},
		{`{"method":"AdmissionReview","input":"Cgd6b28="}`, `{"code":13,"reason":"malformed message: length beyond the end"}`},
		{`{"method":"AdmissionReview","input":"CgN6b28YAiABKgIvYQ=="}`, `{"output":"EgZ1cGRhdGUqAi9h"}`},
	} {
		in, got, want := dynamicpb.NewMessage(method.Input()), dynamicpb.NewMessage(method.Output()), dynamicpb.NewMessage(method.Output())
		if err := errors.Join(protojson.Unmarshal([]byte(call.request), in), protojson.Unmarshal([]byte(call.answer), want)); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(stream.SendMsg(in), stream.RecvMsg(got)); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(got, want) {
			t.Errorf("%s: %v; want %v", call.request, got, want)
		}
	}
	if err := errors.Join(stream.CloseSend(), stream.RecvMsg(dynamicpb.NewMessage(method.Output()))); !errors.Is(err, io.EOF) {
		t.Errorf("the end of the stream: %v", err)
	}
}

// serveGenerated is a module that knows the reference alone: its one upgrade
// strategy starts as many instances as are wanted, and its one admission policy is
// the user's fault.
func serveGenerated() {
	service, err := reference(os.Args[3])
	if err != nil {
		panic(err)
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: protocol.CookieKey, MagicCookieValue: protocol.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{protocol.Version: {protocol.Plugin: generated{service: service}}},
		GRPCServer:       plugin.DefaultGRPCServer,
	})
}

type generated struct {
	connection
	service protoreflect.ServiceDescriptor
}

func (g generated) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	desc := &grpc.ServiceDesc{ServiceName: string(g.service.FullName()), HandlerType: (*any)(nil)}
	methods := g.service.Methods()
	for i := range methods.Len() {
		method := methods.Get(i)
		if method.IsStreamingClient() {
			continue // it does without
		}
		desc.Methods = append(desc.Methods, grpc.MethodDesc{
			MethodName: string(method.Name()),
			Handler: func(_ any, _ context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				in, out := dynamicpb.NewMessage(method.Input()), dynamicpb.NewMessage(method.Output())
				if err := read(in); err != nil {
					return nil, err
				}
				return out, answerGenerated(string(method.Name()), in, out)
			},
		})
	}
	server.RegisterService(desc, nil)
	return nil
}

func answerGenerated(method string, in, out *dynamicpb.Message) error {
	answer := map[string]string{
		"Describe":       `{"abiMinor":1,"name":"zoo","version":"1.2.3","upgradeStrategies":["all"],"admissionPolicies":["none"]}`,
		"UpgradePrepare": `{"handle":4294967295}`,
		"UpgradeNext":    `{"start":3,"outcome":"PAUSE","reason":"grün","memory":"AAE="}`,
		"Configure":      `{}`,
		"Release":        `{}`,
	}[method]
	switch method {
	case "AdmissionReview":
		return status.Error(codes.InvalidArgument, "not to be had: grün")
	case "UpgradeNext":
		fields := in.Descriptor().Fields()
		if handle := in.Get(fields.ByName("handle")).Uint(); handle != 1<<32-1 || len(in.Get(fields.ByName("input")).Bytes()) == 0 {
			return status.Errorf(codes.NotFound, "handle %d", handle)
		}
	case "Describe", "UpgradePrepare", "Configure", "Release":
	default:
		return status.Error(codes.Unimplemented, method)
	}
	return protojson.Unmarshal([]byte(answer), out)
}

// The host asks a module that knows the reference alone.
func TestGeneratedModule(t *testing.T) {
	folder, err := filepath.Abs(sdkFolder)
	if err != nil {
		t.Fatal(err)
	}
	m := start(t, as(t, "generated", folder))
	if !running(m).single {
		t.Error("it is taken for one with streams of calls")
	}
	got, err := step(t, m, "all")
	want := sdk.UpgradeStep{Start: 3, Outcome: sdk.Pause, Reason: "grün", Memory: []byte{0, 1}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	_, err = remote.Admission(m).Review(t.Context(), sdk.AdmissionRequest{Policy: "none"})
	wantInvalid(t, err, "not to be had: grün")
	_, err = m.Prepare(t.Context(), remote.KindHealth, nil)
	wantFault(t, err, "it does not know the call: HealthPrepare")
	if _, ok := errors.AsType[*sdk.Invalid](err); ok {
		t.Error("that is nobody's fault but the module's")
	}
}
