package cluster

import (
	"context"
	"net"
	"testing"
)

// A connection that comes too late, or not in time, is no finding: a check that
// tells what it finds has nothing to tell then.
func TestTCPProbe(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ask := tcpProbe("127.0.0.1", uint32(listener.Addr().(*net.TCPAddr).Port))
	over, end := context.WithCancel(t.Context())
	end()
	if f := ask(over); f.err == nil {
		t.Errorf("no time: %+v", f)
	}
	if f := ask(t.Context()); f != (finding{}) {
		t.Errorf("an open port: %+v", f)
	}
	listener.Close()
	if f := ask(t.Context()); f != (finding{code: 1}) {
		t.Errorf("a closed port: %+v", f)
	}
}
