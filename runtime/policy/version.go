package policy

import (
	"cmp"
	"context"
	"sync/atomic"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// version is one loaded version of a module. It is pinned by what it prepared:
// when a newer one has taken its place, it is closed by who lets go of it last.
type version struct {
	name, number            string // what it calls itself
	digest, signer, backend string
	config                  string // the operator's, as far as answers depend on it
	names                   [remote.Kinds][]string
	content                 string                      // as in Loaded
	vouch                   func(as ModuleConfig) error // as in Loaded
	tap                     *tap
	breaker                 breaker

	users   atomic.Int64 // the catalog is one as long as it may ask it again
	retired atomic.Bool  // what it prepared should be prepared anew
	// epoch changes when what was prepared should be prepared anew by the same
	// version.
	epoch atomic.Uint32
	// close is called once, when the last user is gone.
	close func(*version)
}

func newVersion(l *Loaded, o *origin, config string) *version {
	d := l.Module.Description()
	v := &version{
		name: d.Name, number: d.Version, digest: l.Digest, signer: l.Signer, backend: l.Backend, config: config,
		content: cmp.Or(l.Content, l.Digest), vouch: l.Vouch, tap: &tap{Module: l.Module, prepared: &o.catalog.prepared}, close: o.catalog.discard,
	}
	v.tap.listeners.Store(&o.hear)
	for kind := range remote.Kinds {
		v.names[kind] = remote.Names(l.Module, kind)
	}
	v.users.Store(1)
	return v
}

// label is how faults name the version.
func (v *version) label() string { return v.name + "@" + v.number }

// acquire pins the version; false when it is closed, or about to be.
func (v *version) acquire() bool {
	for {
		users := v.users.Load()
		if users == 0 {
			return false
		}
		if v.users.CompareAndSwap(users, users+1) {
			return true
		}
	}
}

// release ends the use that acquire, or the making of the version, began.
func (v *version) release() {
	if v.users.Add(-1) == 0 {
		v.close(v)
	}
}

// kinds are those that the version offers something of.
func (v *version) kinds() []remote.Kind {
	var kinds []remote.Kind
	for kind := range remote.Kinds {
		if len(v.names[kind]) > 0 {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// discard closes a version that nobody uses any more. Its users do not wait for it.
func (c *Catalog) discard(v *version) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.versions[v] {
		return // closed with the catalog
	}
	delete(c.versions, v)
	c.closing.Go(func() {
		if err := v.tap.Close(context.Background()); err != nil {
			c.config.Log.Warn("closing a policy module failed", "module", v.label(), "error", err)
		}
	})
}
