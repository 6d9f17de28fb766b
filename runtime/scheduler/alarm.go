package scheduler

import (
	"container/heap"

	"github.com/pacer-run/pacer/runtime/spec"
)

// alarmKind says what is looked at when an alarm rings.
type alarmKind uint8

const (
	alarmBackoff alarmKind = iota
	alarmOverdue
	alarmKill
	alarmUnreachable
	alarmReconcile
	alarmTimeout
	alarmUpgrade
	alarmHealth
	alarmDemand
	alarmPause
	alarmReservation
	alarmRelease
)

// alarm is a point in time at which something may be due. Alarms are never
// taken back: the handler finds out whether there is still something to do.
type alarm struct {
	at          spec.Timestamp
	seq         uint64 // equal times ring in the order of setting
	kind        alarmKind
	app         *app
	member      *member
	incarnation uint32
	deployment  *running
}

// alarms is a heap of alarms, earliest first.
type alarms struct {
	heap alarmHeap
	seq  uint64
}

func (a *alarms) add(x alarm) {
	a.seq++
	x.seq = a.seq
	heap.Push(&a.heap, x)
}

// next returns the earliest time, 0 when there is none.
func (a *alarms) next() spec.Timestamp {
	if len(a.heap) == 0 {
		return 0
	}
	return a.heap[0].at
}

// pop returns the earliest alarm that is due.
func (a *alarms) pop(now spec.Timestamp) (alarm, bool) {
	if len(a.heap) == 0 || a.heap[0].at > now {
		return alarm{}, false
	}
	return heap.Pop(&a.heap).(alarm), true
}

type alarmHeap []alarm

func (h alarmHeap) Len() int      { return len(h) }
func (h alarmHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h alarmHeap) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].seq < h[j].seq
}
func (h *alarmHeap) Push(x any) { *h = append(*h, x.(alarm)) }
func (h *alarmHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = alarm{}
	*h = old[:len(old)-1]
	return last
}
