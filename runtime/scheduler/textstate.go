package scheduler

import (
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/runtime/deployment"
)

// Text renders the whole state, for scripts, logs and bug reports.
func (s *Scheduler) Text(n Names) string {
	var b strings.Builder
	fmt.Fprintf(&b, "framework %q subscribed=%v\n", s.master.frameworkID, s.master.subscribed)
	for _, a := range s.appsInOrder() {
		s.appText(&b, a, n)
	}
	for _, r := range s.deployments {
		fmt.Fprintf(&b, "deployment %s at step %d of %d: %s\n", r.plan.ID, r.current+1, len(r.plan.Steps), actionsText(r.plan, r.current))
	}
	if s.offers.len() > 0 {
		b.WriteString("held")
		for _, o := range s.offers.list() {
			b.WriteString(" " + o.ID)
		}
		b.WriteString("\n")
	}
	if s.demand.out {
		b.WriteString("match under way\n")
	}
	return b.String()
}

func (s *Scheduler) appText(b *strings.Builder, a *app, n Names) {
	fmt.Fprintf(b, "app %s instances=%d target=%d", a.spec.ID, a.spec.Instances, a.target)
	if a.removed {
		b.WriteString(" removed")
	}
	if a.lock != nil {
		fmt.Fprintf(b, " locked by %s", a.lock.plan.ID)
	}
	if a.upgrade != nil {
		b.WriteString(" upgrading")
		if a.upgrade.paused != "" {
			b.WriteString(", paused: " + a.upgrade.paused)
		}
	}
	if a.backoff.delay != 0 {
		fmt.Fprintf(b, " delay=%s until %s", a.backoff.delay, n.time(a.backoff.until))
	}
	if a.pause.until != 0 {
		fmt.Fprintf(b, " paused until %s", n.time(a.pause.until))
	}
	b.WriteString("\n")
	for _, m := range a.members {
		if m.inst != nil {
			fmt.Fprintf(b, "  %s\n", s.instanceText(m.inst, n))
		}
	}
}

// actionsText renders one step of a plan: "scale /web to 2, stop /db".
func actionsText(p *deployment.Plan, step int) string {
	if step >= len(p.Steps) {
		return "done"
	}
	var out []string
	for _, a := range p.Steps[step].Actions {
		switch a.Kind {
		case deployment.Start:
			out = append(out, fmt.Sprintf("start %s", a.App))
		case deployment.Stop:
			out = append(out, fmt.Sprintf("stop %s", a.App))
		case deployment.Scale:
			out = append(out, fmt.Sprintf("scale %s to %d", a.App, a.To))
		case deployment.Restart:
			out = append(out, fmt.Sprintf("restart %s with %d", a.App, a.To))
		}
	}
	return strings.Join(out, ", ")
}
