package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// PolicyModules changes the modules that a server has. Errors are a *ModuleUnknown, a
// *ModuleRefusal, or the context's. What is changed holds for the next leader, too, until
// what the operator configured for the module becomes another thing.
type PolicyModules interface {
	// Reload loads the module anew; the version in use goes on if that fails.
	Reload(ctx context.Context, name string) error
	// Shadow has a module that is off be compared with another one; of "" is the one
	// that is configured.
	Shadow(ctx context.Context, name, of string) error
	// Promote has a shadow take the place of the module that it is compared with.
	Promote(ctx context.Context, name string) error
	// Enable and Disable take a module into use, and out of it.
	Enable(ctx context.Context, name string) error
	Disable(ctx context.Context, name string) error
	// Disagreements are the inputs on which a shadow differs, as far as they are kept.
	Disagreements(name string) ([]ModuleDisagreement, error)
	// Record writes what passes, until ctx ends or limit bytes are written.
	Record(ctx context.Context, name string, to io.Writer, limit int64) error
}

// routePolicies registers what is about policy modules.
func (s *server) routePolicies(r chi.Router) {
	const one = "/pacer/v1/policies/{name}"
	s.route(r, http.MethodGet, "/pacer/v1/policies", s.policies)
	s.route(r, http.MethodGet, one, s.policy)
	s.route(r, http.MethodGet, one+"/disagreements", s.disagreements)
	s.routeAny(r, http.MethodPost, one+"/record", s.record)
	for name, change := range map[string]func(PolicyModules, *http.Request, string) error{
		"reload":  func(p PolicyModules, r *http.Request, name string) error { return p.Reload(r.Context(), name) },
		"promote": func(p PolicyModules, r *http.Request, name string) error { return p.Promote(r.Context(), name) },
		"enable":  func(p PolicyModules, r *http.Request, name string) error { return p.Enable(r.Context(), name) },
		"disable": func(p PolicyModules, r *http.Request, name string) error { return p.Disable(r.Context(), name) },
		"shadow": func(p PolicyModules, r *http.Request, name string) error {
			return p.Shadow(r.Context(), name, r.URL.Query().Get("of"))
		},
	} {
		s.route(r, http.MethodPost, one+"/"+name, s.changePolicy(change))
	}
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

// moduleNamed finds a module by its id or, when that is nobody's, by the name that it
// gives to itself.
func (s *server) moduleNamed(name string) (Module, error) {
	modules := s.Modules()
	i := slices.IndexFunc(modules, func(m Module) bool { return m.ID == name })
	if i < 0 {
		i = slices.IndexFunc(modules, func(m Module) bool { return m.Name == name && m.Form != formBuiltin })
	}
	if i < 0 {
		return Module{}, &problem{http.StatusNotFound, (&ModuleUnknown{name}).Error()}
	}
	return modules[i], nil
}

// formBuiltin is the form of what is built in.
const formBuiltin = "builtin"

// policy answers one module.
func (s *server) policy(_ Core, w http.ResponseWriter, r *http.Request) error {
	m, err := s.moduleNamed(chi.URLParam(r, "name"))
	if err == nil {
		writeJSON(w, http.StatusOK, m)
	}
	return err
}

// changePolicy makes one change and answers the module as it is then.
func (s *server) changePolicy(change func(PolicyModules, *http.Request, string) error) handler {
	return func(core Core, w http.ResponseWriter, r *http.Request) error {
		name := chi.URLParam(r, "name")
		modules, err := s.policyModules(name)
		if err != nil {
			return err
		}
		if err := change(modules, r, name); err != nil {
			return moduleProblem(err)
		}
		s.askAnew(core, r)
		return s.policy(core, w, r)
	}
}

// askAnew has the core forget what policies failed to answer, so that nobody who has
// the answer to a change of modules still finds a fault of before it.
func (s *server) askAnew(core Core, r *http.Request) {
	_, done, err := s.command(r, core, func(request scheduler.RequestID, _ string) scheduler.Event {
		return scheduler.PoliciesChanged{Request: request}
	})
	done()
	if err != nil { // the next leader has nothing to forget
		s.Log.Warn("a change of policy modules shows late", "error", err)
	}
}

// policyModules are those to change. Which names there are is for them to say: a reload
// finds what is new in the operator's list.
func (s *server) policyModules(name string) (PolicyModules, error) {
	if s.PolicyModules != nil {
		return s.PolicyModules, nil
	}
	if _, err := s.moduleNamed(name); err != nil {
		return nil, err
	}
	return nil, &problem{http.StatusConflict, "The policy modules of this server cannot be changed."}
}

// moduleProblem is what a client is told of an error.
func moduleProblem(err error) error {
	unknown, refusal := (*ModuleUnknown)(nil), (*ModuleRefusal)(nil)
	switch {
	case errors.As(err, &unknown):
		return &problem{http.StatusNotFound, err.Error()}
	case errors.As(err, &refusal):
		return &problem{http.StatusConflict, err.Error()}
	default:
		return &outage{err}
	}
}

// disagreements answers what a shadow would have answered differently.
func (s *server) disagreements(_ Core, w http.ResponseWriter, r *http.Request) error {
	name := chi.URLParam(r, "name")
	modules, err := s.policyModules(name)
	if err != nil {
		return err
	}
	list, err := modules.Disagreements(name)
	if err != nil {
		return moduleProblem(err)
	}
	if list == nil {
		list = []ModuleDisagreement{}
	}
	writeJSON(w, http.StatusOK, map[string]any{"disagreements": list})
	return nil
}

// How long a recording may take, and how large it may become.
const (
	recordSeconds     = 30
	recordSecondsMost = 600
	recordBytes       = 64 << 20
	recordBytesMost   = 1 << 30
)

// record answers what passes between the server and a module, as it happens.
func (s *server) record(_ Core, w http.ResponseWriter, r *http.Request) error {
	seconds, err := numberIn(r, "seconds", recordSeconds, recordSecondsMost)
	if err != nil {
		return err
	}
	limit, err := numberIn(r, "bytes", recordBytes, recordBytesMost)
	if err != nil {
		return err
	}
	name := chi.URLParam(r, "name")
	modules, err := s.policyModules(name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(seconds)*time.Second)
	defer cancel()
	to := &recordingWriter{ResponseWriter: w, name: name}
	err = modules.Record(ctx, name, to, limit)
	if err != nil && !to.begun {
		return moduleProblem(err)
	}
	if err != nil {
		s.Log.Warn("recording a policy module ended early", "module", name, "error", err)
	}
	return nil
}

// recordingWriter begins the answer with the first bytes, before which an error can
// still be answered.
type recordingWriter struct {
	http.ResponseWriter
	name  string
	begun bool
}

// Write implements io.Writer. What was written is on its way at once.
func (w *recordingWriter) Write(b []byte) (int, error) {
	if !w.begun {
		w.begun = true
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", `attachment; filename=`+strconv.Quote(w.name+".rec"))
	}
	n, err := w.ResponseWriter.Write(b)
	if err == nil {
		_ = http.NewResponseController(w.ResponseWriter).Flush() // it may not be able to
	}
	return n, err
}

// numberIn reads a parameter from 1 to most.
func numberIn(r *http.Request, name string, fallback, most int64) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > most {
		return 0, spec.NewFault("/"+name, "is "+strconv.Quote(text)+": a whole number from 1 to "+strconv.FormatInt(most, 10)+" expected")
	}
	return n, nil
}
