package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// framework is a scheduler as the master knows it: subscribed, disconnected (no stream), or only known from the tasks of
// an agent that registered after a failover.
type framework struct {
	id         string
	info       *mesos.FrameworkInfo
	able       capabilities
	roles      []string
	suppressed map[string]bool
	since      time.Time

	stream    *stream // nil: not subscribed
	heartbeat *alarm
	removal   *alarm // failover timeout

	tasks       map[string]*task
	unreachable map[string]*task // last seen on agents that are unreachable
	ended       []*task          // the latest finished ones, for /state
	offers      map[string]*offer
	filters     map[filterKey][]*filter
}

// capabilities are the ones that change what a framework sees.
type capabilities struct {
	partitionAware, killingState, gpus, regionAware bool
	shape                                           resource.Shape
}

// capabilitiesOf overlooks capabilities that this cluster does not know or that change nothing in it.
func capabilitiesOf(info *mesos.FrameworkInfo) capabilities {
	var out capabilities
	for _, c := range info.GetCapabilities() {
		switch c.Type {
		case mesos.FrameworkInfo_Capability_PARTITION_AWARE:
			out.partitionAware = true
		case mesos.FrameworkInfo_Capability_TASK_KILLING_STATE:
			out.killingState = true
		case mesos.FrameworkInfo_Capability_GPU_RESOURCES:
			out.gpus = true
		case mesos.FrameworkInfo_Capability_REGION_AWARE:
			out.regionAware = true
		case mesos.FrameworkInfo_Capability_MULTI_ROLE:
			out.shape.Allocation = true
		case mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT:
			out.shape.Refinement = true
		default: // changes nothing here
		}
	}
	return out
}

func newFramework(id string, info *mesos.FrameworkInfo) *framework {
	f := &framework{
		id: id, since: time.Now(), suppressed: map[string]bool{}, tasks: map[string]*task{}, unreachable: map[string]*task{},
		offers: map[string]*offer{}, filters: map[filterKey][]*filter{},
	}
	f.describe(info)
	return f
}

// describe takes a new FrameworkInfo over. The caller's message is not kept: the id is filled in.
func (f *framework) describe(info *mesos.FrameworkInfo) {
	own := *info
	own.ID = &mesos.FrameworkID{Value: f.id}
	f.info, f.able = &own, capabilitiesOf(info)
	f.roles = rolesOf(info)
}

// rolesOf is the list of roles whichever way it was given.
func rolesOf(info *mesos.FrameworkInfo) []string {
	if capabilitiesOf(info).shape.Allocation {
		return slices.Clone(info.Roles)
	}
	if role := info.GetRole(); role != "" {
		return []string{role}
	}
	return []string{"*"}
}

// lost is the state that stands for one which only partition-aware frameworks understand.
func (c capabilities) lost(state mesos.TaskState) mesos.TaskState {
	if c.partitionAware {
		return state
	}
	return mesos.TASK_LOST
}

// send queues an event for the framework; without a stream it is lost, as on a real master.
func (m *master) send(f *framework, e *scheduler.Event) {
	if f.stream != nil && !m.faults.muted {
		f.stream.send(e)
	}
}

// checkFramework finds what a real master answers with an ERROR event instead of a status code; "" if all is well.
func checkFramework(info *mesos.FrameworkInfo, suppressed []string) string {
	multi := capabilitiesOf(info).shape.Allocation
	switch {
	case multi && info.Role != nil:
		return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"
	case !multi && len(info.Roles) > 0:
		return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable"
	}
	seen := map[string]int{}
	for _, role := range info.Roles {
		seen[role]++
	}
	if twice := slices.DeleteFunc(slices.Sorted(maps.Keys(seen)), func(r string) bool { return seen[r] < 2 }); len(twice) > 0 {
		return "'FrameworkInfo.roles' contains duplicate items: { " + strings.Join(twice, ", ") + " }"
	}
	for _, role := range rolesOf(info) {
		if why := checkRole(role); why != "" && multi {
			return "'FrameworkInfo.roles' contains invalid role: " + why
		} else if why != "" {
			return "'FrameworkInfo.role' is not a valid role: " + why
		}
	}
	extra := slices.DeleteFunc(slices.Sorted(slices.Values(suppressed)), func(r string) bool {
		return slices.Contains(rolesOf(info), r)
	})
	if len(extra) > 0 {
		return "Suppressed roles { " + strings.Join(slices.Compact(extra), ", ") + " } are not contained in the set of roles"
	}
	// Beyond what a duration in nanoseconds holds; NaN fails both comparisons.
	if t := info.GetFailoverTimeout(); !(t >= -9.2e9 && t <= 9.2e9) {
		return fmt.Sprintf("The framework failover_timeout (%g) is invalid", t)
	}
	return ""
}

// checkRole says what is wrong with a role's name; "" if nothing is.
func checkRole(role string) string {
	if role == "*" {
		return ""
	}
	if role == "" {
		return "Role name cannot be empty"
	}
	if strings.HasPrefix(role, "/") || strings.HasSuffix(role, "/") {
		return fmt.Sprintf("Role '%s' cannot start or end with a slash", role)
	}
	for part := range strings.SplitSeq(role, "/") {
		switch {
		case part == "":
			return fmt.Sprintf("Role '%s' cannot contain two adjacent slashes", role)
		case part == "." || part == ".." || part == "*":
			return fmt.Sprintf("Role component '%s' is invalid because it is reserved", part)
		case strings.HasPrefix(part, "-"):
			return fmt.Sprintf("Role component '%s' is invalid because it begins with a dash", part)
		case strings.ContainsAny(part, "\b\t\n\v\f\r "):
			return fmt.Sprintf("Role component '%s' is invalid because it contains backspace or whitespace", part)
		}
	}
	return ""
}
