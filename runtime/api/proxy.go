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
			if s.Node.Core() != nil || answersForItself(path) {
				next.ServeHTTP(w, r)
				return
			}
			leader := s.Node.Leader()
			switch {
			case slices.Contains(r.Header.Values(viaHeader), s.via()):
				writeError(w, errProxyLoop)
			case leader == "" || leader == s.Address: // ours is about to begin or has just ended
				writeError(w, errNoLeader)
			case path == "/v2/events":
				to := url.URL{Scheme: s.Scheme, Host: leader, Path: path, RawQuery: r.URL.RawQuery}
				http.Redirect(w, r, to.String(), http.StatusFound)
			default:
				clear(w.Header()) // the leader's answer brings its own
				proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), leaderKey{}, leader)))
			}
		})
	}
}

// answersForItself tells which paths are about the node that is asked.
func answersForItself(path string) bool {
	return path == "/ping" || path == "/healthz" || path == "/readyz"
}

// leaderKey is the context key of the leader that a request is sent to: it is
// looked up once, so that the check and the use agree.
type leaderKey struct{}

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
			p.Out.URL.Scheme, p.Out.URL.Host = s.Scheme, p.In.Context().Value(leaderKey{}).(string)
			p.Out.URL.RawQuery = p.In.URL.RawQuery
			p.Out.Host = ""
			p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
			p.SetXForwarded()
			p.Out.Header.Add(viaHeader, s.via())
		},
		ModifyResponse: func(answer *http.Response) error {
			answer.Header.Add(viaHeader, s.via())
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			s.Log.Warn("proxying to the leader failed", "path", r.URL.Path, "error", err)
			writeError(w, errProxyRefused)
		},
	}
}
