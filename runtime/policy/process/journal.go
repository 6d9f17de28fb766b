package process

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Bounds on what a module may say.
const (
	maxLine       = 1 << 10 // bytes of a log line or of a cause
	linesInSecond = 20
	bytesInSecond = 1 << 20 // read of all that it writes; it has to wait with more
)

// journal is the log of one module, cut when the module talks too much.
type journal struct {
	log *slog.Logger

	mu     sync.Mutex
	second int64
	lines  int
	bytes  int
	lost   int
}

// name makes the log that of the module, once it is known.
func (j *journal) name(label string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.log = j.log.With("module", label)
}

// write logs one line, if there is room for it in this second.
func (j *journal) write(text string) {
	j.mu.Lock()
	j.turn(time.Now())
	j.lines++
	drop := j.lines > linesInSecond
	log, lost := j.log, 0
	if drop {
		j.lost++
	} else {
		lost, j.lost = j.lost, 0
	}
	j.mu.Unlock()
	if drop {
		return
	}
	if lost > 0 {
		log.Warn("lines left out: the module writes too many", "lines", lost)
	}
	log.Warn(text)
}

// turn begins a new second, when it is one.
func (j *journal) turn(now time.Time) {
	if s := now.Unix(); s != j.second {
		j.second, j.lines, j.bytes = s, 0, 0
	}
}

// took notes bytes that were read, and says how long nothing more should be.
func (j *journal) took(n int) time.Duration {
	now := time.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.turn(now)
	if j.bytes += n; j.bytes <= bytesInSecond {
		return 0
	}
	return time.Until(time.Unix(j.second+1, 0))
}

// scribe cuts what one process writes into lines for the journal. While the process
// writes too much it lets it wait, which costs nobody else anything.
type scribe struct {
	journal *journal
	hurry   <-chan struct{} // closed when there is no more waiting

	mu   sync.Mutex
	part []byte // of a line, at most maxLine
	last string // the last line that tells of the process' own end
}

// Write implements io.Writer. It never fails.
func (s *scribe) Write(b []byte) (int, error) {
	s.mu.Lock()
	for rest := b; len(rest) > 0; {
		text, after, ended := bytes.Cut(rest, []byte{'\n'})
		s.part = append(s.part, text[:min(len(text), maxLine-len(s.part))]...)
		if rest = after; ended {
			s.flush()
		}
	}
	s.mu.Unlock()
	if pause := s.journal.took(len(b)); pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.hurry:
		}
	}
	return len(b), nil
}

// flush ends the line. The caller holds the lock.
func (s *scribe) flush() {
	text := line(string(s.part))
	if s.part = s.part[:0]; text == "" {
		return
	}
	if strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ") {
		s.last = text
	}
	s.journal.write(text)
}

// epitaph ends the last line and returns what the process said of its own end; ""
// when it said nothing.
func (s *scribe) epitaph() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flush()
	return s.last
}

// line makes one clean line of limited length from what a module said.
func line(text string) string {
	clean := strings.ToValidUTF8(text[:min(len(text), maxLine)], "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, clean))
}
