package policy

import (
	"context"
	"log/slog"
)

// Promote has a shadow take the place of the module that it is compared with, and its
// name. The version that was there is kept, to go back to. The error is an *Unknown
// or a *WrongState.
func (c *Catalog) Promote(ctx context.Context, name string) error {
	return c.change(ctx, name, func(ctx context.Context, o *origin) error {
		if err := c.vouched(o, name); err != nil {
			return err
		}
		c.mu.Lock()
		target, err := c.replaceable(o, name)
		if err != nil {
			c.mu.Unlock()
			return err
		}
		v, old, dropped := o.current, target.current, target.fallback
		o.endShadow()
		config := o.config
		promote(&config, target.config)
		target.config, target.wanted, target.seen = config, nil, o.seen
		target.current, target.fallback, target.notice, target.returned = v, old, "promoted from "+o.id(), false
		target.had, target.label = v.names, v.label()
		v.tap.listeners.Store(&target.hear)
		o.current, o.state, o.notice = nil, Disabled, "promoted to "+target.id()
		target.differs, o.differs = "", ""
		c.choose(target, &Choice{Mode: Enforce.String(), From: o.id(), Digest: v.content})
		c.choose(o, &Choice{Mode: Off.String()})
		c.changed(old)
		c.mu.Unlock()
		if dropped != nil {
			dropped.release()
		}
		c.announce(slog.LevelInfo, target, v, Active, "promoted from "+o.id())
		c.announce(slog.LevelInfo, o, v, Disabled, "promoted to "+target.id())
		return c.keep(ctx)
	})
}

// vouched refuses a shadow that is not trusted, at this moment, as the module has to be
// whose place it is to take. What is a shadow of what does not change meanwhile, since
// the caller holds loads.
func (c *Catalog) vouched(o *origin, name string) error {
	c.mu.RLock()
	target, err := c.replaceable(o, name)
	var v *version
	var as ModuleConfig
	if err == nil {
		v, as = o.current, ModuleConfig{Name: target.name, File: target.file}
	}
	c.mu.RUnlock()
	if err != nil || v.vouch == nil {
		return err
	}
	if err := v.vouch(as); err != nil {
		return wrongState("the policy module %s was not promoted to %s: %s", name, target.id(), err)
	}
	return nil
}

// replaceable is the module that a shadow may take the place of. The caller holds the
// lock.
func (c *Catalog) replaceable(o *origin, name string) (*origin, error) {
	if o.state != Shadowing || o.shadow == nil {
		return nil, wrongState("the policy module %s is %s, not a shadow", name, o.state)
	}
	target := o.shadow.target
	if target.state != Active {
		return nil, wrongState("the policy module %s is %s: there is nothing to take the place of", target.id(), target.state)
	}
	if err := c.clashes(target, o.current); err != nil {
		return nil, wrongState("%s", err.Error())
	}
	return target, nil
}

// Shadow has a module that is off, or could not be loaded, be compared with another
// one; of "" is the one that the operator's list says. The error is as that of Reload.
func (c *Catalog) Shadow(ctx context.Context, name, of string) error {
	return c.change(ctx, name, func(ctx context.Context, o *origin) error {
		config := o.asked()
		config.Mode = Shadow
		if of != "" {
			config.Of = of
		}
		if config.Of == "" {
			return wrongState("nothing says which module %s is to be compared with", name)
		}
		target, err := c.named(config.Of)
		if err != nil {
			return err
		}
		if config.Of = target.id(); target == o || target.builtin {
			return wrongState("the policy module %s cannot be compared with %s", name, target.id())
		}
		if o.state != Disabled && o.state != Failed {
			return wrongState("the policy module %s is %s; it has to be off", name, o.state)
		}
		if err := c.reload(ctx, o, config); err != nil {
			return err
		}
		return c.chosen(ctx, o, Choice{Mode: Shadow.String(), Of: config.Of})
	})
}
