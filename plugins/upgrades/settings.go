package upgrades

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/sdk"
)

// settings reads the labels of an app that set a strategy. The first one that is
// wrong is what the user hears of.
type settings struct {
	labels map[string]string
	wrong  error
}

func (s *settings) text(label string) string { return strings.TrimSpace(s.labels[label]) }

func (s *settings) refuse(label, expected string) {
	if s.wrong == nil {
		s.wrong = &sdk.Invalid{Message: fmt.Sprintf("%s must be %s; got %q", label, expected, s.labels[label])}
	}
}

// duration reads a Go duration or a number of seconds, in milliseconds; 0 without
// the label.
func (s *settings) duration(label string) uint64 {
	text := s.text(label)
	if text == "" {
		return 0
	}
	long := text
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		long += "s"
	}
	d, err := time.ParseDuration(long)
	if err != nil || d < time.Millisecond {
		s.refuse(label, "a duration such as 10m or a number of seconds, above 0")
		return 0
	}
	return uint64(d.Milliseconds())
}

// flag reads "true" or "false"; false without the label.
func (s *settings) flag(label string) bool {
	switch strings.ToLower(s.text(label)) {
	case "true":
		return true
	case "", "false":
	default:
		s.refuse(label, "true or false")
	}
	return false
}

// share is how many of the wanted instances are meant: a part of them, or a number.
type share struct{ percent, count int }

// of is at least 1, unless none are wanted, and at most all of them.
func (h share) of(wanted int) int {
	n := h.count
	if h.percent > 0 {
		n = (wanted*h.percent + 99) / 100
	}
	return min(max(n, 1), wanted)
}

// share reads "10%" or "3".
func (s *settings) share(label string, without share) share {
	text := s.text(label)
	if text == "" {
		return without
	}
	digits, isPercent := strings.CutSuffix(text, "%")
	n, err := strconv.ParseUint(digits, 10, 31)
	switch {
	case err != nil || n == 0 || isPercent && n > 100:
		s.refuse(label, "a share such as 10%, from 1% to 100%, or a number of instances above 0")
		return without
	case isPercent:
		return share{percent: int(n)}
	}
	return share{count: int(n)}
}
