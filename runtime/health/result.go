package health

import (
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

// Result is what one probe found.
type Result struct {
	Key     Key
	App     spec.PathID
	Version spec.Timestamp
	Began   time.Time
	Ended   time.Time
	Late    time.Duration // from when the probe was due to Began
	// Good says that the instance is alive, or ready, by this probe.
	Good   bool
	Cause  string // for people: why it is not; "" when it is. At most MaxCause bytes
	Status int    // of the HTTP answer; 0 when there was none
	// Response is the answer to a readiness check that preserves it, else nil.
	// Where there was no answer it tells why, with the status 504.
	Response *Response
}

// Response is an HTTP answer.
type Response struct {
	Status      int
	ContentType string
	Body        string // valid UTF-8; at most MaxBody bytes of it
}

// How much of what an instance says is kept.
const (
	MaxCause = 512
	MaxBody  = 8 << 10
)

// cut shortens a text to at most n bytes of valid UTF-8.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
