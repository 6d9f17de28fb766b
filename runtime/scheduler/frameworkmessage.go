package scheduler

import "github.com/pacer-run/pacer/runtime/spec"

// FrameworkMessage is what an executor has to say to whoever wrote it. The core
// passes it on: clients of the event stream may know what it means.
type FrameworkMessage struct {
	AgentID    string
	ExecutorID string
	Data       string // any bytes
}

// MessageCame: an executor has sent something.
type MessageCame struct {
	At      spec.Timestamp
	Message FrameworkMessage
}

func (FrameworkMessage) event() {}

func (MessageCame) notice() {}

func (s *Scheduler) onMessage(m FrameworkMessage) { s.notify(MessageCame{At: s.now, Message: m}) }
