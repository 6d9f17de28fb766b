package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// absent is the error for a name that a module has and that cannot be asked for now.
// It is an *sdk.Invalid that knows the module.
type absent struct {
	sdk.Invalid

	module string // name@version, or the id of one that was never loaded
	kind   remote.Kind
}

// Unwrap returns what a user is told.
func (e *absent) Unwrap() error { return &e.Invalid }

// Absent tells which module has the name.
func (e *absent) Absent() (module, kind string) { return e.module, e.kind.String() }

// unknown tells which names of a kind there are, and of which module more is known:
// who had the name and is not asked any more, or else which ones might have it.
func unknown[P any](c *Catalog, of func(*table) *offers[P], name string) error {
	o := of(c.table.Load())
	message := choices(noun(o.kind), o.names)
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, from := range c.origins {
		if why := from.whyNotServing(); why != "" && slices.Contains(from.had[o.kind], name) {
			text := fmt.Sprintf("%s; the policy module %s, which has %s, is %s", message, from.title(), name, why)
			return &absent{sdk.Invalid{Message: text}, from.lastLabel(), o.kind}
		}
	}
	if e := c.lastHad(o.kind, name, message); e != nil {
		return e
	}
	for _, from := range c.origins {
		switch {
		case from.state == Failed:
			message += "; the policy module " + from.where() + " could not be loaded: " + from.cause
		case from.state == Disabled && from.label == "":
			message += "; the policy module " + from.where() + " is off, and what it has is not known"
		}
	}
	return &sdk.Invalid{Message: message}
}

// lastHad is the error for a name of a module that the last leader asked and that never
// was in use here; nil for none. The caller holds the lock.
func (c *Catalog) lastHad(kind remote.Kind, name, message string) error {
	for i := range c.last.Modules {
		m := &c.last.Modules[i]
		if !slices.Contains(m.Names[kind.String()], name) {
			continue
		}
		why := "not on this server"
		if o, err := c.byIDLocked(m.ID); err == nil {
			if why = o.whyNotServing(); why == "" {
				why = "another version here, " + o.lastLabel()
			}
		}
		text := fmt.Sprintf("%s; the policy module %s (%s), of which the last leader, %s, had %s, is %s", message, m.ID, m.Module, c.last.Server, name, why)
		return &absent{sdk.Invalid{Message: text}, m.Module, kind}
	}
	return nil
}

// choices says what a name may be.
func choices(noun string, names []string) string {
	last := len(names) - 1
	switch {
	case last < 0:
		return "no " + noun + " is available"
	case last == 0:
		return noun + " must be one of the following " + names[0]
	}
	return noun + " must be one of the following " + strings.Join(names[:last], ", ") + " or " + names[last]
}

// whyNotServing is why a module is not asked, "" when it is. The caller holds the
// catalog's lock.
func (o *origin) whyNotServing() string {
	switch {
	case o.builtin || o.serves():
		return ""
	case o.state == Failed:
		return "not loaded: " + o.cause
	case o.state == Disabled && o.notice != "":
		return "off: " + o.notice
	}
	return sayState(o.state)
}

// title is how people find a module that had a version: its id, and what it called
// itself.
func (o *origin) title() string {
	if o.label == "" {
		return o.id()
	}
	return o.id() + " (" + o.label + ")"
}

// lastLabel is how faults named the version that was there last.
func (o *origin) lastLabel() string {
	if o.label == "" {
		return o.id()
	}
	return o.label
}
