package api

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/spec"
)

// routeSystem registers what is about the server itself.
func (s *server) routeSystem(r chi.Router) {
	s.route(r, http.MethodGet, "/v2/info", s.info)
	s.route(r, http.MethodGet, "/v2/leader", s.leader)
	s.route(r, http.MethodDelete, "/v2/leader", s.abdicate)
	s.route(r, http.MethodGet, "/v2/plugins", s.plugins)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete} {
		s.routeAny(r, method, "/v2/plugins/*", s.pluginPath)
	}
	s.route(r, http.MethodGet, "/config", s.config)
	s.route(r, http.MethodGet, "/logging", s.loggers)
	s.route(r, http.MethodPost, "/logging", s.setLogger)
	s.routeAny(r, http.MethodGet, "/metrics", s.metrics)
	s.routeAny(r, http.MethodGet, "/metrics/prometheus", s.metricsText)
}

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
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil { // what cannot be read must not pass for what was not asked
		return spec.NewFault("/", "URI has invalid syntax.")
	}
	for _, name := range []string{"backup", "restore"} {
		if !query.Has(name) {
			continue
		}
		if err := checkBackupURI(query.Get(name)); err != nil {
			return err
		}
		return spec.NewFault("/", name+" is not supported by this version of Pacer")
	}
	if !s.Node.Abdicate() {
		return errNobodyLeads
	}
	writeJSON(w, http.StatusOK, errorBody{Message: "Leadership abdicated"})
	return nil
}

// checkBackupURI refuses what Marathon refuses: a file is file:///path, an object
// s3://bucket/key.
func checkBackupURI(text string) error {
	uri, err := url.Parse(text)
	if err != nil || text == "" {
		return spec.NewFault("/", "URI has invalid syntax.")
	}
	path := strings.TrimPrefix(uri.Path, "/") != ""
	file := uri.Scheme == "file" && uri.Host == "" && path
	object := uri.Scheme == "s3" && uri.Host != "" && path
	if !file && !object {
		return spec.NewFault("/", "Invalid URI or unsupported scheme: "+text)
	}
	return nil
}

// plugin is a policy module as Marathon shows its plugins.
type plugin struct {
	ID             string         `json:"id"`             // the name, and the kind of what is built in
	Plugin         string         `json:"plugin"`         // what it is asked about
	Implementation string         `json:"implementation"` // its file; "builtin" when it has none
	Tags           []string       `json:"tags,omitempty"`
	Info           map[string]any `json:"info,omitempty"`
}

// plugins lists the modules that are loaded.
func (s *server) plugins(_ Core, w http.ResponseWriter, _ *http.Request) error {
	list := []plugin{}
	for _, m := range s.Modules() {
		if !m.Loaded {
			continue
		}
		p := plugin{ID: m.Name, Plugin: m.Kind, Implementation: cmp.Or(m.File, m.Ref), Tags: []string{m.Form}, Info: map[string]any{}}
		if m.Form == formBuiltin { // those of one kind are a module without a name of its own
			p.ID, p.Implementation = m.Name+"-"+m.Kind, m.Form
		}
		if len(m.Kinds) > 1 {
			p.Info["kinds"] = m.Kinds
		}
		if m.Version != "" {
			p.Info["version"] = m.Version
		}
		if names := slices.Concat(m.Operators, m.Strategies, m.Rules, m.Fetchers, m.Admitters); len(names) > 0 {
			p.Info["offers"] = names
		}
		list = append(list, p)
	}
	writeJSON(w, http.StatusOK, map[string]any{"plugins": list})
	return nil
}

// pluginPath answers below a plugin's name, where Marathon's plugins may serve
// pages of their own. Policy modules have none.
func (s *server) pluginPath(_ Core, _ http.ResponseWriter, r *http.Request) error {
	id, _, _ := strings.Cut(strings.TrimLeft(chi.URLParam(r, "*"), "/"), "/")
	return &problem{http.StatusNotFound, "No plugin with this pluginId: " + id}
}

// config answers the options of this node by their names.
func (s *server) config(_ Core, w http.ResponseWriter, _ *http.Request) error {
	options := s.Options
	if options == nil {
		options = map[string]any{}
	}
	writeJSON(w, http.StatusOK, options)
	return nil
}
