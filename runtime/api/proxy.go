package api

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"
)

// viaHeader names the nodes that a request has passed, to find loops.
const viaHeader = "X-Marathon-Via"

// leaderOnly sends requests to the leader while this node does not lead. The
// event stream is redirected instead: a stream through two nodes would end with
// either of them.
func (s *server) leaderOnly(proxy http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path := chi.RouteContext(r.Context()).RoutePath
			if path == "/healthz" || path == "/readyz" || path == "/ping" && s.leaderNow() == "" {
				next.ServeHTTP(w, r)
				return
			}
			if s.Node.Core() == nil && slices.Contains(r.Header.Values(viaHeader), s.via()) {
				writeError(w, errProxyLoop)
				return
			}
			switch leader := s.awaitLeader(r.Context()); {
			case leader == s.Address:
				w.Header().Set("X-Marathon-Leader", s.Scheme+"://"+s.Address) // perhaps it is since a moment ago
				next.ServeHTTP(w, r)
			case leader == "":
				writeError(w, errNoLeader)
			case path == "/v2/events":
				to := url.URL{Scheme: s.Scheme, Host: leader, Path: path, RawQuery: r.URL.RawQuery}
				http.Redirect(w, r, to.String(), http.StatusFound)
			default:
				to := forwarding{leader, w.Header()}
				proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), forwardingKey{}, to)))
			}
		})
	}
}

// leaderNow returns the address of the node that can answer now; "" when there is
// none. One that is named is not enough when it is this one: its term is about to
// begin, or has just ended.
func (s *server) leaderNow() string {
	if s.Node.Core() != nil {
		return s.Address
	}
	if leader := s.Node.Leader(); leader != s.Address {
		return leader
	}
	return ""
}

// leaderPoll is how often awaitLeader looks.
const leaderPoll = 250 * time.Millisecond

// awaitLeader is leaderNow with some patience: between two leaders there is none
// for a moment, of which clients need not learn.
func (s *server) awaitLeader(ctx context.Context) string {
	leader := s.leaderNow()
	for waited := time.Duration(0); leader == "" && waited < s.LeaderWait; waited += leaderPoll {
		select {
		case <-ctx.Done():
			return ""
		case <-time.After(leaderPoll):
			leader = s.leaderNow()
		}
	}
	return leader
}

// forwardingKey is the context key of a forwarding.
type forwardingKey struct{}

// forwarding is where a request goes. The leader is looked up once, so that the
// check and the use agree.
type forwarding struct {
	leader string
	header http.Header // of the answer, as far as it was this node's before the leader had its say
}

// forwardingOf returns the forwarding of a request that is sent on.
func forwardingOf(r *http.Request) forwarding { return r.Context().Value(forwardingKey{}).(forwarding) }

// via is how this node signs what it passes on.
func (s *server) via() string { return "1.1 " + s.Address }

// newProxy returns the way to the leader, which the request's context names. The
// path and the query go through as they were sent.
func (s *server) newProxy() http.Handler {
	transport := s.Transport
	if transport == nil {
		transport = &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: s.CommandTimeout + 5*time.Second, // the leader's own timeout comes first
			MaxIdleConnsPerHost:   64,
			IdleConnTimeout:       time.Minute,
			DisableCompression:    true, // answers pass as they are
		}
	}
	return &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = s.Scheme, forwardingOf(p.In).leader
			p.Out.URL.RawQuery = p.In.URL.RawQuery
			p.Out.Host = ""
			p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
			p.SetXForwarded()
			p.Out.Header.Add(viaHeader, s.via())
		},
		ModifyResponse: func(answer *http.Response) error {
			for name := range answer.Header { // the leader's word counts
				forwardingOf(answer.Request).header.Del(name)
			}
			answer.Header.Add(viaHeader, s.via())
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			s.Log.Warn("proxying to the leader failed", "path", r.URL.Path, "error", err)
			writeError(w, errProxyRefused)
		},
	}
}
