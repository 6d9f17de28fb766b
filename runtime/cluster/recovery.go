package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// agentCheckpoint is what makes an agent the same one after a restart.
type agentCheckpoint struct {
	ID string `json:"id"`
}

// adopt gives the agent its id, for good.
func (h *host) adopt(id string) {
	h.id = id
	if h.dir == "" {
		return
	}
	if err := h.saveID(); err != nil {
		h.cfg.Log.Error("cluster: agent's id is not kept", "agent", id, "error", err)
	}
}

// saveID writes the id last: an id on disk has its folder and link.
func (h *host) saveID() error {
	text, err := json.Marshal(agentCheckpoint{ID: h.id})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(h.dir, "slaves", h.id), 0o755); err != nil {
		return err
	}
	if err := link(h.id, filepath.Join(h.dir, "slaves", "latest")); err != nil {
		return err
	}
	return writeWhole(filepath.Join(h.dir, agentFile), text)
}

// recoverHost reads an agent's state back: its id and its runs. It is done before the agent registers, so what its tasks
// use is never offered.
func (p *processes) recoverHost(h *host) error {
	// Sandboxes are below the first, for their users to reach; the second holds what tasks were given, secrets included.
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(h.runsDir(), 0o700); err != nil {
		return err
	}
	if err := h.prepareDisks(); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(h.dir, agentFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var saved agentCheckpoint
	if err := json.Unmarshal(text, &saved); err != nil {
		return fmt.Errorf("%s: %w", agentFile, err)
	}
	h.id = saved.ID
	if len(h.spec.total) > 0 { // not one that is configured no more
		if err := h.recoverHoldings(); err != nil {
			return err
		}
	}
	folders, err := os.ReadDir(h.runsDir())
	if err != nil {
		return err
	}
	for _, entry := range folders {
		if err := p.recoverRun(h, filepath.Join(h.runsDir(), entry.Name())); err != nil {
			return fmt.Errorf("run %s: %w", entry.Name(), err)
		}
	}
	return nil
}

// endStrays ends the tasks of agents that were configured once and are no more: nobody would ever ask for them again.
func (p *processes) endStrays() error {
	for i := len(p.c.cfg.Agents); ; i++ {
		h, err := p.c.newHost(i, hostSpec{}, p)
		if err != nil {
			return err
		}
		if _, err := os.Stat(h.dir); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err := p.recoverHost(h); err != nil {
			return fmt.Errorf("former agent %d: recovery from %s: %w", i+1, h.dir, err)
		}
		for _, r := range h.sortedRuns() {
			r.orphan()
		}
	}
}

// recoverRun takes up one run folder. Folders of runs that are over for everybody are removed.
func (p *processes) recoverRun(h *host, folder string) error {
	r, err := decodeRun(h, folder)
	if err != nil {
		return err
	}
	switch {
	case r == nil || r.orphaned && r.over:
		return os.RemoveAll(folder)
	case r.orphaned:
		r.pending = nil
	default:
		h.runs[r.key()] = r
	}
	if !r.over {
		p.readopt(r, folder)
	}
	return nil
}
