package cluster

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sandboxAt makes a sandbox of the given age below an agent's folder.
func sandboxAt(t *testing.T, agent, executor, container string, now time.Time, age time.Duration) string {
	t.Helper()
	run := filepath.Join(agent, "slaves/S1/frameworks/F1/executors", executor, "runs", container)
	if err := os.MkdirAll(filepath.Join(run, "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(run, "deep/file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := link(container, filepath.Join(filepath.Dir(run), "latest")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(run, now.Add(-age), now.Add(-age)); err != nil {
		t.Fatal(err)
	}
	return run
}

func TestCollectGarbage(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		name string
		used float64
		kept []string
	}{
		{"an empty disk keeps 90 hours of 100", 0, []string{"fresh", "live", "older"}},
		{"a half full one 40", 0.5, []string{"fresh", "live"}},
		{"a full one nothing but what runs", 0.95, []string{"live"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			agent := filepath.Join(t.TempDir(), "odd [name]*")
			runs := map[string]string{
				"fresh": sandboxAt(t, agent, "e1", "fresh", now, time.Hour),
				"older": sandboxAt(t, agent, "e1", "older", now, 50*time.Hour),
				"old":   sandboxAt(t, agent, "e2", "old", now, 91*time.Hour),
				"live":  sandboxAt(t, agent, "e3", "live", now, 200*time.Hour),
			}
			g := &collector{
				dirs: []string{agent}, age: 100 * time.Hour, now: func() time.Time { return now }, used: func() float64 { return c.used },
				live: func() map[string]bool { return map[string]bool{"live": true} },
			}
			if _, err := g.collect(); err != nil {
				t.Fatal(err)
			}
			var kept []string
			for _, name := range []string{"fresh", "live", "old", "older"} {
				if _, err := os.Stat(filepath.Join(runs[name], "deep/file")); err == nil {
					kept = append(kept, name)
				}
			}
			if diff := cmp.Diff(c.kept, kept); diff != "" {
				t.Error(diff)
			}
			if _, err := os.Lstat(filepath.Dir(filepath.Dir(runs["old"]))); !os.IsNotExist(err) {
				t.Errorf("the folder of the executor without runs is there: %v", err)
			}
		})
	}
}
