package policy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// moduleFiles lists the base names of the modules in a directory, in order.
func moduleFiles(dir string) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("policy directory: %w", err)
	}
	var files []string
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".wasm") {
			files = append(files, entry.Name())
		}
	}
	return files, nil
}

// fileConfig is that of a module of Config.Dir. Its name is the file's, as a whole when
// the rest is that of a module of the list.
func (c *Catalog) fileConfig(file string) ModuleConfig {
	name := strings.TrimSuffix(file, ".wasm")
	if slices.ContainsFunc(c.config.Modules, func(m ModuleConfig) bool { return m.Name == name }) {
		name = file
	}
	return ModuleConfig{
		Name: name, File: file, Ref: Ref{Ref: "file:" + filepath.Join(c.config.Dir, file)}, Optional: true,
	}
}

func (c *Catalog) newOrigin(m ModuleConfig) *origin {
	return &origin{catalog: c, name: m.Name, file: m.File, config: m, state: Loading, log: c.config.Log}
}

// loadAll takes the modules one after the other.
func (c *Catalog) loadAll(ctx context.Context, origins []*origin) {
	defer close(c.loaded)
	ctx, cancel := c.bound(ctx)
	defer cancel()
	c.loads <- struct{}{}
	defer func() { <-c.loads }()
	for _, o := range origins {
		_ = c.start(ctx, o) // listed with its cause
	}
}

// bound ends when ctx or the catalog does.
func (c *Catalog) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	end := context.AfterFunc(c.ctx, cancel)
	return ctx, func() { end(); cancel() }
}

// start loads a module that has no version yet. The caller holds loads.
func (c *Catalog) start(ctx context.Context, o *origin) error {
	if o.config.Mode == Off {
		c.set(o, func() { o.state = Disabled })
		return nil
	}
	c.announce(slog.LevelInfo, o, nil, Loading, "", "ref", o.config.Ref.Ref)
	v, digest, err := c.bring(ctx, o, o.config, o.config.Ref)
	if err == nil {
		err = c.install(o, v, o.config)
	}
	if err == nil {
		c.announce(slog.LevelInfo, o, v, o.state, "", "names", slices.Concat(v.names[:]...))
		return nil
	}
	if v != nil {
		v.release()
	}
	c.set(o, func() { o.state, o.cause, o.digest = Failed, err.Error(), digest })
	c.announce(slog.LevelError, o, nil, Failed, err.Error(), "file", o.where(), "digest", digest)
	return err
}

// set changes an origin.
func (c *Catalog) set(_ *origin, change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// bring gets a version ready, beside the one that is in use. The digest is known of
// some that fail.
func (c *Catalog) bring(ctx context.Context, o *origin, config ModuleConfig, ref Ref) (v *version, digest string, err error) {
	if config.Mode == Shadow {
		if target, err := c.byID(config.Of); err == nil {
			config.OfFile = target.file
		}
	}
	seen, markErr := c.loader.Mark(ctx, config)
	loaded, err := c.loader.Load(ctx, config, ref)
	if markErr == nil {
		o.seen = seen
	}
	if err != nil && errors.Is(context.Cause(ctx), errGivenWay) {
		o.seen, err = "", errGivenWay // for the next Look
	}
	if err != nil {
		return nil, loaded.Digest, err
	}
	v = newVersion(&loaded, o, config.asks())
	c.set(o, func() { c.versions[v] = true })
	if err := config.checkKinds(v.kinds()); err != nil {
		v.release()
		return nil, loaded.Digest, err
	}
	return v, loaded.Digest, nil
}

// publish makes a table of what is there the one that is used. The caller holds the
// lock, or is Open.
func (c *Catalog) publish() error {
	t := newTable()
	if err := c.addBuiltins(t); err != nil {
		return err
	}
	for _, o := range c.origins {
		if o.serves() {
			if err := t.addModule(o, o.current); err != nil {
				return err
			}
		}
	}
	t.generation = c.generation.Load() + 1
	c.table.Store(t)
	c.generation.Store(t.generation)
	return nil
}

// serves tells whether the origin's policies may be asked for.
func (o *origin) serves() bool { return o.current != nil && o.state == Active }

// clashes tells whether a name that the version offers is another's. It is asked
// before it is published, so that the later one is to blame and not the other.
func (c *Catalog) clashes(o *origin, v *version) error {
	t := newTable()
	if err := c.addBuiltins(t); err != nil {
		return err
	}
	for _, other := range c.origins {
		if other != o && other.serves() {
			if err := t.addModule(other, other.current); err != nil {
				return err
			}
		}
	}
	return t.addModule(o, v)
}

// closeModules is called once, by Close.
func (c *Catalog) closeModules(ctx context.Context) error {
	c.loads <- struct{}{} // for good: nothing is loaded any more
	c.mu.Lock()
	open := slices.Collect(maps.Keys(c.versions))
	clear(c.versions)
	for _, o := range c.origins {
		o.endShadow()
	}
	c.mu.Unlock()
	c.workers.Wait()
	var errs []error
	for _, v := range open {
		errs = append(errs, v.tap.Close(ctx))
	}
	c.closing.Wait()
	return errors.Join(append(errs, c.loader.Close(ctx))...)
}
