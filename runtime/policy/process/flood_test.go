package process

import (
	"context"
	"log/slog"
	"sync"
	"testing"
)

// tally counts the lines of a log by their second.
type tally struct {
	mu     sync.Mutex
	lines  map[int64]int
	longer int
	full   chan struct{} // closed when a second has as many as are let through
}

func (l *tally) Enabled(context.Context, slog.Level) bool { return true }
func (l *tally) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *tally) WithGroup(string) slog.Handler            { return l }

func (l *tally) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines[r.Time.Unix()]++
	if len(r.Message) > maxLine {
		l.longer++
	}
	select {
	case <-l.full:
	default:
		if l.lines[r.Time.Unix()] == linesInSecond {
			close(l.full)
		}
	}
	return nil
}

// A process that floods its log fills no log, and is answered as before.
func TestFlood(t *testing.T) {
	log := &tally{lines: map[int64]int{}, full: make(chan struct{})}
	config := as(t, "zoo")
	config.Log = slog.New(log)
	m := start(t, config)
	if _, err := step(t, m, "flood"); err != nil {
		t.Fatal(err)
	}
	<-log.full
	for range 50 {
		tell(t, m, "pid")
	}
	closeModule(t, m)
	log.mu.Lock()
	defer log.mu.Unlock()
	for second, lines := range log.lines {
		// Records are stamped after they were counted, perhaps in the next second; and
		// one line in a second tells how many are lost.
		if lines > 2*(linesInSecond+1) {
			t.Errorf("%d lines in second %d", lines, second)
		}
	}
	if log.longer > 0 {
		t.Errorf("%d lines are too long", log.longer)
	}
}

// Reading stops for the rest of a second in which there was too much to read.
func TestReadingIsBounded(t *testing.T) {
	j := &journal{log: slog.New(slog.DiscardHandler)}
	total := 0
	for j.took(1<<16) <= 0 {
		if total += 1 << 16; total > 100*bytesInSecond {
			t.Fatal("no end of reading")
		}
	}
}
