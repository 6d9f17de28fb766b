package process

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hashicorp/go-plugin/runner"
)

// A child is go-plugin's runner; Start is in child.go.
var _ runner.Runner = (*child)(nil)

// Wait implements runner.Runner.
func (p *child) Wait(context.Context) error {
	<-p.exited
	return nil
}

// Kill implements runner.Runner.
func (p *child) Kill(context.Context) error {
	p.kill("")
	return nil
}

// Stdout implements runner.Runner.
func (p *child) Stdout() io.ReadCloser { return p.hello }

// Stderr implements runner.Runner. The log has it already.
func (p *child) Stderr() io.ReadCloser { return io.NopCloser(bytes.NewReader(nil)) }

// Name implements runner.Runner.
func (p *child) Name() string { return p.cmd.Path }

// ID implements runner.Runner.
func (p *child) ID() string {
	if p.cmd == nil || p.cmd.Process == nil {
		return ""
	}
	return strconv.Itoa(p.cmd.Process.Pid)
}

// Diagnose implements runner.Runner.
func (p *child) Diagnose(context.Context) string { return "" }

// PluginToHost implements runner.Runner. It lets nothing through but a socket in the
// module's own folder, and ports of this machine.
func (p *child) PluginToHost(network, address string) (string, string, error) {
	switch network {
	case "unix":
		if filepath.Dir(filepath.Clean(address)) == p.sockets {
			return network, address, nil
		}
	case "tcp":
		host, _, _ := strings.Cut(address, ":")
		if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
			return network, address, nil
		}
	}
	return "", "", fmt.Errorf("it listens at %s %.200q: a socket in its own folder, or a port of 127.0.0.1, expected", network, address)
}

// HostToPlugin implements runner.Runner.
func (p *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
