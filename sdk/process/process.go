// Package process turns policies written in Go into a module that Pacer runs as a
// process of its own. An author writes a value of one or more of the kinds of
// package sdk; a whole module is
//
//	package main
//
//	import "github.com/pacer-run/pacer/sdk/process"
//
//	func main() {
//		process.Serve(process.Module{Name: "rack-spread", Version: "1.0.0", Constraint: rackSpread{}})
//	}
//
// A process may do what a WASM module cannot: ask a server, read a file, use any
// library. It is trusted as Pacer itself is, since nothing but the operating system
// keeps it in; for code of others there is package guest.
//
// Its policies are asked by many goroutines at once, what they prepared by one at a
// time. The contexts end when Pacer no longer waits for an answer. What is printed
// goes to Pacer's log. A panic ends the process, and Pacer starts it again; nothing
// may depend on what was before, since everything is prepared anew.
package process

import (
	"context"
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/process/protocol"
)

// Module is what an author serves: one value at least of the kinds of policy, all
// others are nil.
type Module struct {
	Name       string // dns-label, such as rack-spread
	Version    string // semantic version
	Constraint sdk.Constraint
	Fetch      sdk.Fetch
	Upgrade    sdk.Upgrade
	Health     sdk.Health
	Admission  sdk.Admission
	// Configure takes the operator's settings, JSON, "" for none, before anything
	// else is asked. It returns an *sdk.Invalid for what the operator has to change.
	// nil: the module takes no settings.
	Configure func(settings string) error
}

// Serve answers Pacer until it is told to end. Started by anybody else, it says so
// and exits with status 1.
func Serve(m Module) {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: protocol.CookieKey, MagicCookieValue: protocol.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{protocol.Version: {protocol.Plugin: &served{module: m}}},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options,
				grpc.ForceServerCodecV2(protocol.Codec{}),
				grpc.MaxRecvMsgSize(protocol.MaxMessage),
				grpc.StaticStreamWindowSize(protocol.Window), grpc.StaticConnWindowSize(protocol.Window),
				grpc.WriteBufferSize(protocol.Buffer), grpc.ReadBufferSize(protocol.Buffer),
			)...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Error, Output: os.Stderr}),
	})
}

// served is the module as go-plugin wants it.
type served struct {
	plugin.NetRPCUnsupportedPlugin
	module Module
}

var _ plugin.GRPCPlugin = (*served)(nil)

// GRPCServer implements plugin.GRPCPlugin.
func (s *served) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	server.RegisterService(newAnswers(s.module).service(), nil)
	return nil
}

// GRPCClient implements plugin.GRPCPlugin. A module has no use for it.
func (*served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errNoClient
}
