package policy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Unknown is the error of a call that names a module which there is not.
type Unknown struct{ Name string }

// Error names it.
func (e *Unknown) Error() string { return "there is no policy module " + e.Name }

// WrongState is the error of a call that a module cannot follow as it is now.
type WrongState struct{ Message string }

// Error says why.
func (e *WrongState) Error() string { return e.Message }

func wrongState(format string, args ...any) error { return &WrongState{fmt.Sprintf(format, args...)} }

// errEnding is the error of what is asked of a catalog that is being closed.
var errEnding = errors.New("the policy modules are being closed")

// named finds a module by the name that the operator, or else itself, gave it.
func (c *Catalog) named(name string) (*origin, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.namedLocked(name)
}

func (c *Catalog) namedLocked(name string) (*origin, error) {
	if o, err := c.byIDLocked(name); err == nil {
		return o, nil
	}
	for _, o := range c.origins {
		if o.current != nil && o.current.name == name {
			return o, nil
		}
	}
	return nil, &Unknown{name}
}

// byID finds a module by the name that the operator gave it, and no other: what a list,
// or another server, says of a module is not about one that calls itself so.
func (c *Catalog) byID(name string) (*origin, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.byIDLocked(name)
}

func (c *Catalog) byIDLocked(name string) (*origin, error) {
	for _, o := range c.origins {
		if o.id() == name || o.file != "" && o.file == name {
			return o, nil
		}
	}
	return nil, &Unknown{name}
}

// Module is what is known of one module. The error is an *Unknown.
func (c *Catalog) Module(name string) (Module, error) {
	o, err := c.named(name)
	if err != nil {
		return Module{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return o.describe(), nil
}

// change finds a module and makes a change of it while no other is made.
func (c *Catalog) change(ctx context.Context, name string, f func(ctx context.Context, o *origin) error) error {
	o, err := c.named(name)
	if err != nil {
		return err
	}
	if o.builtin {
		return wrongState("%s is built in: it can be neither loaded nor taken away", name)
	}
	return c.serially(ctx, func(ctx context.Context) error { return f(ctx, o) })
}

// Reload loads a module again, from where it comes from: another version may be there
// now. It takes the place of the one in use when it is ready; when it is not, that
// one goes on and the error says why. Besides that, the error is an *Unknown or a
// *WrongState.
func (c *Catalog) Reload(ctx context.Context, name string) error {
	if _, err := c.named(name); err != nil {
		return c.reloadNew(ctx, name)
	}
	return c.change(ctx, name, func(ctx context.Context, o *origin) error {
		if err := c.reread(ctx); err != nil {
			return err
		}
		if o.state == Disabled {
			return wrongState("the policy module %s is off; it can be enabled", name)
		}
		return c.reload(ctx, o, o.asked())
	})
}

// reloadNew is Reload of a module that is not known so far: it may be new in the
// operator's list, or in Config.Dir.
func (c *Catalog) reloadNew(ctx context.Context, name string) error {
	return c.serially(ctx, func(ctx context.Context) error {
		if err := c.reread(ctx); err != nil {
			return err
		}
		c.lookForFiles(ctx)
		o, err := c.named(name)
		switch {
		case err != nil:
			return err
		case o.state == Failed:
			return wrongState("the policy module %s was not loaded: %s", name, o.cause)
		case o.state == Disabled:
			return wrongState("the policy module %s is off; it can be enabled", name)
		}
		return nil
	})
}

// reload is Reload for a caller that holds loads.
func (c *Catalog) reload(ctx context.Context, o *origin, config ModuleConfig) error {
	return c.load(ctx, o, config, false)
}

// load is reload; when only what changed is wanted, a version that turns out to be the
// one in use, or the one that failed and was gone back from, is let go: its file was
// touched.
func (c *Catalog) load(ctx context.Context, o *origin, config ModuleConfig, changed bool) error {
	v, _, err := c.bring(ctx, o, config, config.Ref)
	if err == nil && changed && c.known(o, v.content) {
		v.release()
		c.set(o, func() {
			if strings.HasPrefix(o.notice, reloadFailed) {
				o.notice = ""
			}
		})
		return nil
	}
	if err == nil {
		if err = c.install(o, v, config); err != nil {
			v.release()
		}
	}
	if err != nil {
		c.mu.Lock()
		if o.notice = reloadFailed + err.Error(); o.current == nil {
			o.state, o.cause, o.notice = Failed, err.Error(), ""
		}
		state, current := o.state, o.current
		c.mu.Unlock()
		c.announce(slog.LevelError, o, current, state, reloadFailed+err.Error())
		return &WrongState{"the policy module " + o.id() + " was not reloaded: " + err.Error()}
	}
	c.set(o, func() { o.reloads++ })
	c.announce(slog.LevelInfo, o, v, o.state, "", "reloads", o.reloads)
	return nil
}

// reloadFailed begins the notice of a module whose new version could not be loaded.
const reloadFailed = "reload failed: "

func (c *Catalog) known(o *origin, content string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return o.current != nil && (o.current.content == content || o.left == content)
}

// Disable takes a module out of use, and its names with it. What it prepared is
// prepared anew, and so refused, by its users. The error is an *Unknown or a
// *WrongState.
func (c *Catalog) Disable(ctx context.Context, name string) error {
	return c.change(ctx, name, func(ctx context.Context, o *origin) error {
		if o.state == Disabled {
			return wrongState("the policy module %s is off already", name)
		}
		c.turnOff(o, "")
		return c.chosen(ctx, o, Choice{Mode: Off.String()})
	})
}

// turnOff is Disable for a caller that holds loads.
func (c *Catalog) turnOff(o *origin, notice string) {
	c.mu.Lock()
	current, fallback := o.current, o.fallback
	o.endShadow()
	o.current, o.fallback, o.state, o.cause, o.notice, o.differs = nil, nil, Disabled, "", notice, ""
	c.changed(current)
	c.mu.Unlock()
	for _, v := range []*version{current, fallback} {
		if v != nil {
			v.release()
		}
	}
	c.announce(slog.LevelInfo, o, current, Disabled, notice)
}

// Enable loads a module that is off, or could not be loaded, and takes it into use.
// The error is as that of Reload.
func (c *Catalog) Enable(ctx context.Context, name string) error {
	return c.change(ctx, name, func(ctx context.Context, o *origin) error {
		if o.state != Disabled && o.state != Failed {
			return wrongState("the policy module %s is %s already", name, o.state)
		}
		config := o.asked()
		if config.Mode == Off {
			config.Mode = Enforce
			if config.Of != "" {
				config.Mode = Shadow
			}
		}
		if err := c.reload(ctx, o, config); err != nil {
			return err
		}
		return c.chosen(ctx, o, Choice{Mode: config.Mode.String(), Of: config.Of})
	})
}

// Required waits until every module is loaded or has failed, and answers what is
// wrong with those that are not optional, one line for each; nil for nothing. It is
// also the error, a *WrongFetching, of a fetch policy that the operator has chosen
// and no module offers.
func (c *Catalog) Required(ctx context.Context) error {
	select {
	case <-c.loaded:
	case <-ctx.Done():
		return fmt.Errorf("policy modules are still loading: %w", context.Cause(ctx))
	}
	c.mu.RLock()
	var errs []error
	for _, o := range c.origins {
		if o.state == Failed && !o.config.Optional {
			errs = append(errs, fmt.Errorf("the policy module %s: %s", o.id(), strings.TrimSpace(o.cause)))
		}
	}
	c.mu.RUnlock()
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return c.tryFetching(ctx, false)
}
