package policy

import (
	"log/slog"
	"slices"
)

// install has a version take the place of the one that the origin has, if any. What
// that one prepared goes on until its users prepare it anew; the version itself is
// kept, to go back to. The caller holds loads.
func (c *Catalog) install(o *origin, v *version, config ModuleConfig) error {
	c.mu.Lock()
	if config.Mode == Enforce {
		if err := c.clashes(o, v); err != nil {
			c.mu.Unlock()
			return err
		}
	}
	old := o.current
	back, dropped := o.behind(v, config)
	o.config, o.wanted, o.current, o.cause, o.notice, o.returned, o.differs = config, nil, v, "", "", false, ""
	o.had, o.label, o.left = v.names, v.label(), ""
	o.state, o.fallback = Active, back
	if config.Mode == Shadow {
		o.state = Shadowing
		o.beginShadow(v)
	}
	c.changed(old)
	c.mu.Unlock()
	for _, d := range dropped {
		d.release()
	}
	return nil
}

// behind is the version to go back to from v, nil for none, and those that are needed
// no more. A shadow goes back to none. The caller holds the lock.
func (o *origin) behind(v *version, config ModuleConfig) (back *version, dropped []*version) {
	old, older := o.current, o.fallback
	switch {
	case config.Mode == Shadow:
		dropped = []*version{old, older}
	case old != nil && old.content == v.content && o.config.runsAs(config):
		back, dropped = older, []*version{old} // going back to the same would change nothing
	case old != nil && old.breaker.open.Load():
		back, dropped = older, []*version{old} // nobody wants to go back to one in quarantine
	default:
		back, dropped = old, []*version{older}
	}
	return back, slices.DeleteFunc(dropped, func(d *version) bool { return d == nil })
}

// changed publishes what is there now. The caller holds the lock and has made sure
// that no names clash.
func (c *Catalog) changed(retired *version) {
	if retired != nil {
		retired.retired.Store(true)
	}
	if err := c.publish(); err != nil {
		c.config.Log.Error("policy modules clash", "cause", err) // the old table stays
	}
}

// rollBack takes a version that fails out of use, if there is another one: that which
// was there before, or that which the operator named.
func (c *Catalog) rollBack(o *origin, failing *version, cause string) {
	c.mu.Lock()
	if o.current != failing {
		c.mu.Unlock()
		return // replaced meanwhile
	}
	back := o.fallback
	if back == nil || c.clashes(o, back) != nil {
		named := o.config.Rollback.Ref != "" && !o.returned
		o.returned = o.returned || named
		c.mu.Unlock()
		if named && c.ctx.Err() == nil {
			go c.loadRollback(o, failing, cause) // ends with the catalog's context
		}
		return
	}
	back.retired.Store(false)
	back.epoch.Add(1)
	o.current, o.fallback = back, nil
	o.had, o.label = back.names, back.label()
	c.returned(o, failing, cause)
	c.mu.Unlock()
	failing.release()
	c.told(o, back)
}

// returned notes that o has gone back. The caller holds the lock.
func (c *Catalog) returned(o *origin, from *version, cause string) {
	o.differs, o.left = "", from.content
	o.notice = "rolled back from " + from.label() + " (" + short(from.digest) + ") after too many faults: " + cause
	c.changed(from)
}

func (c *Catalog) told(o *origin, now *version) {
	c.announce(slog.LevelWarn, o, now, Active, o.noticed())
}

func (o *origin) noticed() string {
	o.catalog.mu.RLock()
	defer o.catalog.mu.RUnlock()
	return o.notice
}

// short is enough of a digest for people.
func short(digest string) string { return digest[:min(12, len(digest))] }

// loadRollback gets the version that the operator has named to go back to.
func (c *Catalog) loadRollback(o *origin, failing *version, cause string) {
	if !c.insistOnLoads(c.ctx) {
		return
	}
	defer func() { <-c.loads }()
	v, _, err := c.bring(c.ctx, o, o.config, o.config.Rollback)
	failed := ""
	c.mu.Lock()
	if err == nil && o.current == failing {
		err = c.clashes(o, v)
	}
	if err != nil || o.current != failing {
		if err != nil {
			o.notice = "it could not be rolled back: " + err.Error()
			failed = o.notice
		}
		c.mu.Unlock()
		if failed != "" {
			c.announce(slog.LevelError, o, failing, Quarantined, failed)
		}
		if v != nil {
			v.release()
		}
		return
	}
	o.current = v
	o.had, o.label = v.names, v.label()
	c.returned(o, failing, cause)
	c.mu.Unlock()
	failing.release()
	c.told(o, v)
}
