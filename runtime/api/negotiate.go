package api

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
)

// acceptedOf returns the offer that the client likes best, an earlier one among
// equals; "" when it takes none.
func acceptedOf(r *http.Request, offers ...string) string {
	header := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(header) == "" {
		return offers[0]
	}
	best, bestQuality := "", 0.0
	for _, offer := range offers {
		if q := quality(header, offer); q > bestQuality {
			best, bestQuality = offer, q
		}
	}
	return best
}

// quality is how much an Accept header wants a media type: that of its most
// specific entry, 0 for not at all.
func quality(header, offer string) float64 {
	kind, _, _ := strings.Cut(offer, "/")
	specific, q := -1, 0.0
	for entry := range strings.SplitSeq(header, ",") {
		name, params, err := mime.ParseMediaType(entry)
		if err != nil {
			continue
		}
		rank := map[string]int{"*/*": 0, "*": 0, kind + "/*": 1, offer: 2} // "*" is what an old client of Java sends
		if r, ok := rank[name]; ok && r > specific {
			specific, q = r, 1
			if v, err := strconv.ParseFloat(params["q"], 64); err == nil {
				q = v
			}
		}
	}
	return q
}

// answersJSON refuses a client that does not take what an endpoint of Marathon's
// answers: JSON, and lists of tasks as text, too. Pacer's own see to it themselves.
func answersJSON(h handler) handler {
	return func(core Core, w http.ResponseWriter, r *http.Request) error {
		offers := []string{"application/json"}
		path := chi.RouteContext(r.Context()).RoutePath
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		if reads && (path == "/v2/tasks" || strings.HasPrefix(path, "/v2/apps/") && strings.HasSuffix(path, "/tasks")) {
			offers = append(offers, "text/plain")
		}
		if !strings.HasPrefix(path, "/pacer/") && acceptedOf(r, offers...) == "" {
			return errNotAcceptable
		}
		return h(core, w, r)
	}
}

// methodMissing answers a method that a path does not have: OPTIONS with those
// that there are, any other with a refusal that names them.
func methodMissing(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		path := chi.RouteContext(r.Context()).RoutePath
		var allowed []string
		for _, method := range []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		} {
			routed := method
			if method == http.MethodHead { // as middleware.GetHead has it
				routed = http.MethodGet
			}
			if routes.Match(chi.NewRouteContext(), routed, path) || routes.Match(chi.NewRouteContext(), method, path) {
				allowed = append(allowed, method)
			}
		}
		w.Header().Set("Allow", strings.Join(append(allowed, http.MethodOptions), ", "))
		if r.Method != http.MethodOptions {
			writeError(w, errMethod)
			return
		}
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
	}
}
