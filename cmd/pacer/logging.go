package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/pacer-run/pacer/runtime/api"
)

// levelNames are those of Marathon's --logging_level.
const levelNames = "off, error, warn, info, debug, trace or all"

// The parts of the log. What belongs to none of the others is the root's.
const (
	logRoot      = "ROOT"
	logAPI       = "api"
	logDriver    = "driver"
	logElection  = "election"
	logMaster    = "master"
	logPolicy    = "policy"
	logZooKeeper = "zookeeper"
)

// slog has no name for these.
const (
	levelTrace = slog.LevelDebug - 4
	levelOff   = slog.LevelError + 100
)

// levelOf finds a level by its name in any case.
func levelOf(name string) (level slog.Level, ok bool) {
	level, ok = map[string]slog.Level{
		"off": levelOff, "error": slog.LevelError, "fatal": slog.LevelError, "warn": slog.LevelWarn, "info": slog.LevelInfo,
		"debug": slog.LevelDebug, "trace": levelTrace, "all": levelTrace,
	}[strings.ToLower(name)]
	return level, ok
}

// newLog returns the log of a level; the error names the levels there are.
func newLog(w io.Writer, level string) (*slog.Logger, error) {
	l, err := newLevels(w, level)
	if err != nil {
		return nil, err
	}
	return l.logger(logRoot), nil
}

// levels is the log in parts, each with a level that may change while it is in
// use. A part that was given none has the root's.
type levels struct {
	handler slog.Handler // lets everything through

	mu    sync.Mutex
	parts map[string]*part
}

// part is one part's level.
type part struct {
	level  slog.LevelVar // in force
	own    *slog.Level   // nil: the root's
	before *slog.Level   // own, when undo has run
	undo   *time.Timer   // nil when own is for good
}

// newLevels returns a log whose parts have one level.
func newLevels(w io.Writer, level string) (*levels, error) {
	root, ok := levelOf(level)
	if !ok {
		return nil, badFlag("--logging_level: %q: expected %s", level, levelNames)
	}
	l := &levels{
		handler: slog.NewTextHandler(w, &slog.HandlerOptions{Level: levelTrace}),
		parts:   map[string]*part{logRoot: {own: &root}},
	}
	for _, name := range []string{logAPI, logDriver, logElection, logMaster, logPolicy, logZooKeeper} {
		l.parts[name] = &part{}
	}
	l.settle()
	return l, nil
}

// logger returns the log of a part, which is one of the constants.
func (l *levels) logger(name string) *slog.Logger {
	h := l.handler
	if name != logRoot {
		h = h.WithAttrs([]slog.Attr{slog.String("logger", name)})
	}
	return slog.New(leveled{h, &l.parts[name].level})
}

// settle puts the levels in force. The caller holds mu, or is alone.
func (l *levels) settle() {
	root := l.parts[logRoot].own
	for _, p := range l.parts {
		p.level.Set(*cmp.Or(p.own, root))
	}
}

// Levels returns the level of each part by its name.
func (l *levels) Levels() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	shown := make(map[string]string, len(l.parts))
	for name, p := range l.parts {
		shown[name] = map[slog.Level]string{levelTrace: "TRACE", levelOff: "OFF"}[p.level.Level()]
		if shown[name] == "" {
			shown[name] = p.level.Level().String()
		}
		if p.own == nil {
			shown[name] += " (inherited)"
		}
	}
	return shown
}

// SetLevel changes the level of a part, if there is such a one, and undoes it
// after a while, 0 for never. Changed again meanwhile, the part goes back to what
// it was before the first of these changes.
func (l *levels) SetLevel(name, level string, during time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, known := l.parts[name]
	to, ok := levelOf(level)
	if !known || !ok {
		return
	}
	if p.undo == nil {
		p.before = p.own
	} else {
		p.undo.Stop()
		p.undo = nil
	}
	p.own = &to
	l.settle()
	if during == 0 {
		return
	}
	var undo *time.Timer
	undo = time.AfterFunc(during, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if p.undo == undo { // else it came too late to be stopped
			p.own, p.undo = p.before, nil
			l.settle()
		}
	})
	p.undo = undo
}

// leveled is a handler with a level of its own.
type leveled struct {
	slog.Handler
	level *slog.LevelVar
}

// Enabled tells whether the part logs at a level.
func (h leveled) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level.Level() }

// WithAttrs keeps the level.
func (h leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{h.Handler.WithAttrs(attrs), h.level}
}

// WithGroup keeps the level.
func (h leveled) WithGroup(name string) slog.Handler {
	return leveled{h.Handler.WithGroup(name), h.level}
}

// logOf is the log of a part.
func (cfg nodeConfig) logOf(part string) *slog.Logger {
	if cfg.levels == nil {
		return cfg.log
	}
	return cfg.levels.logger(part)
}

// loggers are the levels for the API, nil for none.
func (cfg nodeConfig) loggers() api.Loggers {
	if cfg.levels == nil {
		return nil
	}
	return cfg.levels
}
