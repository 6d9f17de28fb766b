package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// Lineup is which modules a server asks, in a form that the next leader can compare
// with its own. Those of a cluster should be the same, or a change of leader changes
// where apps may run.
type Lineup struct {
	Server  string  `json:"server"` // its address
	Modules []InUse `json:"modules"`
}

// InUse is a module that is asked.
type InUse struct {
	ID     string              `json:"id"`     // by which the API knows it
	Module string              `json:"module"` // name@version
	Digest string              `json:"digest"`
	Config string              `json:"config"` // another one when anything is configured otherwise that matters for answers
	Names  map[string][]string `json:"names"`  // that it offers, by kind
}

// Lineup is what this server asks now.
func (c *Catalog) Lineup() []InUse {
	c.mu.RLock()
	defer c.mu.RUnlock()
	list := []InUse{}
	for _, o := range c.origins {
		if o.builtin || !o.serves() {
			continue
		}
		m := InUse{ID: o.id(), Module: o.current.label(), Digest: o.current.digest, Config: o.config.mark(o.current.content), Names: map[string][]string{}}
		for _, kind := range o.current.kinds() {
			m.Names[kind.String()] = o.current.names[kind]
		}
		list = append(list, m)
	}
	return list
}

// mark is another one when what matters for answers is configured otherwise, or the files
// beside the module are others.
func (m *ModuleConfig) mark(content string) string {
	text, err := json.Marshal([]any{content, m.asks(), m.Limits, m.Grants, m.OnFailure, m.FailureOf, m.MaxStaleness})
	if err != nil { // cannot be: there are texts and numbers only
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// asks is what its answers depend on besides its files: another one, another module.
func (m *ModuleConfig) asks() string {
	text, err := json.Marshal([]any{string(m.Settings), m.Args, m.Env})
	if err != nil { // cannot be: there are texts only
		return string(m.Settings)
	}
	return string(text)
}

// Compare tells how the modules of this server differ from those that the last leader
// asked: in the log, as events, and in what is known of each module until it becomes
// another one here. Modules that are not here at all are listed from then on, as
// Missing, and who needs what they have is told so.
func (c *Catalog) Compare(last Lineup) {
	here := c.Lineup()
	c.mu.Lock()
	c.last, c.missing = last, nil
	var told []func()
	for i := range last.Modules {
		was := &last.Modules[i]
		o, err := c.byIDLocked(was.ID)
		if err != nil {
			c.missing = append(c.missing, *was)
			told = append(told, func() { c.announceMissing(was) })
			continue
		}
		told = append(told, c.differ(o, c.difference(was, o, here)))
	}
	for i := range here {
		if !slices.ContainsFunc(last.Modules, func(m InUse) bool { return m.ID == here[i].ID }) {
			if o, err := c.byIDLocked(here[i].ID); err == nil {
				told = append(told, c.differ(o, "the last leader, "+last.Server+", did not ask it"))
			}
		}
	}
	c.mu.Unlock()
	for _, tell := range told {
		tell()
	}
}

// differ notes a difference and returns what tells it. The caller holds the lock.
func (c *Catalog) differ(o *origin, text string) (tell func()) {
	if o.differs = text; text == "" {
		return func() {}
	}
	state, current := o.state, o.current
	return func() { c.announce(slog.LevelWarn, o, current, state, text) }
}

// difference is how a module of this server is another one than it was; "" when it is
// the same. The caller holds the lock.
func (c *Catalog) difference(was *InUse, o *origin, here []InUse) string {
	asked := "the last leader, " + c.last.Server + ", asked " + was.Module + " (" + short(was.Digest) + ")"
	i := slices.IndexFunc(here, func(m InUse) bool { return m.ID == was.ID })
	switch {
	case i < 0 && o.choice != nil:
		return "" // it is as it was chosen
	case i < 0:
		return asked + "; here it is " + o.whyNotServing()
	case here[i].Digest != was.Digest:
		return asked + "; here it is " + here[i].Module + " (" + short(here[i].Digest) + ")"
	case here[i].Config != was.Config:
		return "the last leader, " + c.last.Server + ", asked it with other settings, files, arguments, variables, limits, grants or another onFailure"
	}
	return ""
}

// why is what people are told of a module that is missing.
func (m *InUse) why(server string) string {
	return "the last leader, " + server + ", asked " + m.Module + " (" + short(m.Digest) + "); this server has no such module"
}

func (c *Catalog) announceMissing(m *InUse) {
	cause := m.why(c.last.Server)
	c.config.Log.Warn("policy module is missing", "name", m.ID, "module", m.Module, "digest", m.Digest, "cause", cause)
	if c.config.Notify != nil {
		_, number := m.split()
		c.config.Notify(Event{Name: EventState, Module: m.ID, Version: number, Digest: m.Digest, State: Missing.String(), Cause: cause})
	}
}

// split is the name and the version of the module.
func (m *InUse) split() (name, number string) {
	at := strings.LastIndexByte(m.Module, '@')
	if at < 0 {
		return m.Module, ""
	}
	return m.Module[:at], m.Module[at+1:]
}

// gone are the missing modules that did not come meanwhile. The caller holds the lock.
func (c *Catalog) gone() []InUse {
	return slices.DeleteFunc(slices.Clone(c.missing), func(m InUse) bool {
		_, err := c.byIDLocked(m.ID)
		return err == nil
	})
}

// describe is a missing module as one of the list.
func (m *InUse) describe(server string) Module {
	out := Module{ID: m.ID, Digest: m.Digest, State: Missing, Error: m.why(server), Kind: KindConstraint}
	out.Name, out.Version = m.split()
	names := [remote.Kinds]*[]string{&out.Operators, &out.Fetchers, &out.Strategies, &out.Rules, &out.Admitters}
	for kind := range remote.Kinds {
		if list := m.Names[kind.String()]; len(list) > 0 {
			out.Kinds, *names[kind] = append(out.Kinds, kind.String()), list
		}
	}
	if len(out.Kinds) > 0 {
		out.Kind = out.Kinds[0]
	}
	return out
}
