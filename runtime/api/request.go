package api

import (
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// routeDecodedPath makes chi route on the decoded path as it was sent, but for
// slashes that say nothing: clients write "//v2/apps", "/v2/apps//a",
// "/v2/apps/%2Fa" and "/v2/apps/", and several take a redirect for an error.
func routeDecodedPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names := strings.FieldsFunc(r.URL.Path, func(c rune) bool { return c == '/' })
		chi.RouteContext(r.Context()).RoutePath = "/" + strings.Join(names, "/")
		next.ServeHTTP(w, r)
	})
}

// commonHeaders sets the headers of every answer and hands the request id back.
func (s *server) commonHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-XSS-Protection", "1; mode=block")
		h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
		h.Set("Pragma", "no-cache")
		h.Set("Expires", "0")
		if id := r.Header.Get("X-Request-Id"); id != "" {
			h.Set("X-Request-Id", id)
		}
		if s.Node.Core() != nil {
			h.Set("X-Marathon-Leader", s.Scheme+"://"+s.Address)
		}
		next.ServeHTTP(w, r)
	})
}

// flag reads a boolean of the query: "true" in any case is true, any other text
// is false.
func flag(r *http.Request, name string, absent bool) bool {
	values, ok := r.URL.Query()[name]
	if !ok {
		return absent
	}
	return strings.EqualFold(values[0], "true")
}

// body reads a JSON body. A body without a content type is taken at its word.
func (s *server) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if sent := r.Header.Get("Content-Type"); sent != "" {
		mediaType, _, err := mime.ParseMediaType(sent)
		if err != nil || mediaType != "application/json" {
			return nil, errMediaType
		}
	}
	return s.anyBody(w, r)
}

// anyBody reads a body whatever its content type says.
func (s *server) anyBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, err
	case err != nil:
		return nil, &problem{http.StatusBadRequest, "the body could not be read: " + err.Error()}
	}
	return data, nil
}

// clientIP returns the address a request came from, without its port. What a
// standby sends on came from where it says: the last address is its own note, those
// before it are the client's word. Nobody else is asked who sent a request.
func clientIP(r *http.Request) string {
	if len(r.Header.Values(viaHeader)) > 0 {
		forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if address, err := netip.ParseAddr(strings.TrimSpace(forwarded[len(forwarded)-1])); err == nil {
			return address.String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// target is what a URL below /v2/apps/ names.
type target struct {
	id       spec.PathID // of an app, or of a group when wildcard
	wildcard bool        // "{group}/*": all apps below the group
	part     string      // "", or "tasks", "versions", "restart": the word after the id
	item     string      // the segment after part; "" for none
	whole    spec.PathID // with an item: the app that all of it would name; "" when none can
}

// appTarget takes the rest of a URL apart. The words of the API end it, since no
// app's id ends with one. But a group may have such a name: "tasks/x" is a task of
// an app where one can be deleted, and an app elsewhere; so are versions where one
// can be read.
func appTarget(r *http.Request) (target, error) {
	var t target
	segments := strings.FieldsFunc(chi.URLParam(r, "*"), func(c rune) bool { return c == '/' })
	if n := len(segments); n > 0 && reservedWord(segments[n-1]) {
		t.part, segments = segments[n-1], segments[:n-1]
	} else if n > 1 && segments[n-2] == itemsOf(r.Method) {
		if whole, err := spec.ParseAppID(strings.Join(segments, "/"), spec.Root); err == nil {
			t.whole = whole
		}
		t.part, t.item, segments = segments[n-2], segments[n-1], segments[:n-2]
	}
	var err error
	if n := len(segments); n > 0 && segments[n-1] == "*" {
		t.wildcard = true
		t.id, err = spec.ParsePathID(strings.Join(segments[:n-1], "/"), spec.Root)
	} else {
		t.id, err = spec.ParseAppID(strings.Join(segments, "/"), spec.Root)
	}
	return t, err
}

// itemsOf is the word of the API that one thing of an app may follow.
func itemsOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return "versions"
	case http.MethodDelete:
		return "tasks"
	default:
		return ""
	}
}

// isApp makes the target the app that all of it names, when there is one.
func (t *target) isApp(snapshot *scheduler.Snapshot) bool {
	if t.whole == "" || viewOf(snapshot, t.whole) == nil {
		return false
	}
	*t = target{id: t.whole}
	return true
}

// reservedWord tells the words that follow an id in URLs, and end none.
func reservedWord(s string) bool { return s == "tasks" || s == "versions" || s == "restart" }
