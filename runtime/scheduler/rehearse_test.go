package scheduler

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScriptsRehearsed runs all scripts with each change rehearsed before it is
// asked for. A rehearsal that left anything behind would show in what follows; and
// it has to say what then happens.
func TestScriptsRehearsed(t *testing.T) {
	changes := 0
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if filepath.Ext(path) != ".txt" {
			return
		}
		w := newWorld()
		w.around = func(ev Event, step func()) {
			c, ok := ev.(ChangeTree)
			if !ok || c.Rehearse {
				step()
				return
			}
			changes++
			want := w.rehearsal(c)
			heard := len(w.s.pending.notices)
			step()
			got := w.s.pending.replies[len(w.s.pending.replies)-1]
			var locked *Locked
			switch {
			case errors.As(got.Err, &locked):
				if want.Err != nil || fmt.Sprint(want.Rehearsal.Locks) != fmt.Sprint(locked.Deployments) {
					t.Errorf("%s: locked by %v, rehearsed %+v", c.DeploymentID, locked.Deployments, want)
				}
			case fmt.Sprint(got.Err) != fmt.Sprint(want.Err):
				t.Errorf("%s: %v, rehearsed %v", c.DeploymentID, got.Err, want.Err)
			case got.Err == nil && fmt.Sprint(w.steps(c.DeploymentID, heard)) != fmt.Sprint(want.Rehearsal.Plan.Steps):
				t.Errorf("%s: %v, rehearsed %v", c.DeploymentID, w.steps(c.DeploymentID, heard), want.Rehearsal.Plan.Steps)
			}
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := w.run(d)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			return out
		})
	})
	if changes < 50 {
		t.Errorf("only %d changes were rehearsed", changes)
	}
}

// rehearsal is the reply to a rehearsal, which nobody gets.
func (w *world) rehearsal(c ChangeTree) Reply {
	c.Rehearse = true
	w.s.Step(w.now, c)
	last := len(w.s.pending.replies) - 1
	r := w.s.pending.replies[last]
	w.s.pending.replies = w.s.pending.replies[:last]
	return r
}

// steps are those of a deployment, as the notices behind the first ones tell them.
func (w *world) steps(id string, behind int) any {
	for _, n := range w.s.pending.notices[behind:] {
		switch n := n.(type) {
		case StepBegun:
			if n.Plan.ID == id {
				return n.Plan.Steps
			}
		case DeploymentEnded:
			if n.Plan.ID == id {
				return n.Plan.Steps
			}
		}
	}
	return nil
}
