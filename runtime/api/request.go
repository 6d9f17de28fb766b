package api

import (
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/spec"
)

// routeDecodedPath makes chi route on the decoded path as it was sent, but for a
// slash at its end: clients write "/v2/apps//a", "/v2/apps/%2Fa" and "/v2/apps/",
// and several take a redirect for an error.
func routeDecodedPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimRight(r.URL.Path, "/")
		if path == "" {
			path = "/"
		}
		if path == "/ui" { // the UI's links are relative to its folder
			path = "/ui/"
		}
		chi.RouteContext(r.Context()).RoutePath = path
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

// clientIP returns the address a request came from, without its port.
func clientIP(r *http.Request) string {
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
}

// appTarget takes the rest of a URL apart. The words of the API end it, since no
// app's id ends with one.
func appTarget(r *http.Request) (target, error) {
	var t target
	segments := strings.FieldsFunc(chi.URLParam(r, "*"), func(c rune) bool { return c == '/' })
	if n := len(segments); n > 0 && reservedWord(segments[n-1]) {
		t.part, segments = segments[n-1], segments[:n-1]
	} else if n > 1 && reservedWord(segments[n-2]) && segments[n-2] != "restart" {
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

// reservedWord tells the words that follow an id in URLs, and end none.
func reservedWord(s string) bool { return s == "tasks" || s == "versions" || s == "restart" }
