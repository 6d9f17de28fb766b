package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/go-chi/chi/v5"
)

// HTTPOptions is what goes for all requests, whatever they ask. The zero value
// lets everybody in, and answers as it is.
type HTTPOptions struct {
	// User and Password are what every request but those for /ping has to bring;
	// an empty User means that none has to.
	User, Password string
	Realm          string // named when credentials are missing; "" means "Mesosphere"
	// AllowOrigin is the origin whose pages may read answers; "" for none.
	AllowOrigin string
	// MaxRequests is how many requests may be under way, clients of the event
	// stream aside; 0 for any number.
	MaxRequests int
	Compress    bool // for clients that take gzip
}

// ParseCredentials reads "user:password". The error does not show what was given.
func ParseCredentials(text string) (user, password string, err error) {
	user, password, ok := strings.Cut(text, ":")
	if !ok || user == "" {
		return "", "", errors.New("expected user:password")
	}
	return user, password, nil
}

// eventStream tells whether a request is for the event stream, to which limits
// of time, number and form do not apply.
func eventStream(r *http.Request) bool {
	return chi.RouteContext(r.Context()).RoutePath == "/v2/events"
}

// authenticate lets nobody in without the credentials, except to /ping, which
// says nothing. A standby asks for them as well, and hands them on to the leader.
func (s *server) authenticate(next http.Handler) http.Handler {
	if s.HTTP.User == "" {
		return next
	}
	realm := s.HTTP.Realm
	if realm == "" {
		realm = "Mesosphere"
	}
	challenge := "basic realm=" + quoted(realm)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if chi.RouteContext(r.Context()).RoutePath == "/ping" || s.known(r) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", challenge)
		writeError(w, errCredentials)
	})
}

// quoted is a quoted-string of HTTP, which knows fewer escapes than Go does.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// known tells whether a request has the credentials. Forms other than Basic are
// those of anonymous clients. Neither what differs nor where can be told from the
// time that it takes.
func (s *server) known(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	sameUser, samePassword := sameText(user, s.HTTP.User), sameText(password, s.HTTP.Password)
	return ok && sameUser&samePassword == 1
}

// sameText compares digests, since a comparison in constant time needs equal lengths.
func sameText(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// crossOrigin tells browsers that pages of another origin may read the answers.
// What they ask before a request comes without credentials and is answered here.
func (s *server) crossOrigin(next http.Handler) http.Handler {
	if s.HTTP.AllowOrigin == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", s.HTTP.AllowOrigin)
		if asked := r.Header.Values("Access-Control-Request-Headers"); len(asked) > 0 {
			h.Set("Access-Control-Allow-Headers", strings.Join(asked, ", "))
		}
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		h.Set("Access-Control-Max-Age", "86400")
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			w.WriteHeader(http.StatusOK)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// limitRequests refuses requests beyond the number that may be under way. Those
// who follow the event stream stay for long and are not counted.
func (s *server) limitRequests(next http.Handler) http.Handler {
	most := int64(s.HTTP.MaxRequests)
	if most == 0 {
		return next
	}
	refusal := &problem{http.StatusServiceUnavailable, "Too many concurrent requests! Allowed: " + strconv.FormatInt(most, 10) + "."}
	var underWay atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if eventStream(r) {
			next.ServeHTTP(w, r)
			return
		}
		defer underWay.Add(-1)
		if underWay.Add(1) > most {
			writeError(w, refusal)
			return
		}
		next.ServeHTTP(w, r)
	})
}
