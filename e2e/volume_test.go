package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestVolume is a service that keeps data: it finds them again after a failure, after
// a crash of Pacer, after an upgrade and after it was scaled to 0; with the app they
// are gone.
func TestVolume(t *testing.T) {
	dir := dataDir(t)
	p, a := dev(t, dir)
	a.must(t, "POST", "/v2/apps", `{"id":"/store/db","role":"store","cpus":0.1,"mem":32,"backoffSeconds":0,
		"cmd":"echo $VERSION >> data/log; exec sleep 1000","env":{"VERSION":"one"},
		"container":{"type":"MESOS","volumes":[{"containerPath":"data","mode":"RW","persistent":{"size":10}}]}}`)
	first := a.running(t, "/store/db", 1).Tasks[0]
	// log is what all runs have written, read in the sandbox of the present one.
	log := func() string {
		v, _ := a.app(t, "/store/db")
		if len(v.Tasks) != 1 {
			return ""
		}
		paths, _ := filepath.Glob(filepath.Join(dir, "agents/agent-*/slaves/latest/frameworks/*/executors", v.Tasks[0].ID, "runs/latest/data/log"))
		if len(paths) != 1 {
			return ""
		}
		return shell(t, "cat "+paths[0])
	}
	until(t, "the first run has written", func() bool { return log() == "one\n" })

	a.must(t, "DELETE", "/v2/apps/store/db/tasks/"+first.ID, "")
	until(t, "the second run adds to it", func() bool { return log() == "one\none\n" })
	again := a.running(t, "/store/db", 1).Tasks[0]
	if again.SlaveID != first.SlaveID || strings.TrimSuffix(again.ID, "2") != strings.TrimSuffix(first.ID, "1") {
		t.Errorf("task %s on %s, want the next of %s on the same agent", again.ID, again.SlaveID, first.ID)
	}
	p.kill()
	_, a = dev(t, dir)
	a.must(t, "PUT", "/v2/apps/store/db", `{"env":{"VERSION":"two"}}`)
	until(t, "the upgrade adds to it", func() bool { return log() == "one\none\ntwo\n" })
	a.running(t, "/store/db", 1)
	a.must(t, "PUT", "/v2/apps/store/db", `{"instances":0}`)
	a.running(t, "/store/db", 0)
	a.must(t, "PUT", "/v2/apps/store/db", `{"instances":1}`)
	until(t, "it is there after a pause", func() bool { return log() == "one\none\ntwo\ntwo\n" })
	a.running(t, "/store/db", 1)

	a.must(t, "DELETE", "/v2/apps/store/db", "")
	until(t, "the volume is removed", func() bool {
		left, _ := filepath.Glob(filepath.Join(dir, "agents/agent-*/volumes/roles/*/*"))
		return len(left) == 0
	})
}
