package policy

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Choice is what somebody has chosen for a module beside the operator's list: by
// Disable, Enable, Shadow or Promote. It holds until the module's line in the list
// becomes another one, or another choice takes its place; where it is kept, the next
// leader has it, too.
type Choice struct {
	Module string    `json:"module"` // by which the API knows it
	Mode   string    `json:"mode"`   // "enforce", "shadow" or "off"
	Of     string    `json:"of,omitempty"`
	From   string    `json:"from,omitempty"`   // of a promotion: whose version it is
	Digest string    `json:"digest,omitempty"` // of a promotion: of that version and the files beside it
	At     time.Time `json:"at"`
}

// choose notes a choice; nil is that the list holds again. The caller holds the lock.
func (c *Catalog) choose(o *origin, choice *Choice) {
	if choice != nil {
		choice.Module, choice.At = o.id(), c.config.Now().UTC()
	}
	o.choice = choice
}

// chosen notes and keeps a choice. What was promoted stays so when it is switched off
// and on, and what the list says is no choice.
func (c *Catalog) chosen(ctx context.Context, o *origin, choice Choice) error {
	c.mu.Lock()
	if before := o.choice; before != nil && choice.Mode != Shadow.String() {
		choice.From, choice.Digest = before.From, before.Digest
	}
	if c.says(o, &choice) {
		c.choose(o, nil)
	} else {
		c.choose(o, &choice)
	}
	c.mu.Unlock()
	return c.keep(ctx)
}

// listed is what the operator's list says of a module. The caller holds the lock.
func (c *Catalog) listed(o *origin) (m ModuleConfig, ok bool) {
	if o.file != "" {
		return ModuleConfig{}, true
	}
	i := slices.IndexFunc(c.config.Modules, func(m ModuleConfig) bool { return m.Name == o.name })
	if i < 0 {
		return m, false
	}
	return c.config.Modules[i], true
}

// choices are all there are, those of modules that are not here included. The caller
// holds the lock.
func (c *Catalog) choices() []Choice {
	all := slices.Clone(c.strangers)
	for _, o := range c.origins {
		if o.choice != nil {
			all = append(all, *o.choice)
		}
	}
	return all
}

// keep has the choices kept that there are now. It is called without the lock.
func (c *Catalog) keep(ctx context.Context) error {
	if c.config.Keep == nil {
		return nil
	}
	c.mu.RLock()
	all := c.choices()
	c.mu.RUnlock()
	if err := c.config.Keep(ctx, all); err != nil {
		return fmt.Errorf("it is done, and not kept for the next leader: %w", err)
	}
	return nil
}

// Resume takes over choices that were kept, those of an earlier leader. It waits until
// all modules are loaded. What cannot be taken over is logged, and shown by the module's
// Notice; it is kept all the same.
func (c *Catalog) Resume(ctx context.Context, choices []Choice) error {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	select {
	case <-c.loaded:
	case <-ctx.Done():
		return fmt.Errorf("policy modules are still loading: %w", context.Cause(ctx))
	}
	if !c.insistOnLoads(ctx) {
		return errEnding
	}
	defer func() { <-c.loads }()
	c.set(nil, func() { c.strangers = nil })
	settled := false
	for i := range choices {
		if c.settled(&choices[i]) {
			settled = true
		} else {
			c.resume(ctx, &choices[i])
		}
	}
	if settled {
		return c.keep(ctx)
	}
	return nil
}

// settled tells whether the operator's list has by now what was chosen, so that the
// choice is none any more.
func (c *Catalog) settled(choice *Choice) bool {
	o, err := c.byID(choice.Module)
	if err != nil || o.builtin {
		return false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if choice.From != "" {
		return choice.Mode == Enforce.String() && o.serves() && o.current.digest == choice.Digest && o.choice == nil
	}
	return c.says(o, choice)
}

// says tells whether the list has what was chosen. The caller holds the lock.
func (c *Catalog) says(o *origin, choice *Choice) bool {
	listed, ok := c.listed(o)
	return ok && choice.From == "" && choice.Mode == listed.Mode.String() && (listed.Mode == Off || choice.Of == listed.Of)
}

// resume takes one over. The caller holds loads.
func (c *Catalog) resume(ctx context.Context, choice *Choice) {
	o, err := c.byID(choice.Module)
	if err != nil || o.builtin {
		c.set(nil, func() { c.strangers = append(c.strangers, *choice) })
		c.config.Log.Warn("a choice is about a policy module that this server has not", "name", choice.Module, "mode", choice.Mode, "at", choice.At)
		return
	}
	said := "as chosen at " + choice.At.Format(time.RFC3339)
	c.config.Log.Info("policy module is taken over as it was chosen", "name", choice.Module, "mode", choice.Mode, "of", choice.Of, "from", choice.From, "at", choice.At)
	switch {
	case choice.Mode == Off.String():
		if err = c.promotedOff(o, choice); o.state != Disabled {
			c.turnOff(o, said)
		}
	case choice.From != "":
		err = c.promoted(ctx, o, choice)
		said = "promoted from " + choice.From + ", " + said
	case o.current != nil && o.config.Mode.String() == choice.Mode && o.config.Of == choice.Of: // the list says so by now
	default:
		config := o.asked()
		if config.Mode = Enforce; choice.Mode == Shadow.String() {
			config.Mode, config.Of = Shadow, choice.Of
		}
		err = c.reload(ctx, o, config)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o.choice, o.notice = choice, said
	if err != nil {
		o.notice = "it is not " + said + ": " + err.Error()
		c.config.Log.Error("a choice is not taken over", "name", choice.Module, "cause", err)
	}
}

// promoted takes into use what was promoted, from where its shadow comes from here.
func (c *Catalog) promoted(ctx context.Context, o *origin, choice *Choice) error {
	from, err := c.byID(choice.From)
	if err != nil {
		return err
	}
	config := from.asked()
	promote(&config, o.config)
	v, _, err := c.bring(ctx, from, config, config.Ref)
	if err != nil {
		return err
	}
	if v.content != choice.Digest {
		v.release()
		return fmt.Errorf("what %s has here is %s, and %s was promoted", choice.From, short(v.content), short(choice.Digest))
	}
	v.tap.listeners.Store(&o.hear)
	if err := c.install(o, v, config); err != nil {
		v.release()
		return err
	}
	c.set(o, func() { o.seen = from.seen })
	c.announce(slog.LevelInfo, o, v, Active, "promoted from "+choice.From)
	return nil
}

// promotedOff has a module that is off be, when it is enabled, what was promoted.
func (c *Catalog) promotedOff(o *origin, choice *Choice) error {
	if choice.From == "" {
		return nil
	}
	from, err := c.byID(choice.From)
	if err != nil {
		return err
	}
	config := from.asked()
	promote(&config, o.config)
	c.set(o, func() { o.config, o.wanted = config, nil })
	return nil
}

// promote makes the configuration of a shadow that of the module whose place it takes.
func promote(config *ModuleConfig, target ModuleConfig) {
	config.Name, config.Mode, config.Of, config.Optional, config.Rollback = target.Name, Enforce, "", target.Optional, target.Rollback
}
