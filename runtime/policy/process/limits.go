package process

import (
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// Limits bound what a module takes. A field that is 0 has the value of
// DefaultLimits.
type Limits struct {
	Start     time.Duration // until the process says where it listens
	Configure time.Duration // for each call of the handshake
	// Call is for each question of a kind, and for preparing what is asked. It
	// includes the wait for a process that is being started again.
	Call      [remote.Kinds]time.Duration
	PingEvery time.Duration
	Ping      time.Duration // for the answer to a ping
	Stop      time.Duration // between the request to end and the end by force

	// A process that ended is started again after BackoffMin, and after twice as long
	// each time up to BackoffMax, until one has been up for BackoffMax.
	BackoffMin time.Duration
	BackoffMax time.Duration

	ReplyBytes int    // of an answer, beside what the size of the question allows
	DataBytes  uint64 // of the process' memory, not counting code, as RLIMIT_DATA does
	Files      uint64 // open ones
}

// DefaultLimits suit a module that answers from memory.
func DefaultLimits() Limits {
	l := Limits{
		Start:      10 * time.Second,
		Configure:  5 * time.Second,
		PingEvery:  10 * time.Second,
		Ping:       5 * time.Second,
		Stop:       2 * time.Second,
		BackoffMin: 100 * time.Millisecond,
		BackoffMax: 30 * time.Second,
		ReplyBytes: 64 << 10,
		DataBytes:  1 << 30,
		Files:      256,
	}
	for kind := range l.Call {
		l.Call[kind] = 500 * time.Millisecond
	}
	return l
}

// withDefaults fills the fields that are 0.
func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	durations := map[*time.Duration]time.Duration{
		&l.Start: d.Start, &l.Configure: d.Configure, &l.PingEvery: d.PingEvery, &l.Ping: d.Ping, &l.Stop: d.Stop,
		&l.BackoffMin: d.BackoffMin, &l.BackoffMax: d.BackoffMax,
	}
	for kind := range l.Call {
		durations[&l.Call[kind]] = d.Call[kind]
	}
	for field, value := range durations {
		if *field == 0 {
			*field = value
		}
	}
	if l.ReplyBytes == 0 {
		l.ReplyBytes = d.ReplyBytes
	}
	if l.DataBytes == 0 {
		l.DataBytes = d.DataBytes
	}
	if l.Files == 0 {
		l.Files = d.Files
	}
	return l
}

// perItem is how many bytes of an answer each item of a question allows: what a
// verdict with the longest reason has.
const perItem = 2 << 10

// reply is how long the answer to a question may be, in bytes.
func (l *Limits) reply(input, items int) int { return l.ReplyBytes + input + perItem*items }
