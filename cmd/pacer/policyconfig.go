package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pacer-run/pacer/plugins/admission"
	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/plugins/fetchers"
	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/roster"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

// policyConfig is what the operator says of policies.
type policyConfig struct {
	dir, cacheDir string // "" for no modules, and none kept
	file          string // policies.yaml; "" for none
	fetching      string // as --fetch_policies
	admission     string // as --admission_policies
	enforced      bool   // the agents check what fetch policies say
}

// policyPoll is how often the files of modules are looked at.
const policyPoll = 5 * time.Second

// loadPolicies opens the catalog. The modules of --policy_dir are loaded in the
// background; those that --policy_config asks for, and those of which a policy that a
// flag names may be, are waited for.
func loadPolicies(ctx context.Context, config policyConfig, log *slog.Logger) (*policies, error) {
	loader, err := policy.NewBackends(wasm.DefaultLimits(), config.cacheDir, log)
	if err != nil {
		return nil, badFlag("--policy_cache: %w", err)
	}
	list := &policyList{path: config.file, loader: loader}
	modules, err := list.read()
	if err != nil {
		return nil, badFlag("--policy_config: %w", err)
	}
	p := &policies{}
	p.Catalog, err = policy.Open(ctx, policy.Config{
		Builtins: constraints.All(), Upgrades: upgrades.All(), Health: health.All(), Fetch: fetchers.All(), Fetching: fetchSteps(config.fetching), Enforced: config.enforced,
		Admission: admission.All(), Admitting: admissionSteps(config.admission),
		Dir: config.dir, Modules: modules, Reread: list.reread, Loader: loader, Poll: policyPoll, Keep: p.keep, Notify: p.notify, Log: log,
	})
	if wrong, ok := errors.AsType[*policy.WrongFetching](err); ok {
		return nil, badFlag("--fetch_policies: %w", wrong)
	}
	if err != nil {
		return nil, badFlag("--policy_dir: %w", err)
	}
	if err := p.checkStart(ctx, config); err != nil {
		_ = p.Close(context.WithoutCancel(ctx)) // the start ends
		return nil, err
	}
	return p, nil
}

// checkStart says what keeps the server from starting.
func (p *policies) checkStart(ctx context.Context, config policyConfig) error {
	if err := p.CheckAdmission(ctx); err != nil {
		return badFlag("--admission_policies: %w", err)
	}
	if config.file == "" && p.FetchingKnown() {
		return nil
	}
	err := p.Required(ctx)
	if wrong, ok := errors.AsType[*policy.WrongFetching](err); ok {
		return badFlag("--fetch_policies: %w", wrong)
	}
	if err != nil {
		return badFlag("--policy_config: %w", err)
	}
	return nil
}

// policyList is policies.yaml, with the keys that it names. It is read by one goroutine at
// a time.
type policyList struct {
	path   string
	loader *policy.Backends
	keys   []string // files of keys, of the list that could be read last
	seen   string   // what there was when it was read last
	wrong  error    // why it was not taken over then
}

// read reads the list, and has the loader trust whom it says.
func (l *policyList) read() (modules []policy.ModuleConfig, err error) {
	if l.path == "" {
		return nil, nil
	}
	l.seen = l.look() // before it is read: what changes meanwhile is read once more
	defer func() { l.wrong = err }()
	r, err := roster.Read(l.path)
	if err != nil {
		return nil, err
	}
	if keys := keyFiles(r); !slices.Equal(keys, l.keys) {
		l.keys = keys
		l.seen = "" // likewise
	}
	if err := l.loader.Trust(r.Dir, r.Trust); err != nil {
		return nil, fmt.Errorf("%s: %w", l.path, err)
	}
	return r.Modules, nil
}

// reread is read when the list or a key is another one; what was wrong stays wrong until
// then.
func (l *policyList) reread() (modules []policy.ModuleConfig, changed bool, err error) {
	if l.path == "" {
		return nil, false, nil
	}
	if l.seen == l.look() {
		return nil, false, l.wrong
	}
	modules, err = l.read()
	return modules, err == nil, err
}

// look is another text when the list or one of its keys is.
func (l *policyList) look() string {
	sum := sha256.New()
	for _, path := range append([]string{l.path}, l.keys...) {
		content, err := os.ReadFile(path)
		fmt.Fprintf(sum, "%d %v %s", len(content), err, content)
	}
	return string(sum.Sum(nil))
}

// keyFiles are the files of keys that a list names.
func keyFiles(r *roster.Roster) (files []string) {
	for _, key := range r.Trust.Keys {
		if path := key.File; filepath.IsAbs(path) {
			files = append(files, path)
		} else if path != "" {
			files = append(files, filepath.Join(r.Dir, path))
		}
	}
	return files
}

// notify tells the clients of the event stream, the core when it may have an answer that
// it did not get before, and who keeps what is asked.
func (p *policies) notify(e policy.Event) {
	if k := p.keeper.Load(); k != nil {
		k.touch()
	}
	if d := p.asking.Load(); d != nil && e.Name == policy.EventState && (e.State == policy.Active.String() || e.State == policy.Disabled.String()) {
		d.Post(scheduler.PoliciesChanged{}) // it does not wait
	}
	if events := p.events.Load(); events != nil {
		events.PublishPolicy(api.PolicyEvent{
			Type: e.Name, Module: e.Module, Version: e.Version, Digest: e.Digest, Kind: e.Kind, App: e.App, State: e.State, Cause: e.Cause, Trap: e.Trap, Faults: e.Faults,
		})
	}
}
