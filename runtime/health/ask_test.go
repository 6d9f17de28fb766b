package health

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

// network is a network of one host, on which a server listens. It works in a
// bubble of synctest: connections are pipes.
type network struct {
	net.Listener
	conns  chan net.Conn
	closed chan struct{}

	mu    sync.Mutex
	dials []string // addresses
}

func newNetwork() *network {
	return &network{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error   { close(n.closed); return nil }
func (n *network) Addr() net.Addr { return &net.TCPAddr{} }

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dials = append(n.dials, address)
	n.mu.Unlock()
	here, there := net.Pipe()
	select {
	case n.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// dialled are the addresses so far.
func (n *network) dialled() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.dials, " ")
}

// serve answers on the network until the test ends.
func serve(t *testing.T, n *network, answer http.HandlerFunc) *client {
	server := &http.Server{Handler: answer}
	go func() { _ = server.Serve(n) }()
	c := newClient(&Config{Dial: n.dial}, 4)
	t.Cleanup(func() { c.close(); server.Close() })
	return c
}

// one asks once.
func one(t *testing.T, c *client, target Target) outcome {
	t.Helper()
	return c.ask(t.Context(), newProbe(target.normal()), true)
}

func TestStatuses(t *testing.T) {
	for status, good := range map[int]bool{
		101: false, 200: true, 204: true, 299: true, 301: true, 302: true, 399: true, 400: false, 404: false, 500: false, 503: false,
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serve(t, newNetwork(), func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Location", "/elsewhere")
					if r.URL.Path == "/elsewhere" {
						status = 200 // a redirect was followed
					}
					w.WriteHeader(status)
				})
				target := web(1, time.Second)
				got := one(t, c, target)
				if got.good != good || got.status != status || got.late || got.nothing || got.response != nil {
					t.Errorf("%+v", got)
				}
				if want := fmt.Sprintf("HTTP status %d", status); good != (got.cause == "") || !good && !strings.HasPrefix(got.cause, want) {
					t.Errorf("cause %q", got.cause)
				}
				// The rule on informational answers is about nothing else.
				target.IgnoreHTTP1xx = true
				if again := one(t, c, target); again.nothing != (status == 101) || again.good != good {
					t.Errorf("with ignoreHttp1xx %+v", again)
				}
			})
		})
	}
}

func TestInformationalAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		ignore bool
		final  int // status after the informational one; 0: there is none
		want   outcome
	}{
		{"the final answer counts", false, 200, outcome{good: true, status: 200}},
		{"the final answer counts, though they are ignored", true, 200, outcome{good: true, status: 200}},
		{"a bad final answer counts too", true, 503, outcome{status: 503, cause: "HTTP status 503 Service Unavailable"}},
		{"nothing else: no answer", false, 0, outcome{late: true, cause: "no answer within 5s"}},
		{"nothing else, ignored: nothing found", true, 0, outcome{late: true, nothing: true, cause: "no answer within 5s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serve(t, newNetwork(), func(w http.ResponseWriter, r *http.Request) {
					w.WriteHeader(http.StatusProcessing)
					if tt.final == 0 {
						<-r.Context().Done()
						return
					}
					w.WriteHeader(tt.final)
				})
				target := web(1, time.Second)
				target.IgnoreHTTP1xx = tt.ignore
				if got := one(t, c, target); got != tt.want {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

func TestRequest(t *testing.T) {
	for _, tt := range []struct {
		host, path, dialled, wantHost, wantURI string
		port                                   int
	}{
		{"agent-1", "", "agent-1:31000", "agent-1:31000", "/", 31000},
		{"10.1.2.3", "/ping?deep=1", "10.1.2.3:31000", "10.1.2.3:31000", "/ping?deep=1", 31000},
		{"fd00::1", "/", "[fd00::1]:31000", "[fd00::1]:31000", "/", 31000},
		{"fd00::1", "/", "[fd00::1]:80", "[fd00::1]", "/", 80},
		{"agent-1", "ping", "agent-1:80", "agent-1", "/ping", 80},
		{"agent-1", "//x", "agent-1:443", "agent-1:443", "//x", 443},
	} {
		t.Run(tt.host+tt.path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				var got *http.Request
				c := serve(t, n, func(_ http.ResponseWriter, r *http.Request) { got = r })
				target := web(1, time.Second)
				target.Host, target.Port, target.Path = tt.host, tt.port, tt.path
				if found := one(t, c, target); !found.good {
					t.Fatalf("%+v", found)
				}
				if n.dialled() != tt.dialled {
					t.Errorf("dialled %s, want %s", n.dialled(), tt.dialled)
				}
				if got.Method != "GET" || got.Host != tt.wantHost || got.RequestURI != tt.wantURI || got.Proto != "HTTP/1.1" {
					t.Errorf("%s %s %s of %s", got.Method, got.RequestURI, got.Proto, got.Host)
				}
				if h := got.Header; len(h) != 2 || h.Get("User-Agent") != "Pacer" || h.Get("Accept") != "*/*" {
					t.Errorf("%v", h)
				}
			})
		})
	}
}

func TestNothingToAsk(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Target)
		want   string
	}{
		"no host":           {func(x *Target) { x.Host = "" }, "address of the instance is not known"},
		"no host, TCP":      {func(x *Target) { x.Host, x.Protocol = "", spec.CheckTCP }, "address of the instance is not known"},
		"no port":           {func(x *Target) { x.Port = 0 }, "no port to ask: 0"},
		"port out of range": {func(x *Target) { x.Port = 70000 }, "no port to ask: 70000"},
		"no path":           {func(x *Target) { x.Path = "/%zz" }, `the path "/%zz" is not one`},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork()
			target := web(1, time.Second)
			tt.change(&target)
			got := one(t, newClient(&Config{Dial: n.dial}, 1), target)
			if got.good || got.late || !strings.Contains(got.cause, tt.want) || n.dialled() != "" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	for name, tt := range map[string]struct {
		protocol spec.CheckProtocol
		answer   http.HandlerFunc // nil: there is no server
		accept   bool             // without one, connections are taken and then left alone
	}{
		"no connection":        {spec.CheckHTTP, nil, false},
		"no connection, TCP":   {spec.CheckTCP, nil, false},
		"no connection, HTTPS": {spec.CheckHTTPS, nil, false},
		"no server":            {spec.CheckHTTP, nil, true},
		"no TLS":               {spec.CheckHTTPS, nil, true},
		"no answer":            {spec.CheckHTTP, silent, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				c := newClient(&Config{Dial: n.dial}, 1)
				switch {
				case tt.answer != nil:
					c = serve(t, n, tt.answer)
				case tt.accept:
					go func() { _, _ = n.Accept() }()
				}
				target := web(1, time.Second)
				target.Protocol, target.Timeout = tt.protocol, 7*time.Second
				began := time.Now()
				got := one(t, c, target)
				if took := time.Since(began); took != 7*time.Second {
					t.Errorf("it took %v", took)
				}
				if want := (outcome{late: true, cause: "no answer within 7s"}); got != want {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// A connection is kept from probe to probe, and a new one is opened once a minute.
func TestConnectionsAreKept(t *testing.T) {
	for name, tt := range map[string]struct {
		interval    time.Duration
		connections int // of the configuration
		answer      http.HandlerFunc
		dials       int // in ten minutes
	}{
		"every 10 s":                   {10 * time.Second, 0, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "well") }, 10},
		"a body in chunks":             {10 * time.Second, 0, chunks, 10},
		"every 30 s":                   {30 * time.Second, 0, chunks, 10},
		"every minute: not worth it":   {time.Minute, 0, chunks, 10},
		"none may be kept":             {10 * time.Second, -1, chunks, 60},
		"a body that does not end":     {10 * time.Second, 0, endless, 60},
		"the server does not keep any": {10 * time.Second, 0, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }, 60},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				server := &http.Server{Handler: tt.answer}
				go func() { _ = server.Serve(n) }()
				defer server.Close()
				good := 0
				p := New(Config{Sink: func(r Result) {
					if took := r.Ended.Sub(r.Began); r.Good && took <= drainTime {
						good++
					}
				}, Dial: n.dial, Connections: tt.connections, Concurrency: 1})
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() { p.Run(ctx); close(ended) }()
				p.Update([]Target{web(1, tt.interval)})
				time.Sleep(10*time.Minute + 5*time.Second)
				cancel()
				<-ended
				if dials := strings.Count(n.dialled(), "agent"); dials < tt.dials-1 || dials > tt.dials+1 {
					t.Errorf("%d connections", dials)
				}
				if want := int(10 * time.Minute / tt.interval); good < want-1 || good > want+1 {
					t.Errorf("%d probes, want %d", good, want)
				}
			})
		})
	}
}

func chunks(w http.ResponseWriter, _ *http.Request) {
	for range 3 {
		fmt.Fprint(w, "well, ")
		_ = http.NewResponseController(w).Flush()
	}
}

func silent(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func endless(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestPreservedResponse(t *testing.T) {
	long := strings.Repeat("é", MaxBody)
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   Response
		good   bool
	}{
		"ready": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/x")
			fmt.Fprint(w, "yes")
		}, Response{200, "text/x", "yes"}, true},
		"not ready": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "warming up", http.StatusServiceUnavailable)
		}, Response{503, "text/plain; charset=utf-8", "warming up\n"}, false},
		"a good status": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, Response{204, "", ""}, false},
		"too much":      {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "t"); fmt.Fprint(w, long) }, Response{200, "t", long[:MaxBody]}, true},
		"no text": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "t")
			fmt.Fprint(w, "a\xffb")
		}, Response{200, "t", "a\uFFFDb"}, true},
		"a body with a gap": {endless, Response{200, "", ""}, true},
		"no answer":         {silent, Response{504, "text/plain", "Marathon could not query URL: http://agent:31000/: no answer within 5s"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serve(t, newNetwork(), tt.answer)
				target := ready(200)
				target.Readiness.PreserveLastResponse = true
				got := one(t, c, target)
				if got.response == nil || *got.response != tt.want || got.good != tt.good {
					t.Errorf("%v, %+v", got.good, got.response)
				}
				target.Readiness.PreserveLastResponse = false
				if got := one(t, c, target); got.response != nil || got.good != tt.good {
					t.Errorf("not preserved: %+v", got)
				}
			})
		})
	}
}

// Sockets, certificates and refusals are tried on the real ones of this machine.

func TestHTTPS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Proto, ", taken up: ", r.TLS.DidResume)
	}))
	server.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS() // with a certificate for another name, of nobody known
	defer server.Close()
	c := newClient(&Config{}, 1)
	defer c.close()
	target := local(t, server.Listener, ready(200))
	target.Protocol, target.Readiness.PreserveLastResponse = spec.CheckHTTPS, true
	for _, want := range []string{"HTTP/1.1, taken up: false", "HTTP/1.1, taken up: true"} {
		if got := c.ask(t.Context(), newProbe(target.normal()), false); !got.good || got.response.Body != want {
			t.Errorf("%+v, want %s", got.response, want)
		}
	}
	// The wrong one of the two protocols is a failure with a cause.
	target.Protocol = spec.CheckHTTP
	if got := one(t, c, target); got.good || got.status != 400 {
		t.Errorf("HTTP of a server that wants TLS: %+v", got)
	}
}

func TestTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			var n int
			if n, err = conn.Read(make([]byte, 1)); n == 0 && err == io.EOF {
				err = nil
			}
			conn.Close()
		}
		accepted <- err
	}()
	c := newClient(&Config{}, 1)
	target := local(t, listener, web(1, time.Second))
	target.Protocol = spec.CheckTCP
	if got := one(t, c, target); got != (outcome{good: true}) {
		t.Errorf("%+v", got)
	}
	if err := <-accepted; err != nil {
		t.Errorf("the instance saw more than a connection that ends: %v", err)
	}
	listener.Close()
	for _, protocol := range []spec.CheckProtocol{spec.CheckTCP, spec.CheckHTTP, spec.CheckHTTPS} {
		target.Protocol = protocol
		if got := one(t, c, target); got.good || got.late || !strings.Contains(got.cause, "connection refused") {
			t.Errorf("%v of a closed port: %+v", protocol, got)
		}
	}
}

// local is the target with the address of a listener.
func local(t *testing.T, l net.Listener, target Target) Target {
	t.Helper()
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	target.Host = host
	if target.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	return target
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		n          int
	}{{"abc", "abc", 3}, {"abcd", "abc", 3}, {"aéb", "a", 2}, {"aéb", "aé", 3}, {"é", "", 1}, {"", "", 0}} {
		if got := cut(tt.text, tt.n); got != tt.want {
			t.Errorf("%q cut to %d is %q", tt.text, tt.n, got)
		}
	}
}
