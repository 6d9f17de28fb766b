package zktest

import (
	"io"
	"net"
	"sync"
)

// Proxy stands between clients and a server. Cutting it is what a broken network
// is to them: the server runs on, and expires their sessions in time.
type Proxy struct {
	listener net.Listener
	target   string
	tasks    sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]struct{}
}

// NewProxy listens on a free loopback port in front of the server. The caller
// closes it.
func NewProxy(s *Server) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, target: s.Address(), conns: map[net.Conn]struct{}{}}
	p.tasks.Go(p.accept)
	return p, nil
}

// URL is the zk:// URL of a path through the proxy.
func (p *Proxy) URL(path string) string { return "zk://" + p.listener.Addr().String() + path }

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.tasks.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.hold(client, server) {
		return
	}
	defer p.release(client, server)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(client, server)
		client.Close()
	}()
	_, _ = io.Copy(server, client)
	server.Close()
	<-done
}

// hold takes note of connections to break; false while the proxy is cut.
func (p *Proxy) hold(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if !p.cut {
			p.conns[c] = struct{}{}
		}
	}
	return !p.cut
}

func (p *Proxy) release(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

// Cut breaks every connection and refuses new ones until Mend.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for c := range p.conns {
		c.Close()
	}
}

// Mend lets clients connect again.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
}

// Close breaks every connection for good.
func (p *Proxy) Close() {
	p.listener.Close()
	p.Cut()
	p.tasks.Wait()
}
