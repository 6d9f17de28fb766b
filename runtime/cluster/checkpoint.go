package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// Files of an agent's state. They survive the end of this process, kill -9 included; only the executor's journal, which
// holds the end of a task, is forced to the disk as well: after a crash of the machine no task is left anyway.
const (
	agentFile   = "meta/agent.json"
	runsFolder  = "meta/runs"
	runFile     = "run.json"
	updatesFile = "updates"
)

func (h *host) runsDir() string { return filepath.Join(h.dir, runsFolder) }

// runCheckpoint is what a run is made of again after a restart.
type runCheckpoint struct {
	Framework []byte `json:"framework"` // FrameworkInfo, binary form
	Task      []byte `json:"task"`      // TaskInfo, binary form
	Role      string `json:"role"`
	Container string `json:"container"`
}

// encodeRun keeps the whole TaskInfo: a later version may need more of it than this one.
func encodeRun(r *run) ([]byte, error) {
	framework, err := r.framework.Marshal()
	if err != nil {
		return nil, fmt.Errorf("cluster: encode framework: %w", err)
	}
	task, err := r.task.Marshal()
	if err != nil {
		return nil, fmt.Errorf("cluster: encode task: %w", err)
	}
	return json.Marshal(runCheckpoint{Framework: framework, Task: task, Role: r.role, Container: r.container})
}

// decodeRun makes a run of its checkpoint and its log of updates. A run whose end was acknowledged is nil.
func decodeRun(h *host, folder string) (*run, error) {
	text, err := os.ReadFile(filepath.Join(folder, runFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // the launch had not got that far: nothing was started
	}
	if err != nil {
		return nil, err
	}
	var c runCheckpoint
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", runFile, err)
	}
	framework, task := &mesos.FrameworkInfo{}, &mesos.TaskInfo{}
	if err := framework.Unmarshal(c.Framework); err != nil {
		return nil, fmt.Errorf("%s: framework: %w", runFile, err)
	}
	if err := task.Unmarshal(c.Task); err != nil {
		return nil, fmt.Errorf("%s: task: %w", runFile, err)
	}
	resources, err := resource.FromProto(task.Resources)
	if err != nil {
		return nil, fmt.Errorf("%s: resources: %w", runFile, err)
	}
	r := newRun(h, framework, task, c.Role, resources)
	r.container, r.recovered = c.Container, true
	done, err := r.replay(folder)
	if err != nil || done {
		return nil, err
	}
	r.log, err = openUpdateLog(folder)
	return r, err
}

// updateEntry is one line of a run's log of updates: one of the three.
type updateEntry struct {
	Status   []byte `json:"status,omitempty"`  // TaskStatus, binary form; queued
	Journal  int    `json:"journal,omitempty"` // with status: journal records that it and all before it stand for
	Ack      []byte `json:"ack,omitempty"`     // uuid of the status at the head of the queue, acknowledged
	Orphaned bool   `json:"orphaned,omitempty"`
}

// replay brings a run's queue to where it was; true when its end was acknowledged.
func (r *run) replay(folder string) (bool, error) {
	text, err := os.ReadFile(filepath.Join(folder, updatesFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			break // half a line: the update was not sent yet
		}
		text = rest
		var e updateEntry
		if err := json.Unmarshal(line, &e); err != nil {
			return false, fmt.Errorf("%s: %w", updatesFile, err)
		}
		done, err := r.apply(e)
		if done || err != nil {
			return done, err
		}
	}
	if len(r.pending) > 0 {
		r.forwarded = r.pending[0]
	}
	return false, nil
}

// apply takes one line of the log over. The latest health and check findings are those of the latest update.
func (r *run) apply(e updateEntry) (bool, error) {
	switch {
	case e.Orphaned:
		r.orphaned = true
	case e.Ack != nil && len(r.pending) > 0:
		r.forwarded = r.pending[0]
		r.pending = r.pending[1:]
		return terminal(r.forwarded.GetState()), nil
	case e.Status != nil:
		s := &mesos.TaskStatus{}
		if err := s.Unmarshal(e.Status); err != nil {
			return false, fmt.Errorf("%s: status: %w", updatesFile, err)
		}
		r.pending = append(r.pending, s)
		r.consumed, r.over = e.Journal, terminal(s.GetState())
		r.executorPID = s.GetContainerStatus().GetExecutorPID()
		r.killed = s.GetState() == mesos.TASK_KILLING
		if s.Healthy != nil {
			r.healthy = s.Healthy
		}
		if s.CheckStatus != nil && !s.CheckStatus.Equal(emptyCheck(r.task.Check)) {
			r.checked = s.CheckStatus
		}
	}
	return false, nil
}

// updateLog keeps a run's updates on disk. A nil log keeps nothing.
type updateLog struct {
	folder string
	file   *os.File
}

func openUpdateLog(folder string) (*updateLog, error) {
	f, err := os.OpenFile(filepath.Join(folder, updatesFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &updateLog{folder: folder, file: f}, nil
}

// update adds a queued status and the number of journal records it accounts for: those are not turned into updates again.
func (l *updateLog) update(s *mesos.TaskStatus, journal int) {
	if l == nil {
		return
	}
	if text, err := s.Marshal(); err == nil {
		l.write(updateEntry{Status: text, Journal: journal})
	}
}

func (l *updateLog) acknowledge(uuid []byte) { l.write(updateEntry{Ack: uuid}) }

// orphan makes sure that a restart ends the run instead of taking it up again.
func (l *updateLog) orphan() { l.write(updateEntry{Orphaned: true}) }

// write adds a line. A failure only costs what a restart would have known; the cluster goes on.
func (l *updateLog) write(e updateEntry) {
	if l == nil {
		return
	}
	if line, err := json.Marshal(e); err == nil {
		_, _ = l.file.Write(append(line, '\n'))
	}
}

func (l *updateLog) close() {
	if l != nil {
		l.file.Close()
	}
}

// discard removes the run folder; the sandbox stays.
func (l *updateLog) discard() {
	if l == nil {
		return
	}
	l.file.Close()
	_ = os.RemoveAll(l.folder)
}

// writeWhole writes a file that is there as a whole or not at all.
func writeWhole(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
