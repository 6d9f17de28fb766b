package policy

import (
	"context"
	"log/slog"
)

// announce tells of a state that a module has come to: one line in the log, one event.
// v is the version that it is about; nil when there is none.
func (c *Catalog) announce(level slog.Level, o *origin, v *version, state State, cause string, more ...any) {
	e := Event{Name: EventState, Module: o.id(), State: state.String(), Cause: cause}
	if v != nil {
		e.Version, e.Digest = v.number, v.digest
		more = append(more, "module", v.label(), "digest", v.digest)
	}
	if cause != "" {
		more = append(more, "cause", cause)
	}
	text := "policy module is " + sayState(state)
	if level >= slog.LevelError && v != nil && state != Quarantined {
		text = "policy module was not reloaded" // and goes on as it was
	}
	c.config.Log.Log(context.Background(), level, text, append([]any{"name", o.id(), "state", state.String()}, more...)...)
	if c.config.Notify != nil {
		c.config.Notify(e)
	}
}

// sayState is the state as part of a sentence.
func sayState(s State) string {
	return [...]string{"being loaded", "active", "not loaded", "in quarantine", "a shadow", "off", "missing"}[s]
}
