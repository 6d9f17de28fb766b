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
	if err := d.tooLarge(it.event); err != nil {
		return scheduler.Reply{Request: request, Err: err}, nil
	}
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

// tooLarge refuses a command with an app that the store has no room for: once
// the core has taken it, only the end of the term could undo it.
func (d *Driver) tooLarge(ev scheduler.Event) error {
	c, ok := ev.(scheduler.ChangeTree)
	if !ok || d.cfg.MaxRecordBytes == 0 {
		return nil
	}
	for _, p := range c.Put {
		if size := scheduler.RecordBytes(p.App); size > d.cfg.MaxRecordBytes {
			return &scheduler.TooLarge{App: p.App.ID, Bytes: size, Limit: d.cfg.MaxRecordBytes}
		}
	}
	return nil
}
