package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/pacer-run/pacer/sdk/process/protocol"
)

// run is one process of a module, from its start to its end, and the connection to
// it. What was prepared on one is unknown to the next.
type run struct {
	*child
	client *plugin.Client
	conn   *grpc.ClientConn
	up     time.Time
	late   atomic.Int32 // calls in a row without an answer
	single bool         // it has no streams of calls

	mu      sync.Mutex
	lanes   []*lane       // idle ones
	ended   bool          // there are to be no more
	retired []uint32      // handles that the process can forget
	wake    chan struct{} // holds one when there are some
}

// tooLate is after how many calls in a row without an answer a process is ended.
const tooLate = 3

// launch starts the executable and connects to it. The error is why that cannot be.
func (m *Module) launch(ctx context.Context) (*run, error) {
	r := &run{child: newChild(&m.limits, m.journal), wake: make(chan struct{}, 1)}
	r.client = plugin.NewClient(m.clientConfig(r.child))
	if err := m.connect(ctx, r); err != nil {
		r.end()
		return nil, err
	}
	r.up = time.Now()
	return r, nil
}

// clientConfig is how go-plugin is to start the child, which gets the command here.
func (m *Module) clientConfig(c *child) *plugin.ClientConfig {
	return &plugin.ClientConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: protocol.CookieKey, MagicCookieValue: protocol.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{protocol.Version: {protocol.Plugin: connection{}}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     m.limits.Start,
		Logger:           hclog.NewNullLogger(), // the log of the module is ours
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: m.folder},
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDisableRetry(), grpc.WithMaxHeaderListSize(maxHeaders),
			grpc.WithStaticStreamWindowSize(protocol.Window), grpc.WithStaticConnWindowSize(protocol.Window),
			grpc.WithWriteBufferSize(protocol.Buffer), grpc.WithReadBufferSize(protocol.Buffer),
		},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, sockets string) (runner.Runner, error) {
			for _, file := range m.files {
				if err := file.verify(); err != nil {
					return nil, err
				}
			}
			cmd.Path, cmd.Args, cmd.Dir = m.files[0].path, m.command, m.folder
			cmd.Env = slices.Concat(m.env, cmd.Env)
			c.cmd, c.sockets = cmd, sockets
			return c, nil
		},
		// What the module prints through its library after the handshake.
		SyncStdout: c.scribe(), SyncStderr: c.scribe(),
	}
}

// maxHeaders is how long the headers of an answer may be, the text of a refusal in
// them.
const maxHeaders = 64 << 10

// connect takes the process through the handshake, which ends when ctx does.
func (m *Module) connect(ctx context.Context, r *run) error {
	over := context.AfterFunc(ctx, func() { r.kill(context.Cause(ctx).Error()) })
	defer over()
	if _, err := r.client.Start(); err != nil {
		return r.explain(err)
	}
	// go-plugin's own connecting knows no deadline.
	late := time.AfterFunc(m.limits.Start, func() { r.kill("no connection to it within " + m.limits.Start.String()) })
	defer late.Stop()
	client, err := r.client.Client()
	if err != nil {
		return r.explain(err)
	}
	conn, err := client.Dispense(protocol.Plugin)
	if err != nil {
		return r.explain(err)
	}
	r.conn = conn.(*grpc.ClientConn)
	return nil
}

// explain says why the process could not be started: what it did wrong, how it
// ended, or what go-plugin says.
func (r *run) explain(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	p := r.child
	if p.ID() == "" {
		return err
	}
	exited := strings.HasPrefix(text, "plugin exited") || strings.HasPrefix(text, "Unrecognized remote plugin message")
	switch {
	case strings.HasPrefix(text, "timeout while waiting"):
		return errors.New("it did not say where it listens in time")
	case exited:
		// It has ended by itself, or is about to: if not, it is made to.
		select {
		case <-p.exited:
		case <-time.After(time.Second):
			p.kill("it closed its standard output without a handshake")
			<-p.exited
		}
		if cause := p.cause(); cause != "" {
			return errors.New(cause)
		}
	}
	if complaint := p.complaint(); complaint != "" {
		return errors.New(complaint)
	}
	return errors.New(text)
}

// ping asks whether the process is well.
func (r *run) ping(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := grpc_health_v1.NewHealthClient(r.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: plugin.GRPCServiceName})
	if err == nil && answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		err = fmt.Errorf("it says that it is %s", answer.GetStatus())
	}
	return err
}

// retire notes that nobody will use the handle again.
func (r *run) retire(handle uint32) {
	r.mu.Lock()
	r.retired = append(r.retired, handle)
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// unused takes the handles that can be forgotten.
func (r *run) unused() []uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	handles := r.retired
	r.retired = nil
	return handles
}

// end asks the process to end, and sees to it that it does.
func (r *run) end() {
	defer os.RemoveAll(r.sockets) // go-plugin forgets it when there was no process
	r.endLanes()
	if r.ID() == "" {
		return // never started
	}
	stop := r.limits.Stop
	ask := time.AfterFunc(stop/4, func() { r.signal(syscall.SIGTERM) })
	force := time.AfterFunc(stop, func() { r.kill("") })
	r.client.Kill()
	ask.Stop()
	force.Stop()
	<-r.exited
}

// connection is the module as go-plugin wants it: the connection is all we need.
type connection struct{ plugin.NetRPCUnsupportedPlugin }

var _ plugin.GRPCPlugin = connection{}

// GRPCServer implements plugin.GRPCPlugin. A host serves nothing.
func (connection) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("the host serves no policies")
}

// GRPCClient implements plugin.GRPCPlugin.
func (connection) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}
