package wasm

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Bounds on what a guest may say.
const (
	linePrice     = 8 << 10 // fuel
	maxLine       = 1 << 10 // bytes of a log line or of a cause
	maxPrinted    = 4 << 10 // bytes kept of what an instance printed
	linesInSecond = 20      // of one module
)

// journal is the log of one module, cut when the module talks too much.
type journal struct {
	log    *slog.Logger
	mu     sync.Mutex
	second int64
	lines  int
}

func (j *journal) write(level slog.Level, text string) {
	now := time.Now().Unix()
	j.mu.Lock()
	if now != j.second {
		j.second, j.lines = now, 0
	}
	j.lines++
	drop := j.lines > linesInSecond
	j.mu.Unlock()
	if !drop {
		j.log.Log(context.Background(), level, text)
	}
}

// levelOf a line of policy_v1.log: 0 debug, 1 info, 2 warning, 3 and more error.
func levelOf(n uint64) slog.Level {
	return [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}[min(uint32(n), 3)]
}

func policyLog(c *call, args []uint64) uint64 {
	c.pay(linePrice)
	text, ok := c.mod.Memory().Read(uint32(args[1]), min(uint32(args[2]), maxLine))
	if ok && c.in != nil {
		c.in.journal.write(levelOf(args[0]), line(text))
	}
	return 0
}

func policyLogEnabled(c *call, args []uint64) uint64 {
	if c.in != nil && c.in.journal.log.Enabled(context.Background(), levelOf(args[0])) {
		return 1
	}
	return 0
}

// print keeps what the guest wrote to its standard output until the line or the
// call ends.
func (c *call) print(text []byte) {
	c.pay(linePrice)
	if c.in == nil {
		return
	}
	room := maxPrinted - len(c.in.printed)
	c.in.printed = append(c.in.printed, text[:min(room, len(text))]...)
}

// flush logs what was printed in the call. It returns the line that best says
// why a guest died, "" if none does.
func (in *instance) flush() (cause string) {
	if len(in.printed) == 0 {
		return ""
	}
	for text := range strings.Lines(string(in.printed)) {
		text = line([]byte(text))
		if text == "" {
			continue
		}
		in.journal.write(slog.LevelWarn, text)
		if cause == "" && (strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ")) {
			cause = text
		}
	}
	in.printed = in.printed[:0]
	return cause
}

// line makes one clean line of limited length from what a guest said.
func line(text []byte) string {
	clean := strings.ToValidUTF8(string(text[:min(len(text), maxLine)]), "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, clean))
}
