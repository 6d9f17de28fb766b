// Package api serves the REST API of one node: Marathon's /v2 and Pacer's own
// /pacer/v1, the event stream, metrics and probes. Reads answer from the core's
// snapshot and never wait for it; writes become commands. On a node that does
// not lead, requests go to the leader.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// Core is the scheduler during one term of leadership. Its methods may be called
// by any goroutine.
type Core interface {
	// Do has a command carried out and waits for its reply; the snapshot shows by
	// then what the reply promises. command is called once at the most, before Do
	// returns, with the ids to use. The error says that nobody knows whether it
	// was carried out.
	Do(ctx context.Context, command func(scheduler.RequestID, string) scheduler.Event) (scheduler.Reply, error)
	Snapshot() *scheduler.Snapshot
}

// Node is this process's part in leadership. Its methods may be called by any
// goroutine.
type Node interface {
	// Core returns the core of the term under way; nil while this node does not lead.
	Core() Core
	// Leader returns the leader's advertised "host:port"; "" when none is known.
	Leader() string
	// Abdicate ends this node's leadership, so much later that an answer under way
	// can still be sent; false while it does not lead.
	Abdicate() bool
}

// Config is what the API works with. Node, Address and Events are required.
type Config struct {
	Node    Node
	Address string // this node's advertised "host:port"
	Scheme  string // of this node and its peers; "" means "http"
	Events  *Events
	// Settings are what definitions of apps and groups depend on.
	Settings spec.Settings
	// DependenciesFirst is how the core takes apps down; see deployment.Options.
	DependenciesFirst bool
	// CheckFetch asks the policies about what an app fetches: one decision for each
	// artifact. An error is shown to the user at the path of them all. nil means that
	// everything is fetched as the app says.
	CheckFetch func(ctx context.Context, app *spec.App) ([]sdk.FetchDecision, error)
	// CheckConstraint asks the policies whether they can work with a constraint.
	// The text of its error is shown to the user at the constraint's path. It is
	// called by many goroutines; nil means that any constraint is taken.
	CheckConstraint func(ctx context.Context, app *spec.App, c spec.Constraint) error
	// CheckStrategy is CheckConstraint for the strategy that an app's label names.
	CheckStrategy func(ctx context.Context, app *spec.App) error
	// ForeseeUpgrade tells where an app's strategy would stop the upgrade of so many old
	// instances if all went well, nil for nowhere; nil: nobody knows.
	ForeseeUpgrade func(ctx context.Context, app *spec.App, old int) (*deployment.Halt, error)
	// CheckRule is CheckConstraint for the health rule that an app's label names.
	CheckRule func(ctx context.Context, app *spec.App) error
	// Admit reviews changes of apps and groups; nil means that nobody does, and that
	// nothing is done for it.
	Admit Admission
	// Rules prepares the constraints of an app for one question; done releases them.
	// nil means that nothing is known of constraints.
	Rules func(ctx context.Context, app *spec.App) (rules []placement.Rule, done func())
	// Terms are those of the matcher.
	Terms   placement.Terms
	Modules func() []Module // nil means none
	// PolicyModules changes them; nil means that it cannot be done.
	PolicyModules PolicyModules
	Metrics       func() []Metric // of the node's other parts; nil means none
	// MetricsPrefix is the first word of the metrics that Marathon has as well; ""
	// means "marathon".
	MetricsPrefix string
	NoPrometheus  bool // metrics are JSON only
	Info          Info
	Options       map[string]any // what /config shows: options by name, without secrets
	Loggers       Loggers        // nil: levels of the log cannot be changed
	HTTP          HTTPOptions
	// Callbacks has events sent to those who ask for it at /v2/eventSubscriptions.
	Callbacks bool
	// MaxChanges is how many changes may wait for the core; 0 for any number.
	MaxChanges int
	// Ready says why this node cannot do its work; nil, or an answer of nil, for ready.
	Ready          func() error
	Sandboxes      Sandboxes        // nil: files of tasks are not served
	UI             http.Handler     // serves /ui/; nil: the page of the API is there
	MaxBodyBytes   int64            // 0 means 1 MiB, the store's limit for one change
	CommandTimeout time.Duration    // 0 means 10 s
	LeaderWait     time.Duration    // that a request waits for a leader while none is known; 0 means 2.75 s, below 0 not at all
	Now            func() time.Time // nil means time.Now
	Log            *slog.Logger     // nil means no log
	// Transport reaches the leader; nil means one with timeouts for that.
	Transport http.RoundTripper
}

// withDefaults fills in what is left out.
func (c Config) withDefaults() Config {
	if c.Scheme == "" {
		c.Scheme = "http"
	}
	if c.MaxBodyBytes == 0 {
		c.MaxBodyBytes = 1 << 20
	}
	if c.CommandTimeout == 0 {
		c.CommandTimeout = 10 * time.Second
	}
	if c.LeaderWait == 0 {
		c.LeaderWait = 11 * leaderPoll
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MetricsPrefix == "" {
		c.MetricsPrefix = "marathon"
	}
	if c.Modules == nil {
		c.Modules = func() []Module { return nil }
	}
	if c.Metrics == nil {
		c.Metrics = func() []Metric { return nil }
	}
	if c.Ready == nil {
		c.Ready = func() error { return nil }
	}
	if c.Rules == nil {
		c.Rules = unknownRules
	}
	if c.CheckFetch == nil {
		c.CheckFetch = func(context.Context, *spec.App) ([]sdk.FetchDecision, error) { return nil, nil }
	}
	if c.CheckConstraint == nil {
		c.CheckConstraint = func(context.Context, *spec.App, spec.Constraint) error { return nil }
	}
	if c.CheckStrategy == nil {
		c.CheckStrategy = func(context.Context, *spec.App) error { return nil }
	}
	if c.ForeseeUpgrade == nil {
		c.ForeseeUpgrade = noForecast
	}
	if c.CheckRule == nil {
		c.CheckRule = func(context.Context, *spec.App) error { return nil }
	}
	return c
}

// server holds what handlers share.
type server struct {
	Config
	lists      listCache
	buffers    buffers
	changes    atomic.Int64 // that wait for the core
	turns      turns
	admissions admissionCounts
}

// handler is an endpoint: it writes its answer, or returns the error that is the
// answer. core is that of the term in which the request came.
type handler func(core Core, w http.ResponseWriter, r *http.Request) error

// New returns the node's HTTP handler.
func New(cfg Config) http.Handler {
	s := &server{Config: cfg.withDefaults(), turns: newTurns(cfg.Admit)}
	s.lists.tagger = newTagger()
	mux := chi.NewMux()
	mux.Use(s.commonHeaders, routeDecodedPath, s.limitRequests, s.crossOrigin, s.authenticate,
		s.leaderOnly(s.newProxy()), s.compress, middleware.GetHead)
	mux.NotFound(func(w http.ResponseWriter, _ *http.Request) { writeError(w, errUnknownURI) })
	mux.MethodNotAllowed(methodMissing(mux))

	mux.Get("/ping", s.ping)
	mux.Get("/healthz", s.healthz)
	mux.Get("/readyz", s.readyz)

	s.routeApps(mux)
	s.routeGroups(mux)
	s.routeTasks(mux)
	s.routeSystem(mux)
	s.routePolicies(mux)
	s.route(mux, http.MethodGet, "/pacer/v1/deployments", s.history)
	s.route(mux, http.MethodGet, "/pacer/v1/deployments/{id}", s.historyItem)
	s.route(mux, http.MethodPost, "/pacer/v1/deployments/{id}/promote", s.promoteDeployment)
	s.route(mux, http.MethodGet, "/pacer/v1/apps/*", s.why)
	s.route(mux, http.MethodPost, "/pacer/v1/apps/*", s.promoteApp)
	s.route(mux, http.MethodPost, "/pacer/v1/plan", s.plan)
	s.routeSandboxes(mux)
	s.routePages(mux)
	return mux
}

// routeTasks registers what is about instances and changes under way.
func (s *server) routeTasks(r chi.Router) {
	s.route(r, http.MethodGet, "/v2/tasks", s.allTasks)
	s.route(r, http.MethodPost, "/v2/tasks/delete", s.killList)
	s.route(r, http.MethodGet, "/v2/deployments", s.deployments)
	s.route(r, http.MethodDelete, "/v2/deployments/{id}", s.cancelDeployment)
	s.route(r, http.MethodGet, "/v2/queue", s.queue)
	s.route(r, http.MethodDelete, "/v2/queue/*", s.resetDelay)
	s.routeAny(r, http.MethodGet, "/v2/events", s.events)
	s.routeCallbacks(r)
}

// routeApps registers /v2/apps. Ids have slashes, so everything below it is one
// pattern, and appTarget tells the rest.
func (s *server) routeApps(r chi.Router) {
	s.route(r, http.MethodGet, "/v2/apps", s.listApps)
	s.route(r, http.MethodPost, "/v2/apps", s.createApp)
	s.route(r, http.MethodPut, "/v2/apps", s.changeApps)
	s.route(r, http.MethodPatch, "/v2/apps", s.changeApps)
	s.route(r, http.MethodGet, "/v2/apps/*", s.readApp)
	s.route(r, http.MethodPost, "/v2/apps/*", s.restartApp)
	s.route(r, http.MethodPut, "/v2/apps/*", s.changeApp)
	s.route(r, http.MethodPatch, "/v2/apps/*", s.changeApp)
	s.route(r, http.MethodDelete, "/v2/apps/*", s.deleteApp)
}

// route registers an endpoint of the leader that answers in JSON.
func (s *server) route(r chi.Router, method, pattern string, h handler) {
	s.routeAny(r, method, pattern, answersJSON(h))
}

// routeAny registers an endpoint of the leader that sees to the form of its
// answers by itself.
func (s *server) routeAny(r chi.Router, method, pattern string, h handler) {
	r.MethodFunc(method, pattern, func(w http.ResponseWriter, r *http.Request) {
		core := s.Node.Core()
		if core == nil { // lost since leaderOnly looked
			writeError(w, errNoLeader)
			return
		}
		if err := h(core, w, r); err != nil {
			writeError(w, err)
		}
	})
}
