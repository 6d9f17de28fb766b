package main

import (
	"io"
	"log/slog"
	"strings"
)

// levelNames are those of Marathon's --logging_level.
const levelNames = "off, error, warn, info, debug, trace or all"

// newLog returns the log of a level; the error names the levels there are.
func newLog(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	switch strings.ToLower(level) {
	case "off":
		return slog.New(slog.DiscardHandler), nil
	case "error", "fatal":
		l = slog.LevelError
	case "warn":
		l = slog.LevelWarn
	case "info":
		l = slog.LevelInfo
	case "debug", "trace", "all":
		l = slog.LevelDebug
	default:
		return nil, badFlag("--logging_level: %q: expected %s", level, levelNames)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})), nil
}
