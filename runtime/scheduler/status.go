package scheduler

// TaskState is Mesos' state of a task.
type TaskState uint8

const (
	TaskStaging TaskState = iota
	TaskStarting
	TaskRunning
	TaskKilling
	TaskFinished
	TaskFailed
	TaskKilled
	TaskError
	TaskLost
	TaskDropped
	TaskUnreachable
	TaskGone
	TaskGoneByOperator
	TaskUnknown
)

// String returns Mesos' name.
func (s TaskState) String() string {
	return [...]string{
		"TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING", "TASK_FINISHED", "TASK_FAILED",
		"TASK_KILLED", "TASK_ERROR", "TASK_LOST", "TASK_DROPPED", "TASK_UNREACHABLE", "TASK_GONE",
		"TASK_GONE_BY_OPERATOR", "TASK_UNKNOWN",
	}[s]
}

// Status is one status of a task, as the master sent it.
type Status struct {
	TaskID  string
	AgentID string // "" when the master does not know
	State   TaskState
	Reason  string // Mesos' name ("REASON_RECONCILIATION"); "" for none
	Source  string // Mesos' name ("SOURCE_EXECUTOR"); "" for none
	Message string // cut to 10,000 characters by the adapter
	// UUID is set by updates that must be acknowledged, zero for the others.
	UUID [16]byte
	// Timestamp is the sender's clock in Unix milliseconds: shown, never compared.
	Timestamp int64
	Healthy   *bool        // nil: no health check has spoken
	Check     *CheckResult // nil: not told
	IPs       []string     // addresses of the container; nil when not told
	// UnreachableSince is in Unix milliseconds, 0 when not told.
	UnreachableSince int64
}

// CheckKind is how a generic check asks.
type CheckKind uint8

const (
	CheckSilent CheckKind = iota // there is no result, or none yet
	CheckHTTP
	CheckTCP
	CheckCommand
)

// CheckResult is what a task's generic check found when it last found something
// new. The zero value is no result.
type CheckResult struct {
	Kind CheckKind
	// Code is the HTTP status or the exit status; of a TCP check 1 when the port
	// could be connected to, else 0.
	Code int
}

// NeedsAck tells whether the update must be acknowledged.
func (s *Status) NeedsAck() bool { return s.UUID != [16]byte{} }
