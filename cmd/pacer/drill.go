package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"github.com/pacer-run/pacer/runtime/cluster"
)

// drill is how the embedded cluster is disturbed, for exercises and tests.
type drill struct {
	control     string
	pingTimeout time.Duration
}

// register adds the flags.
func (d *drill) register(flags *pflag.FlagSet) {
	flags.StringVar(&d.control, "control", "", "address at which agents can be lost and faults made, for drills; default: nowhere")
	flags.DurationVar(&d.pingTimeout, "agent-ping-timeout", 75*time.Second, "how long after an agent is lost its tasks are unreachable")
}

// serve serves the cluster's faults at an address of their own until end, if that
// is asked for, and says where.
func (d *drill) serve(out io.Writer, c *cluster.Cluster) (end func(), err error) {
	if d.control == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", d.control)
	if err != nil {
		return nil, badFlag("--control: %w", err)
	}
	server := &http.Server{Handler: c.Control(), ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener) //nolint:errcheck // it ends with Close
	fmt.Fprintf(out, "Faults are made at http://%s/cluster\n", listener.Addr())
	return func() { _ = server.Close() }, nil
}
