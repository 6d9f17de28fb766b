package api

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/spec"
)

// ping answers that the process is there. Text unless JSON is all that is taken.
func (s *server) ping(w http.ResponseWriter, r *http.Request) {
	switch accepted := acceptedOf(r, "text/plain", "text/html", "application/json"); accepted {
	case "":
		w.WriteHeader(http.StatusNoContent)
	case "application/json":
		writeBytes(w, http.StatusOK, []byte(`"pong"`))
	default:
		w.Header().Set("Content-Type", accepted)
		w.Write([]byte("pong")) //nolint:errcheck // the client is gone
	}
}

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
		rank := map[string]int{"*/*": 0, kind + "/*": 1, offer: 2}
		if r, ok := rank[name]; ok && r > specific {
			specific, q = r, 1
			if v, err := strconv.ParseFloat(params["q"], 64); err == nil {
				q = v
			}
		}
	}
	return q
}

// healthz says that the process serves requests.
func (s *server) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether this node can do its work: it leads or knows who does, and
// what it depends on is there.
func (s *server) readyz(w http.ResponseWriter, _ *http.Request) {
	// Elected is not leading yet: the state has to be read first.
	if leader := s.Node.Leader(); s.Node.Core() == nil && (leader == "" || leader == s.Address) {
		writeError(w, errNoLeader)
		return
	}
	if err := s.Ready(); err != nil {
		writeError(w, &problem{http.StatusServiceUnavailable, err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

// leader names the leader, which is this node when the request is answered here.
func (s *server) leader(_ Core, w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, map[string]string{"leader": s.Address})
	return nil
}

// abdicate has another node lead. What Marathon does besides when it is asked for
// a backup or a restore is not done here, so nothing is.
func (s *server) abdicate(_ Core, w http.ResponseWriter, r *http.Request) error {
	for _, name := range []string{"backup", "restore"} {
		if r.URL.Query().Has(name) {
			return spec.NewFault("/", name+" is not supported by this version of Pacer")
		}
	}
	if !s.Node.Abdicate() {
		return errNobodyLeads
	}
	writeJSON(w, http.StatusOK, errorBody{Message: "Leadership abdicated"})
	return nil
}

// policies lists the modules, those that failed to load included.
func (s *server) policies(_ Core, w http.ResponseWriter, _ *http.Request) error {
	modules := s.Modules()
	if modules == nil {
		modules = []Module{}
	}
	writeJSON(w, http.StatusOK, map[string]any{"modules": modules})
	return nil
}
