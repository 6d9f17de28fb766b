package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// collectEvery is the time between two looks for sandboxes that are old enough.
	collectEvery = time.Minute
	// diskHeadroom is the share of the disk below which no old sandbox is kept.
	diskHeadroom = 0.1
)

// collector removes the sandboxes of tasks that ended long ago. The age counts from the last change of the sandbox's
// folder, which the end of the task is.
type collector struct {
	dirs []string // the work_dirs of the agents, former ones included
	age  time.Duration
	// live returns the containers whose tasks are not over.
	live func() map[string]bool
	// used returns the share of the disk that is taken, from 0 to 1.
	used func() float64
	now  func() time.Time
}

// allowance is how old a sandbox may get with the disk as it is, by the rule of Mesos' agents: gc_delay × max(0, 1 −
// gc_disk_headroom − usage).
func (g *collector) allowance() time.Duration {
	return time.Duration(float64(g.age) * max(0, 1-diskHeadroom-g.used()))
}

// collect removes what is older than allowed, and returns the folders removed.
func (g *collector) collect() (removed []string, err error) {
	oldest := g.now().Add(-g.allowance())
	live := g.live()
	var faults []error
	for _, dir := range g.dirs {
		runs, err := filepath.Glob(filepath.Join(escapeGlob(dir), "slaves/*/frameworks/*/executors/*/runs/*"))
		if err != nil {
			return removed, err
		}
		for _, run := range runs {
			info, err := os.Lstat(run)
			if err != nil || !info.IsDir() || live[filepath.Base(run)] || info.ModTime().After(oldest) {
				continue
			}
			if err := removeRun(run); err != nil {
				faults = append(faults, err)
				continue
			}
			removed = append(removed, run)
		}
	}
	return removed, errors.Join(faults...)
}

// removeRun removes a sandbox, the link to it and the folders above it that hold nothing else.
func removeRun(run string) error {
	if err := os.RemoveAll(run); err != nil {
		return err
	}
	runs := filepath.Dir(run)
	latest := filepath.Join(runs, "latest")
	if target, err := os.Readlink(latest); err == nil && target == filepath.Base(run) {
		_ = os.Remove(latest)
	}
	if err := os.Remove(runs); err != nil { // not empty
		return nil
	}
	_ = os.Remove(filepath.Dir(runs)) // the executor's; the framework's stays, as a task may be starting below it
	return nil
}

// escapeGlob makes a path match itself only.
func escapeGlob(path string) string {
	var out []byte
	for i := range len(path) {
		if c := path[i]; c == '*' || c == '?' || c == '[' || c == '\\' {
			out = append(out, '\\')
		}
		out = append(out, path[i])
	}
	return string(out)
}

// diskUsed is the taken share of the disk that dir is on; 0 when nobody can tell.
func diskUsed(dir string) float64 {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil || st.Blocks == 0 {
		return 0
	}
	return 1 - float64(st.Bavail)/float64(st.Blocks)
}

// collectGarbage runs until the cluster closes.
func (c *Cluster) collectGarbage() {
	ticker := time.NewTicker(collectEvery)
	defer ticker.Stop()
	for {
		select {
		case <-c.stopping:
			return
		case <-ticker.C:
		}
		removed, err := c.collector().collect()
		if len(removed) > 0 {
			c.cfg.Log.Info("cluster: removed old sandboxes", "count", len(removed))
		}
		if err != nil {
			c.cfg.Log.Warn("cluster: an old sandbox could not be removed", "error", err)
		}
	}
}

func (c *Cluster) collector() *collector {
	dirs, _ := filepath.Glob(filepath.Join(escapeGlob(c.cfg.WorkDir), "agent-*")) // the pattern is a good one
	live := func() map[string]bool {
		containers := map[string]bool{}
		c.loop.do(func() {
			for _, h := range c.hosts {
				for _, r := range h.runs {
					containers[r.container] = true
				}
			}
		})
		return containers
	}
	return &collector{
		dirs: dirs, age: c.cfg.SandboxAge, live: live, now: time.Now,
		used: func() float64 { return diskUsed(c.cfg.WorkDir) },
	}
}

// touch marks the end of a task on its sandbox, from which its age counts. Where it fails the last change of the folder
// counts, which is earlier.
func touch(sandbox string) {
	now := time.Now()
	_ = os.Chtimes(sandbox, now, now)
}
