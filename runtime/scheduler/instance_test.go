package scheduler

import (
	"strings"
	"testing"
)

func TestParseTaskID(t *testing.T) {
	const id = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
	for _, c := range []struct {
		in, safe string
		n        uint32
		bad      bool
	}{
		{in: "prod_web.instance-" + id + "._app.1", safe: "prod_web", n: 1},
		{in: "a.b.instance-" + id + "._app.12", safe: "a.b", n: 12},
		{in: "my.instance-x.instance-" + id + "._app.3", safe: "my.instance-x", n: 3},
		{in: "web.instance-" + id + ".nginx.1", bad: true},
		{in: "web.instance-" + id + "._app.", bad: true},
		{in: "web.instance-" + id + "._app.-1", bad: true},
		{in: "web.instance-" + id[1:] + "._app.1", bad: true},
		{in: "web." + id, bad: true},
		{in: "", bad: true},
	} {
		safe, u, n, err := ParseTaskID(c.in)
		if c.bad {
			if err == nil {
				t.Errorf("%q: accepted", c.in)
			}
			continue
		}
		if err != nil || safe != c.safe || n != c.n || u.String() != id {
			t.Errorf("%q: %q %s %d %v", c.in, safe, u, n, err)
		}
	}
}

// FuzzParseTaskID: what is accepted is written back as it was read.
func FuzzParseTaskID(f *testing.F) {
	f.Add("prod_web.instance-6ba7b810-9dad-41d1-80b4-00c04fd430c8._app.1")
	f.Add("a.instance-.instance-6ba7b810-9dad-41d1-80b4-00c04fd430c8._app.4294967295")
	f.Add(".instance-6ba7b810-9dad-41d1-80b4-00c04fd430c8._app.0")
	f.Fuzz(func(t *testing.T, id string) {
		safe, u, n, err := ParseTaskID(id)
		if err != nil {
			return
		}
		i := Instance{ID: u, App: "/x", Incarnation: n}
		tail := strings.TrimPrefix(i.TaskID(), "x")
		if back, u2, n2, err := ParseTaskID(safe + tail); err != nil || back != safe || u2 != u || n2 != n {
			t.Fatalf("%q reads as %q %s %d, and that as %q %s %d (%v)", id, safe, u, n, back, u2, n2, err)
		}
	})
}

func TestIDsAreVersion4AndDistinct(t *testing.T) {
	seen := map[UUID]bool{}
	for _, seed := range [][16]byte{{}, {1}, {0, 0, 0, 0, 0, 0, 0, 0, 1}, {15: 1}} {
		ids := newIDs(seed)
		for range 10_000 {
			u := ids.next()
			if seen[u] {
				t.Fatalf("%s drawn twice", u)
			}
			seen[u] = true
			if u[6]>>4 != 4 || u[8]>>6 != 2 {
				t.Fatalf("%s is not of version 4", u)
			}
		}
	}
}

func TestTaskStateOfConditions(t *testing.T) {
	want := map[Condition]string{
		Scheduled: "TASK_STAGING", Provisioned: "TASK_STAGING", Staging: "TASK_STAGING", Starting: "TASK_STARTING",
		Running: "TASK_RUNNING", Killing: "TASK_KILLING", Unreachable: "TASK_UNREACHABLE",
		UnreachableInactive: "TASK_UNREACHABLE", Finished: "TASK_FINISHED", Failed: "TASK_FAILED",
		Killed: "TASK_KILLED", Errored: "TASK_ERROR", Gone: "TASK_GONE", Dropped: "TASK_DROPPED", Unknown: "TASK_UNKNOWN",
	}
	for c := Scheduled; c <= Unknown; c++ {
		if got := c.TaskState(); got != want[c] {
			t.Errorf("%s: %s, want %s", c, got, want[c])
		}
	}
}
