package policy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
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

// load takes the modules one after the other, since compiling one keeps a
// processor busy that the scheduler may want.
func (c *Catalog) load(ctx context.Context, origins []*origin) {
	defer close(c.loaded)
	for _, o := range origins {
		digest, module, err := c.loadFile(ctx, filepath.Join(c.config.Dir, o.file))
		if err == nil {
			err = c.admit(o, digest, module)
		}
		if err == nil {
			c.config.Log.Info("policy module loaded", "file", o.file, "module", o.label(), "operators", o.names)
			continue
		}
		c.config.Log.Error("policy module not loaded", "file", o.file, "cause", err)
		if module != nil {
			_ = module.Close(context.WithoutCancel(ctx)) // its own fault is what matters
		}
		c.mu.Lock()
		o.state, o.cause, o.digest = Failed, err.Error(), digest
		c.mu.Unlock()
	}
}

// loadFile gives up waiting when ctx ends; the engine may go on for a moment.
func (c *Catalog) loadFile(ctx context.Context, path string) (digest string, m *wasm.Module, err error) {
	code, err := os.ReadFile(path)
	if err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(code)
	digest = hex.EncodeToString(sum[:])
	m, err = c.loader.Load(ctx, code, wasm.Options{})
	return digest, m, err
}

// admit puts a module's operators into the catalog, all or none. The first to
// claim an operator has it: a later module must not take over by its mere
// presence what apps rely on.
func (c *Catalog) admit(o *origin, digest string, m *wasm.Module) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, operator := range m.Description().Operators {
		switch other, taken := c.constraints.by[operator]; {
		case !taken:
		case other.origin.module == nil:
			return fmt.Errorf("the operator %s is built in", operator)
		default:
			return fmt.Errorf("the operator %s is offered already by %s (%s)", operator, other.origin.label(), other.origin.file)
		}
	}
	o.name, o.version, o.digest, o.module, o.state = m.Description().Name, m.Description().Version, digest, m, Active
	for _, operator := range m.Description().Operators {
		c.constraints.add(operator, remote.Constraint(m), o)
	}
	return nil
}

func (c *Catalog) closeModules(ctx context.Context) error {
	var errs []error
	for _, o := range c.origins {
		if o.module != nil {
			errs = append(errs, o.module.Close(ctx))
		}
	}
	return errors.Join(append(errs, c.loader.Close(ctx))...)
}
