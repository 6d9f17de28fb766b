// Package executor is the small process under which each task of the embedded cluster runs, and the agent's side of it.
//
// The executor leads a session of its own and outlives the cluster process, also when that is killed. It owns one folder,
// the run folder, which is all that both sides share:
//
//	launch.json   what to run; written by the agent before the executor is started
//	lock          held (flock) by the executor as long as it lives, so a lock that can be taken proves that none does
//	journal       one JSON line per step of the task; the end of the task is on disk (fsync) before anybody hears of it
//	control       unix socket: the executor sends the journal from its first line and then follows it; it takes kills
//
// A task is started by an executor that holds the lock and finds the journal empty, hence at most once.
package executor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Names of the files in a run folder.
const (
	launchFile  = "launch.json"
	lockFile    = "lock"
	journalFile = "journal"
	controlFile = "control"
)

// Launch says what an executor runs.
type Launch struct {
	Sandbox string   `json:"sandbox"` // absolute; the task's working directory, receives stdout and stderr
	Path    string   `json:"path"`    // program; looked up in PATH of Env unless it has a slash
	Args    []string `json:"args"`    // argv, the program's own name included
	Env     []string `json:"env"`     // complete environment, NAME=value

	// User is the account of the task; nil means that of the executor itself.
	User *Account `json:"user,omitempty"`
	// KillGrace is the time between SIGTERM and SIGKILL.
	KillGrace time.Duration `json:"killGrace"`
	// MaxCompletion ends the task when it has run that long; 0 means never.
	MaxCompletion time.Duration `json:"maxCompletion,omitempty"`
	// LogBytes bounds stdout and stderr: what grows beyond it goes to stdout.1 or stderr.1; 0 means no bound.
	LogBytes int64 `json:"logBytes,omitempty"`
}

// Account is a resolved operating system account.
type Account struct {
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"groups,omitempty"`
}

// Write puts the launch into the run folder dir, which must exist. After a crash at any point the folder holds the
// whole launch or none.
func (l Launch) Write(dir string) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("executor: encode launch: %w", err)
	}
	path := filepath.Join(dir, launchFile)
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("executor: write launch: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("executor: write launch: %w", err)
	}
	return nil
}

func readLaunch(dir string) (Launch, error) {
	var l Launch
	text, err := os.ReadFile(filepath.Join(dir, launchFile))
	if err != nil {
		return l, fmt.Errorf("executor: read launch: %w", err)
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return l, fmt.Errorf("executor: decode launch: %w", err)
	}
	return l, nil
}
