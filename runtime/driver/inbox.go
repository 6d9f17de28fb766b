package driver

import (
	"context"
	"sync"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// inboxRoom is how many events may wait before those who bring them are held up.
const inboxRoom = 8192

// item is an event on its way to the core.
type item struct {
	event scheduler.Event
	// request and reply are set for a command. The channel has room for one.
	request scheduler.RequestID
	reply   chan<- scheduler.Reply
}

// inbox is the queue in front of the loop. Whoever brings news waits while it is
// full. Answers to the loop itself (a match, a call that failed) never wait: the
// loop may be waiting for the one who brings them.
type inbox struct {
	room  chan struct{} // a token for each item that had to find room
	ready chan struct{} // has a token when items may be there
	done  chan struct{} // closed at the end of the term

	mu    sync.Mutex
	items []item
}

func newInbox(room int) *inbox {
	return &inbox{
		room:  make(chan struct{}, room),
		ready: make(chan struct{}, 1),
		done:  make(chan struct{}),
	}
}

// put queues an item. The error is ErrOver after close, else the context's.
func (b *inbox) put(ctx context.Context, it item) error {
	if needsRoom(it.event) {
		select {
		case b.room <- struct{}{}:
		case <-b.done:
			return ErrOver
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.mu.Lock()
	b.items = append(b.items, it)
	b.mu.Unlock()
	b.signal()
	return nil
}

// take removes the items of one batch from the front: as many as weigh no more
// than budget together, but at least one when there is any. The answer is
// appended to batch.
func (b *inbox) take(batch []item, budget int) []item {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, sum := 0, 0
	for n < len(b.items) {
		if sum += weigh(b.items[n].event); sum > budget && n > 0 {
			break
		}
		n++
	}
	batch = append(batch, b.items[:n]...)
	for i := range n {
		if needsRoom(b.items[i].event) {
			<-b.room
		}
		b.items[i] = item{}
	}
	if b.items = b.items[n:]; len(b.items) > 0 {
		b.signal()
	}
	return batch
}

// close refuses everything from here on and lets go of those who wait.
func (b *inbox) close() { close(b.done) }

func (b *inbox) signal() {
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// needsRoom tells news from answers to the loop.
func needsRoom(ev scheduler.Event) bool {
	switch ev.(type) {
	case scheduler.Matched, scheduler.CallFailed, scheduler.UpgradeStepped, scheduler.HealthJudged, scheduler.PoliciesChanged:
		return false
	case scheduler.Subscribed, scheduler.Disconnected, scheduler.Offers, scheduler.Rescinded, scheduler.StatusUpdate,
		scheduler.AgentLost, scheduler.Tick, scheduler.ChangeTree, scheduler.CancelDeployment, scheduler.SetEnforceRole,
		scheduler.KillInstances, scheduler.ResetDelay, scheduler.Promote, scheduler.FrameworkMessage, scheduler.HealthObserved,
		scheduler.ReadinessObserved:
	}
	return true
}

// weigh estimates how many records an event changes. A batch is cut by it, so
// that its transaction stays below the store's limit.
func weigh(ev scheduler.Event) int {
	switch e := ev.(type) {
	case scheduler.Matched:
		return 1 + len(e.Result.Placements)
	case scheduler.ChangeTree:
		// An app and its version, back-off and group; the revision, the deployment and
		// those that leave the history for them. The instances to be killed are not
		// known here.
		return 6 + 4*(len(e.Put)+len(e.Remove)+len(e.Restart)) + len(e.PutGroups) + len(e.RemoveGroups) + 3*len(e.Kill)
	case scheduler.KillInstances:
		return 1 + 2*len(e.Instances) // what a wiped one held is noted, too
	case scheduler.CancelDeployment, scheduler.UpgradeStepped:
		return 16 // an upgrade's step is bounded by the envelope, which is not known here
	case scheduler.HealthObserved:
		return 1 + len(e.Results)
	case scheduler.ReadinessObserved:
		return 16 // a deployment's step may end, and another begin
	case scheduler.HealthJudged:
		return 16 + len(e.Verdicts)
	case scheduler.StatusUpdate:
		return 2 // the instance, and at times its app's back-off or deployment
	case scheduler.Subscribed, scheduler.Disconnected, scheduler.Offers, scheduler.Rescinded, scheduler.AgentLost,
		scheduler.CallFailed, scheduler.Tick, scheduler.SetEnforceRole, scheduler.ResetDelay, scheduler.Promote, scheduler.FrameworkMessage, scheduler.PoliciesChanged:
	}
	return 1
}
