package scheduler

import (
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"

	"github.com/cockroachdb/datadriven"
)

// act has a user give a command of the scripts.
func (s *sim) act(text string) {
	cmd, args, err := datadriven.ParseLine(text)
	if err != nil {
		panic(err)
	}
	ev, err := s.event(&datadriven.TestData{Cmd: cmd, CmdArgs: args})
	if err != nil {
		panic(err)
	}
	s.logf("%s", text)
	s.step(ev)
}

// groupActs has a user change several apps at once: one deployment, in layers.
func (s *sim) groupActs() {
	if s.down {
		return
	}
	force := ""
	if s.rand.IntN(2) == 0 {
		force = " force"
	}
	if s.rand.IntN(8) == 0 { // refused where it would close a ring
		s.act("group id=/c" + []string{"", " needs=/g"}[s.rand.IntN(2)])
		return
	}
	var there, missing []string
	for _, id := range []string{"/a", "/c/d", "/c/e", "/f", "/g/h"} {
		switch {
		case s.s.tree.App(spec.PathID(id)) == nil:
			missing = append(missing, id)
		case s.rand.IntN(3) > 0:
			there = append(there, id)
		}
	}
	if len(missing) > 1 && (len(there) == 0 || s.rand.IntN(2) == 0) {
		s.createGroup(missing, force)
		return
	}
	if len(there) == 0 {
		return
	}
	apps := strings.Join(there, ",")
	if len(there) > 1 {
		apps = "(" + apps + ")"
	}
	switch s.rand.IntN(5) {
	case 0:
		s.act(fmt.Sprintf("delete app=%s%s", apps, force))
	case 1, 2:
		s.act(fmt.Sprintf("change app=%s cmd=v%d%s%s", apps, s.rand.IntN(1000), s.limit(), force))
	case 3:
		s.act(fmt.Sprintf("scale app=%s to=%d%s%s", apps, s.rand.IntN(4), s.limit(), force))
	case 4:
		s.killSome(there, force)
	}
}

// limit gives some deployments a deadline.
func (s *sim) limit() string {
	return []string{"", "", "", "", " timeout=20s", " timeout=20s rollback"}[s.rand.IntN(6)]
}

// createGroup makes apps that depend on each other.
func (s *sim) createGroup(ids []string, force string) {
	needs := map[string]string{"/c/e": ":/c/d,/a", "/f": ":/c/e", "/g/h": ":/c,/f"}
	var text strings.Builder
	text.WriteString("apps")
	for _, id := range ids {
		text.WriteString(" " + id + needs[id])
	}
	if s.rand.IntN(2) == 0 {
		text.WriteString(" health")
	}
	s.act(text.String() + fmt.Sprintf(" instances=%d", 1+s.rand.IntN(2)) + force)
}

// killSome scales several apps down by instances that it names.
func (s *sim) killSome(ids []string, force string) {
	var text strings.Builder
	text.WriteString("kill-scale")
	for _, id := range ids {
		for _, m := range s.s.apps[spec.PathID(id)].members {
			if m.inst != nil && s.rand.IntN(2) == 0 {
				text.WriteString(" " + s.namesOf().Instance(m.inst.App, m.inst.ID))
			}
		}
	}
	if text.String() != "kill-scale" {
		s.act(text.String() + force)
	}
}

// checkLayers: when a step begins, what the step before it brought up has run, on
// its agents and not just in the core's books.
func (s *sim) checkLayers(notices []Notice) {
	for _, n := range notices {
		begun, ok := n.(StepBegun)
		if !ok || begun.Step == 0 {
			continue
		}
		for _, action := range begun.Plan.Steps[begun.Step-1].Actions {
			s.checkUp(begun.Plan, action)
		}
	}
}

func (s *sim) checkUp(plan *deployment.Plan, action deployment.Action) {
	a := s.s.apps[action.App]
	isNew := plan.Change(action.App).Before == nil
	if a == nil || action.Kind != deployment.Restart && !(isNew && action.Kind == deployment.Scale) {
		return
	}
	up := 0
	for _, m := range a.members {
		if m.inst == nil || m.inst.Goal != GoalRunning {
			continue
		}
		// What was launched before, for a definition whose removal is undone, is not
		// waited for: it runs already, or has failed.
		before := m.inst.StagedAt != 0 && m.inst.StagedAt < plan.Version
		if before || s.mesos.ran[m.inst.ID] {
			up++
		}
	}
	if up < action.To {
		panic(fmt.Sprintf("the next step begins, but of %s only %d of %d have ever run", action.App, up, action.To))
	}
}
