package driver

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

const (
	// firstRecordBytes is the size of a record until one was seen.
	firstRecordBytes = 1 << 10
	// maxWeight bounds a batch where the store does not: it keeps the pause
	// between two snapshots short.
	maxWeight = 4096
)

// Run carries the term until ctx ends, which is no error, or the term does: the
// store refused a commit or the core found its own state broken. Nothing of the
// batch that failed has left. Run may be called once.
func (d *Driver) Run(ctx context.Context, master Master) error {
	ctx, cancel := context.WithCancel(ctx)
	defer d.inbox.close()
	defer func() {
		cancel()
		d.asker.retire()
		for _, s := range d.steppers {
			s.close()
		}
		for _, j := range d.judges {
			j.close()
		}
	}()
	timer := time.NewTimer(0) // what restoring left behind is drained at once
	defer timer.Stop()
	var batch []item
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.inbox.ready:
		case <-timer.C:
			batch = append(batch, item{event: scheduler.Tick{}})
		}
		batch = d.inbox.take(batch, d.budget())
		err := d.runBatch(ctx, master, batch)
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil
		}
		if err != nil {
			return err
		}
		clear(batch)
		batch = batch[:0]
		d.rest(timer)
	}
}

// rest sets the timer to the core's next wake-up.
func (d *Driver) rest(timer *time.Timer) {
	if d.wake == 0 {
		timer.Stop()
		return
	}
	timer.Reset(d.wake.Time().Sub(d.cfg.Now()))
}

// budget is the weight of one batch: three quarters of what the store takes in
// one transaction, by the average size of the records so far.
func (d *Driver) budget() int {
	limit := d.cfg.Term.MaxCommitBytes()
	if limit == 0 {
		return maxWeight
	}
	return max(1, min(maxWeight, limit*3/4/d.perRecord))
}

// runBatch steps the core through a batch and carries its effects out, in the
// order of their fields.
func (d *Driver) runBatch(ctx context.Context, master Master, batch []item) error {
	effects, err := d.step(batch)
	if err != nil {
		return err
	}
	if err := d.save(ctx, effects.Save); err != nil {
		return err
	}
	if len(effects.Calls) > 0 {
		d.counts.calls.Add(uint64(len(effects.Calls)))
		master.Send(ctx, effects.Calls)
	}
	if effects.Match != nil {
		d.ask(ctx, effects.Match)
	}
	d.askUpgrades(ctx, effects.Upgrades)
	d.askHealth(ctx, effects.Health)
	if len(effects.Probes) > 0 && d.cfg.Prober != nil {
		d.cfg.Prober.Change(effects.Probes)
	}
	d.publish()
	for _, r := range effects.Replies {
		if reply, ok := d.waiting[r.Request]; ok {
			delete(d.waiting, r.Request)
			reply <- r
		}
	}
	if len(effects.Notices) > 0 {
		d.cfg.Bus.Publish(effects.Notices)
	}
	d.wake = effects.Wake
	return nil
}

// step feeds the events. A panic of the core is a broken invariant: it becomes
// an error that names the event and the state.
func (d *Driver) step(batch []item) (effects scheduler.Effects, err error) {
	var at scheduler.Event
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("driver: %w: %v\nevent: %s\nstate: %s\n%s",
				ErrBroken, cause, describe(at), d.describeState(), debug.Stack())
		}
	}()
	now := spec.TimestampOf(d.cfg.Now())
	for _, it := range batch {
		at = it.event
		if it.reply != nil {
			d.waiting[it.request] = it.reply
		}
		d.core.Step(now, it.event)
	}
	d.counts.batches.Add(1)
	d.counts.events.Add(uint64(len(batch)))
	return d.core.Effects(now), nil
}

// save commits the records of a batch as one transaction.
func (d *Driver) save(ctx context.Context, records []scheduler.Record) error {
	if len(records) == 0 {
		return nil
	}
	size := 0
	for _, r := range records {
		size += len(r.Key) + len(r.Value)
	}
	if err := d.cfg.Term.Commit(ctx, records); err != nil {
		return fmt.Errorf("driver: saving %d records of %d bytes: %w", len(records), size, err)
	}
	d.perRecord = max(128, (3*d.perRecord+size/len(records))/4)
	d.counts.commits.Add(1)
	d.counts.records.Add(uint64(len(records)))
	d.counts.bytes.Add(uint64(size))
	return nil
}
