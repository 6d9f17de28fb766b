package api

import (
	_ "embed"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
)

// consolePage names the endpoints, and links to those that are read.
//
//go:embed console.html
var consolePage []byte

// routePages serves what is for people. Where there is no user interface its
// place shows the page of the API, so that links to it lead somewhere.
func (s *server) routePages(r chi.Router) {
	var console http.Handler = http.HandlerFunc(s.console)
	r.Get("/", redirectTo("/ui/"))
	r.Get("/help", redirectTo("/api-console/index.html"))
	r.Method(http.MethodGet, "/api-console", folder(console))
	r.Method(http.MethodGet, "/api-console/index.html", console)
	if s.UI == nil {
		r.Method(http.MethodGet, "/ui", folder(console))
		return
	}
	r.Handle("/ui", folder(s.UI))
	r.Handle("/ui/*", s.UI)
}

// folder has its clients use the path with a slash, to which links are relative.
func folder(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/") {
			redirectTo(r.URL.Path+"/")(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func redirectTo(path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, path, http.StatusFound) }
}

// console answers the page of the API.
func (s *server) console(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(consolePage) //nolint:errcheck // the client is gone
}
