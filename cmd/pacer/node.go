package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/election"
	"github.com/pacer-run/pacer/runtime/health"
	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/runtime/store"
)

// nodeConfig is what one server works with, whoever it was put together by.
type nodeConfig struct {
	log          *slog.Logger // of what is no part's
	levels       *levels      // of the parts of log; nil when there are none
	store        store.Store
	detector     master.Detector
	framework    master.Framework
	credential   master.Credential
	core         scheduler.Config // without Seed, which is drawn for each term
	matcher      placement.Matcher
	matchTimeout time.Duration // 0: the driver's default
	envPrefix    string        // of the variables that every task is given
	checks       int           // probes of health checks under way at a time; 0: the prober's default
	definitions  spec.Settings // what the operator has set of these; settings has the rest
	policies     *policies

	listener    net.Listener   // that others are told of
	listeners   []net.Listener // all there are; nil for none but listener
	scheme      string         // of listener and of the leader; "" means "http"
	hostname    string         // as told to others
	info        api.Info
	options     map[string]any // for /config
	http        api.HTTPOptions
	callbacks   bool   // events are sent to who asks for it
	maxChanges  int    // that may wait for the core; 0 for any number
	prefix      string // of the metrics that Marathon has as well; "" for Marathon's
	noText      bool   // no metrics in Prometheus' text
	outstanding int    // events that may wait for one listener; 0: the API's default
	transport   http.RoundTripper
	// registered is called at each subscription that is the first of a term; may be nil.
	registered func()
}

// candidacy is how a node comes to lead.
type candidacy interface {
	// Run calls lead when this node is elected, at most once, and returns its
	// error. lead's context ends when the leadership does.
	Run(ctx context.Context, lead func(ctx context.Context) error) error
	// Leader is the leader's address.
	Leader() (address string, known bool)
	// Abdicate ends this node's leadership; false if it does not lead.
	Abdicate() bool
}

// abdicateAfter is how long a node leads on after it was asked to abdicate: it
// answers in that time.
const abdicateAfter = 500 * time.Millisecond

// node is one server: it answers requests at all times, and carries a term while
// it leads.
type node struct {
	nodeConfig
	candidate candidacy
	events    *api.Events
	server    *http.Server
	leading   atomic.Pointer[driver.Driver] // nil while it does not lead
	probing   atomic.Pointer[health.Prober] // likewise
}

// newNode returns a node that does nothing before run.
func newNode(cfg nodeConfig, candidate candidacy) *node {
	n := &node{nodeConfig: cfg, candidate: candidate, events: api.NewEvents(cfg.outstanding, nil)}
	cfg.policies.events.Store(n.events)
	handler := api.New(api.Config{
		Node: n, Address: n.address(), Settings: cfg.settings(), Events: n.events, CheckConstraint: cfg.policies.check,
		CheckStrategy: cfg.policies.checkStrategy, ForeseeUpgrade: cfg.policies.foreseeUpgrade, CheckRule: cfg.policies.checkRule,
		Rules: cfg.policies.rules, Terms: cfg.matcher.Terms, DependenciesFirst: cfg.core.DependenciesFirst,
		Sandboxes: sandboxes{&master.AgentFiles{Credential: cfg.credential}},
		Modules:   cfg.policies.modules, Metrics: n.metrics, Info: cfg.info, Ready: n.ready, Log: cfg.logOf(logAPI), Transport: cfg.transport,
		Scheme: cfg.scheme, HTTP: cfg.http, Options: cfg.options, MaxChanges: cfg.maxChanges, Callbacks: cfg.callbacks,
		MetricsPrefix: cfg.prefix, NoPrometheus: cfg.noText, Loggers: cfg.loggers(), CheckFetch: cfg.policies.checkFetch,
		Admit: cfg.policies.admission(), PolicyModules: policyHost{cfg.policies.Catalog},
	})
	n.server = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       30 * time.Second,
		ErrorLog:          slog.NewLogLogger(cfg.logOf(logAPI).Handler(), slog.LevelWarn),
	}
	return n
}

// settings are what definitions depend on.
func (cfg nodeConfig) settings() spec.Settings {
	s := cfg.definitions
	s.Role, s.EnforceNewGroups, s.Features = cfg.framework.Roles[0], cfg.core.EnforceRole, slices.Clone(s.Features)
	if cfg.framework.GPUs {
		s.Features = append(s.Features, spec.FeatureGPUs)
	}
	return s
}

// advertised is where others reach a listener.
func advertised(hostname string, l net.Listener) string {
	return net.JoinHostPort(hostname, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

func (n *node) address() string { return advertised(n.hostname, n.listener) }

// Core returns the core of the term under way; nil while this node does not lead.
func (n *node) Core() api.Core {
	if d := n.leading.Load(); d != nil {
		return d
	}
	return nil
}

// Leader returns the leader's address, "" when none is known.
func (n *node) Leader() string {
	address, known := n.candidate.Leader()
	if !known {
		return ""
	}
	return address
}

// Abdicate ends the leadership of this node a little later.
func (n *node) Abdicate() bool {
	if n.leading.Load() == nil {
		return false
	}
	n.log.Info("asked to abdicate", "after", abdicateAfter)
	time.AfterFunc(abdicateAfter, func() { n.candidate.Abdicate() })
	return true
}

// ready says why this node cannot do its work now.
func (n *node) ready() error {
	if d := n.leading.Load(); d != nil && !d.Snapshot().Subscribed {
		return errors.New("not subscribed at a Mesos master")
	}
	return nil
}

// run serves until ctx ends, which is no error, or the leadership of this node.
func (n *node) run(ctx context.Context) error {
	group, inner := errgroup.WithContext(ctx)
	on := n.listeners
	if on == nil {
		on = []net.Listener{n.listener}
	}
	for _, l := range on {
		group.Go(func() error {
			if err := n.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serving %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	group.Go(func() error {
		err := n.candidate.Run(inner, n.lead)
		if err == nil && ctx.Err() == nil {
			err = election.ErrLost // the term ended by itself
		}
		return exitOf(err)
	})
	group.Go(func() error {
		<-inner.Done()
		return n.server.Close() // streams would hold a gentle shutdown up for ever
	})
	err := group.Wait()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// lead carries one term.
func (n *node) lead(ctx context.Context) error {
	n.log.Info("this server leads", "address", n.address())
	n.policies.awaitLoaded(ctx, n.log)
	term, err := n.store.Begin(ctx)
	if err != nil {
		return fmt.Errorf("beginning a term: %w", err)
	}
	var d *driver.Driver
	checks, flush := newProber(n.checks, func(ev scheduler.Event) { d.Post(ev) })
	aside := map[string][]byte{}
	if d, err = n.open(ctx, durable{term, aside}, checks); err != nil {
		return err
	}
	keeper, err := n.policies.takeOver(ctx, term, aside, n.address(), n.logOf(logPolicy))
	if err != nil {
		return err
	}
	defer n.policies.keeper.Store(nil)
	client, err := master.New(master.Config{
		Framework: n.framework, Credential: n.credential, Detector: n.detector, Sink: d.Post,
		FrameworkID: d.FrameworkID, Roles: d.Roles, SuppressedRoles: d.SuppressedRoles, Log: n.logOf(logMaster),
	})
	if err != nil {
		return exit(exitFlag, err)
	}
	n.policies.asking.Store(d)
	defer n.policies.asking.Store(nil)
	n.leading.Store(d)
	defer n.events.Disconnect()
	defer n.leading.Store(nil)
	n.probing.Store(checks.Prober)
	defer n.probing.Store(nil)
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error { return keeper.run(inner, n.policies) })
	group.Go(func() error { return d.Run(inner, prefixed{client, n.envPrefix, n.definitions.BridgeName}) })
	group.Go(func() error { return client.Run(inner) })
	group.Go(func() error {
		checks.Run(inner)
		flush()
		return nil
	})
	return group.Wait()
}

// open reads the state of a term.
func (n *node) open(ctx context.Context, term durable, checks driver.Prober) (*driver.Driver, error) {
	return driver.Open(ctx, driver.Config{
		Term:         term,
		Restore:      n.restore,
		NewMatcher:   func() driver.Matcher { m := n.matcher; return &m },
		Policies:     n.policies,
		Prober:       checks,
		Bus:          bus{n.events, n.registered},
		MatchTimeout: n.matchTimeout,
		Log:          n.logOf(logDriver),

		MaxRecordBytes: store.MaxRecordBytes,
	})
}

// restore makes the core of a term.
func (n *node) restore(now spec.Timestamp, records []scheduler.Record) (driver.Core, error) {
	cfg := n.core
	rand.Read(cfg.Seed[:]) // it never fails
	return scheduler.Restore(cfg, now, records)
}

// exitOf gives the end of a term the exit code that supervisors know.
func exitOf(err error) error {
	switch {
	case errors.Is(err, master.ErrRemoved):
		return exit(exitFrameworkRemoved, err)
	case errors.Is(err, master.ErrFailedOver), errors.Is(err, store.ErrDeposed),
		errors.Is(err, election.ErrLost), errors.Is(err, election.ErrAbdicated):
		return exit(exitLeadershipLost, err)
	case errors.Is(err, driver.ErrBroken):
		return exit(exitFault, err)
	default:
		return err
	}
}
