package cluster

import (
	"container/heap"
	"sync"
	"time"
)

// loop runs functions one after the other on one goroutine, which owns the whole state of the cluster: the master, its
// agents, their runs. Everybody else (HTTP handlers, followers of executors, fault controls) posts functions to it.
type loop struct {
	inbox chan func()
	quit  chan struct{} // closed to ask for the end
	done  chan struct{} // closed when the goroutine has ended
	once  sync.Once

	alarms alarmHeap
	serial uint64
}

func newLoop() *loop {
	return &loop{inbox: make(chan func(), 256), quit: make(chan struct{}), done: make(chan struct{})}
}

// post hands f to the loop; false when the loop has ended. It must not be called on the loop itself, which would wait
// for itself once the inbox is full: there, after(0, f) does.
func (l *loop) post(f func()) bool {
	select {
	case <-l.quit:
		return false
	default:
	}
	select {
	case l.inbox <- f:
		return true
	case <-l.quit:
		return false
	}
}

// do runs f on the loop and returns when it has run; false when the loop has ended before.
func (l *loop) do(f func()) bool {
	ran := make(chan struct{})
	if !l.post(func() { f(); close(ran) }) {
		return false
	}
	select {
	case <-ran:
		return true
	case <-l.done:
		return false
	}
}

// abandon lets nobody wait for a loop that does not run, or not any more.
func (l *loop) abandon() { l.once.Do(func() { close(l.quit) }) }

// stop ends the loop and waits for its goroutine.
func (l *loop) stop() {
	l.abandon()
	<-l.done
}

// run is the loop itself. Alarms that are due come before the next function of the inbox, so a flood of calls does not
// hold up heartbeats.
func (l *loop) run() {
	defer close(l.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(l.ring())
		select {
		case <-l.quit:
			return
		case f := <-l.inbox:
			f()
		case <-timer.C:
		}
	}
}

// ring runs the alarms that are due and returns the time until the next one.
func (l *loop) ring() time.Duration {
	now := time.Now()
	for len(l.alarms) > 0 {
		next := l.alarms[0]
		if wait := next.at.Sub(now); wait > 0 {
			return wait
		}
		heap.Pop(&l.alarms)
		next.f()
	}
	return time.Hour
}

// after runs f on the loop once d has passed. Alarms of the same moment run in the order they were set. Only the loop's
// goroutine may call it, or anybody before that is started.
func (l *loop) after(d time.Duration, f func()) *alarm {
	l.serial++
	a := &alarm{at: time.Now().Add(d), serial: l.serial, f: f, owner: l}
	heap.Push(&l.alarms, a)
	return a
}

// alarm is a function that waits for its time.
type alarm struct {
	at     time.Time
	serial uint64
	f      func()
	owner  *loop
	index  int // place in the heap; -1 when it has run or was stopped
}

// stop makes sure that the alarm does not run any more; nil and spent alarms are fine.
func (a *alarm) stop() {
	if a != nil && a.index >= 0 {
		heap.Remove(&a.owner.alarms, a.index)
	}
}

// alarmHeap orders alarms by time, and those of one moment by the order they were set in.
type alarmHeap []*alarm

func (h alarmHeap) Len() int { return len(h) }
func (h alarmHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].serial < h[j].serial
	}
	return h[i].at.Before(h[j].at)
}

func (h alarmHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is part of heap.Interface.
func (h *alarmHeap) Push(x any) {
	a := x.(*alarm)
	a.index = len(*h)
	*h = append(*h, a)
}

// Pop is part of heap.Interface.
func (h *alarmHeap) Pop() any {
	old := *h
	a := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	a.index = -1
	return a
}
