package driver

import (
	"context"

	"github.com/google/uuid"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// Do has a command carried out and waits for its reply. command makes the event
// from the ids it is given: the request it is answered under, and that of the
// deployment it may begin. The snapshot shows what the reply promises; a refusal
// is in Reply.Err. The error is ErrOver or the context's: the command may or may
// not be carried out then.
func (d *Driver) Do(
	ctx context.Context, command func(request scheduler.RequestID, deployment string) scheduler.Event,
) (scheduler.Reply, error) {
	request := scheduler.RequestID(d.requests.Add(1))
	reply := make(chan scheduler.Reply, 1)
	it := item{event: command(request, uuid.NewString()), request: request, reply: reply}
	if err := d.inbox.put(ctx, it); err != nil {
		return scheduler.Reply{}, err
	}
	select {
	case r := <-reply:
		return r, nil
	case <-ctx.Done():
		return scheduler.Reply{}, ctx.Err()
	case <-d.inbox.done:
	}
	// The reply may have been given just before the end.
	select {
	case r := <-reply:
		return r, nil
	default:
		return scheduler.Reply{}, ErrOver
	}
}
