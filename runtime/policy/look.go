package policy

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"time"
)

// watch looks at the files from time to time, until the catalog ends.
func (c *Catalog) watch() {
	if c.config.Poll <= 0 {
		return
	}
	ticker := time.NewTicker(c.config.Poll)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			c.Look(c.ctx)
		case <-c.ctx.Done():
			return
		}
	}
}

// Look loads what has changed since it was loaded: modules whose file is another one,
// new ones of Config.Dir, and what Config.Reread has. What cannot be loaded is logged
// and shown, and changes nothing.
func (c *Catalog) Look(ctx context.Context) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	if !c.acquireLoads(ctx) {
		return
	}
	defer func() { <-c.loads }()
	ctx, give := context.WithCancelCause(ctx)
	c.set(nil, func() { c.giveWay = func() { give(errGivenWay) } })
	defer c.set(nil, func() { c.giveWay = nil })
	_ = c.reread(ctx) // it is logged
	for _, o := range c.loadable() {
		mark, err := c.loader.Mark(ctx, o.asked())
		if err == nil && mark != "" && mark != o.seen && ctx.Err() == nil {
			_ = c.load(ctx, o, o.asked(), o.wanted == nil) // it is logged and shown
		}
	}
	c.lookForFiles(ctx)
}

// loadable are the modules whose files are looked at.
func (c *Catalog) loadable() []*origin {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var list []*origin
	for _, o := range c.origins {
		if !o.builtin && o.state != Disabled {
			list = append(list, o)
		}
	}
	return list
}

// lookForFiles loads modules that are new in the directory. One whose file is gone
// stays in use until the process ends: apps rely on it, and who wants it gone at once
// has it disabled. It is told once, and listed.
func (c *Catalog) lookForFiles(ctx context.Context) {
	files, err := moduleFiles(c.config.Dir)
	if err != nil {
		c.config.Log.Warn("policy modules cannot be listed", "error", err)
		return
	}
	for _, o := range c.loadable() {
		if gone := o.file != "" && !slices.Contains(files, o.file); gone != o.removed {
			c.set(o, func() { o.removed = gone })
			if gone {
				c.announce(slog.LevelWarn, o, o.current, o.state, "its file "+o.file+" is gone: it stays in use until the process ends, or it is disabled")
			}
		}
	}
	for _, file := range files {
		if !slices.ContainsFunc(c.origins, func(o *origin) bool { return o.file == file }) {
			c.begin(ctx, c.fileConfig(file))
		}
	}
}

// begin loads a module that was not there.
func (c *Catalog) begin(ctx context.Context, m ModuleConfig) {
	o := c.newOrigin(m)
	c.set(o, func() { c.origins = append(slices.Clip(c.origins), o) })
	_ = c.start(ctx, o) // it is logged and shown
}

// reread takes over what has changed in the operator's list. The caller holds loads.
func (c *Catalog) reread(ctx context.Context) error {
	if c.config.Reread == nil {
		return nil
	}
	modules, changed, err := c.config.Reread()
	if err != nil {
		if cause := err.Error(); cause != c.wrongList { // it is looked at every few seconds
			c.wrongList = cause
			c.config.Log.Error("the list of policy modules is not taken over", "cause", cause)
		}
		return &WrongState{"the list of policy modules is not taken over: " + err.Error()}
	}
	c.wrongList = ""
	if !changed {
		return nil
	}
	before := c.config.Modules
	c.set(nil, func() { c.config.Modules = modules })
	for _, m := range before {
		if !slices.ContainsFunc(modules, func(x ModuleConfig) bool { return x.Name == m.Name }) {
			if o, err := c.byID(m.Name); err == nil {
				c.turnOff(o, "it is not in the list any more")
				c.set(o, func() { o.choice = nil })
			}
		}
	}
	for _, m := range modules {
		if i := slices.IndexFunc(before, func(x ModuleConfig) bool { return x.Name == m.Name }); i < 0 || !reflect.DeepEqual(before[i], m) {
			c.takeOver(ctx, m)
		}
	}
	if err := c.keep(ctx); err != nil {
		c.config.Log.Error("what was chosen for policy modules is not forgotten", "cause", err)
	}
	return nil
}

// takeOver does what a changed line of the list says, whatever was chosen before.
func (c *Catalog) takeOver(ctx context.Context, m ModuleConfig) {
	o, err := c.byID(m.Name)
	c.set(o, func() {
		c.strangers = slices.DeleteFunc(c.strangers, func(x Choice) bool { return x.Module == m.Name })
		if o != nil {
			o.choice, o.file = nil, "" // a file of that name is another module from now on
		}
	})
	switch {
	case err != nil:
		c.begin(ctx, m)
	case m.Mode == Off:
		c.set(o, func() { o.config, o.wanted = m, nil })
		c.turnOff(o, "")
	default:
		if m.Mode != o.config.Mode {
			c.turnOff(o, fmt.Sprintf("its mode was %v", o.config.Mode))
		}
		c.set(o, func() { o.wanted = &m }) // until it could be loaded so
		_ = c.reload(ctx, o, m)            // it is logged and shown
	}
}
