package launch

import (
	"math"

	mesos "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// appendExecutor appends the resources of a task, and an executor of its own that
// has the command, the container and the executor's part of the resources.
func (t *template) appendExecutor(b []byte, task *Task, ports *assigned) []byte {
	left := t.need.Scalars
	var own []placement.Share
	for i := range task.Place.Take {
		rest := task.Place.Take[i]
		part := placement.Share{Reservation: rest.Reservation}
		for k := range left {
			part.Scalars[k] = min(left[k], rest.Scalars[k])
			left[k] -= part.Scalars[k]
			rest.Scalars[k] -= part.Scalars[k]
		}
		own = append(own, part)
		b = appendShare(b, 4, &rest)
	}
	b, executor := openMessage(b, 5)
	b = appendID(b, 1, "marathon-"+task.ID)
	for i := range own {
		b = appendShare(b, 5, &own[i])
	}
	b = t.appendCommand(b, task, ports)
	b = t.container.append(b, 11, task, ports)
	return closeMessage(appendVarint(b, 15, uint64(mesos.ExecutorInfo_CUSTOM)), executor)
}

// appendLimits appends TaskInfo.limits. No limit at all is an infinite one.
func appendLimits(b []byte, limits *spec.ResourceLimits) []byte {
	if limits == nil {
		return b
	}
	b = appendLimit(b, placement.CPUs, limits.CPUs)
	return appendLimit(b, placement.Mem, limits.Mem)
}

func appendLimit(b []byte, kind placement.Kind, limit *spec.Limit) []byte {
	if limit == nil {
		return b
	}
	value := limit.Value
	if limit.Unlimited {
		value = math.Inf(1)
	}
	b, entry := openMessage(b, 15)
	b = appendText(b, 1, kind.String())
	b, scalar := openMessage(b, 2)
	return closeMessage(closeMessage(appendDouble(b, 1, value), scalar), entry)
}
