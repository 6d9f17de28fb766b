package scheduler

import (
	"strings"

	"github.com/pacer-run/pacer/runtime/launch"
)

// operationsText says what is done with an offer.
func (s *Scheduler) operationsText(c *Accept, n Names) []string {
	var out []string
	for i := range c.Free {
		out = append(out, "free "+holdingText(&c.Free[i], n))
	}
	for i := range c.Reserve {
		out = append(out, "reserve "+holdingText(&c.Reserve[i], n))
	}
	var tasks []string
	for _, t := range c.Tasks {
		name := n.task(s, t.ID)
		if t.EnforceGroupRole {
			name += " (enforced role)"
		}
		if t.Place.Fetch != nil {
			name += fetchText(t.Place.Fetch)
		}
		tasks = append(tasks, name)
	}
	if len(tasks) > 0 {
		out = append(out, strings.Join(tasks, " "))
	}
	return out
}

// holdingText names what one instance holds: "/db.1 data".
func holdingText(h *launch.Holding, n Names) string {
	name := h.Instance
	if id := instanceUUID(name); id != (UUID{}) {
		name = n.instance("", id)
	}
	for i := range h.Disks {
		if v := h.Disks[i].Volume; v.ID != "" {
			name += " " + v.ContainerPath
		}
	}
	return name
}
