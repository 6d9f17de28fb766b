package executor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Step is the kind of a journal record.
type Step int

// The steps of a run, in the order in which they can appear. Abandoned stands alone and is written by an agent.
const (
	Attached  Step = iota // the executor is up
	Running               // the task's process was started
	Killing               // SIGTERM was sent
	Exited                // the task and all its descendants are gone
	Abandoned             // no executor came up; none may start the task any more
)

// stepNames are the names of the steps in the journal, which later versions must be able to read.
func stepNames() []string { return []string{"attached", "running", "killing", "exited", "abandoned"} }

// String is the name of the step in the journal.
func (s Step) String() string { return stepNames()[s] }

// MarshalText writes the step's name.
func (s Step) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the step's name.
func (s *Step) UnmarshalText(text []byte) error {
	for i, name := range stepNames() {
		if name == string(text) {
			*s = Step(i)
			return nil
		}
	}
	return fmt.Errorf("executor: unknown journal step %q", text)
}

// Record is one line of a journal.
type Record struct {
	Step Step `json:"step"`
	// PID and Start identify a process: of the executor in Attached, of the task in Running. Start is the process' start
	// time in clock ticks since boot, so that a reused pid is never taken for it.
	PID   int    `json:"pid,omitempty"`
	Start uint64 `json:"start,omitempty"`
	// Boot is the boot the pid and start time belong to.
	Boot string `json:"boot,omitempty"`
	// At is the time of the step in seconds since 1970.
	At float64 `json:"at"`
	// Wait is the raw wait status of the task's main process in Exited.
	Wait uint32 `json:"wait,omitempty"`
	// Killed tells in Exited that a kill had been asked for, Expired that the maximum completion time had passed.
	Killed  bool `json:"killed,omitempty"`
	Expired bool `json:"expired,omitempty"`
}

// Message is the way Mesos words the end of a task's command.
func (r Record) Message() string {
	status := syscall.WaitStatus(r.Wait)
	switch {
	case status.Signaled() && status.CoreDump():
		return "Command terminated with signal " + signalText(status.Signal()) + " (core dumped)"
	case status.Signaled():
		return "Command terminated with signal " + signalText(status.Signal())
	}
	return fmt.Sprintf("Command exited with status %d", status.ExitStatus())
}

// Success tells whether the task's main process ended by itself with status 0.
func (r Record) Success() bool {
	return r.Wait == 0
}

// signalText is strsignal's wording, which Mesos puts into its messages; Go's own is in lower case and differs.
func signalText(s syscall.Signal) string {
	names := map[syscall.Signal]string{
		syscall.SIGHUP: "Hangup", syscall.SIGINT: "Interrupt", syscall.SIGQUIT: "Quit", syscall.SIGILL: "Illegal instruction",
		syscall.SIGTRAP: "Trace/breakpoint trap", syscall.SIGABRT: "Aborted", syscall.SIGBUS: "Bus error",
		syscall.SIGFPE: "Floating point exception", syscall.SIGKILL: "Killed", syscall.SIGUSR1: "User defined signal 1",
		syscall.SIGSEGV: "Segmentation fault", syscall.SIGUSR2: "User defined signal 2", syscall.SIGPIPE: "Broken pipe",
		syscall.SIGALRM: "Alarm clock", syscall.SIGTERM: "Terminated", syscall.SIGSTKFLT: "Stack fault",
		syscall.SIGXCPU: "CPU time limit exceeded", syscall.SIGXFSZ: "File size limit exceeded", syscall.SIGSYS: "Bad system call",
		syscall.SIGVTALRM: "Virtual timer expired", syscall.SIGPROF: "Profiling timer expired",
	}
	if name, ok := names[s]; ok {
		return name
	}
	return fmt.Sprintf("Unknown signal %d", int(s))
}

// appendRecord adds a record to the journal of dir; when it returns nil the record survives a crash of the machine.
func appendRecord(dir string, rec Record) error {
	line, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("executor: encode journal record: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, journalFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("executor: open journal: %w", err)
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("executor: write journal: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("executor: sync journal: %w", err)
	}
	return nil
}

// Journal reads the records of the run folder dir; a missing journal has none. A last line without its end, left by a
// crash in the middle of a write, does not count.
func Journal(dir string) ([]Record, error) {
	text, err := os.ReadFile(filepath.Join(dir, journalFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("executor: read journal: %w", err)
	}
	var out []Record
	for {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			return out, nil
		}
		var rec Record
		if err := json.Unmarshal(line, &rec); err != nil {
			return nil, fmt.Errorf("executor: journal line %d: %w", len(out)+1, err)
		}
		out, text = append(out, rec), rest
	}
}
