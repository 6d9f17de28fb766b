package scheduler

import (
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// healthText renders what is asked of health rules, and which checks are made.
func (e *Effects) healthText(b *strings.Builder, s *Scheduler, n Names) {
	for i := range e.Health {
		ask := &e.Health[i]
		fmt.Fprintf(b, "ask    health %s:", ask.App.ID)
		for j := range ask.Histories {
			if j > 0 {
				b.WriteString(",")
			}
			b.WriteString(historyText(&ask.Histories[j]))
		}
		b.WriteString("\n")
	}
	for i := range e.Probes {
		p := &e.Probes[i]
		fmt.Fprintf(b, "probe  %s:", n.task(s, p.Instance.TaskID()))
		if p.Health {
			b.WriteString(" health")
		}
		if p.Readiness {
			b.WriteString(" readiness")
		}
		if !p.Health && !p.Readiness {
			b.WriteString(" no more")
		}
		b.WriteString("\n")
	}
}

// historyText shows the latest results, the newest last: " check 0 +-++".
func historyText(h *sdk.HealthHistory) string {
	var b strings.Builder
	fmt.Fprintf(&b, " check %d ", h.Check)
	for i := int(h.Results) - 1; i >= 0; i-- {
		b.WriteByte("-+"[h.Recent>>i&1])
	}
	return b.String()
}

// text shows the states that are known: " healthy", " unhealthy,healthy".
func (f *Findings) text() string {
	if f == nil {
		return ""
	}
	var states []string
	for i := range f.Health {
		states = append(states, f.Health[i].State.String())
	}
	out := strings.Join(states, ",")
	if f.Readiness != nil && f.Readiness.Ready {
		out += " ready"
	}
	if out == "" {
		return ""
	}
	return " " + strings.TrimPrefix(out, " ")
}

func healthNoticeText(x any, n Names) string {
	switch x := x.(type) {
	case HealthCheckAdded:
		return fmt.Sprintf("health check %s of %s added", x.Check.Protocol, x.App.ID)
	case HealthCheckRemoved:
		return fmt.Sprintf("health check of %s removed", x.App)
	case HealthCheckFailed:
		return fmt.Sprintf("health check of %s failed", n.instance(x.Instance.App, x.Instance.ID))
	case AliveChanged:
		return fmt.Sprintf("%s alive=%v", n.instance(x.Instance.App, x.Instance.ID), x.Alive)
	case UnhealthyKilled:
		return fmt.Sprintf("%s killed for its health: %s", n.instance(x.Instance.App, x.Instance.ID), x.Reason)
	default:
		return fmt.Sprintf("%T", x)
	}
}
