package main

import (
	"bytes"
	"context"
	"slices"

	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/store"
)

// durable is a term of the store in the driver's words.
type durable struct {
	store.Term
	aside map[string][]byte // what is not the core's, once it is loaded
}

// Load passes every record of the core on.
func (t durable) Load(ctx context.Context, yield func(scheduler.Record) error) error {
	return t.Term.Load(ctx, func(key string, value []byte) error {
		if isPolicyRecord(key) {
			t.aside[key] = bytes.Clone(value)
			return nil
		}
		return yield(scheduler.Record{Key: key, Value: bytes.Clone(value)}) // the store takes it back
	})
}

// Commit hands the records over.
func (t durable) Commit(ctx context.Context, records []scheduler.Record) error {
	changes := make([]store.Change, len(records))
	for i, r := range records {
		changes[i] = store.Change{Key: r.Key, Value: r.Value}
	}
	return t.Term.Commit(ctx, changes)
}

// prefixed is a master whose tasks get their variables under a prefix, and the
// name of the bridge, if these are set.
type prefixed struct {
	driver.Master
	prefix, bridge string
}

// Send passes the calls on; those that launch tasks with what is set. The core's
// own values stay as they are.
func (p prefixed) Send(ctx context.Context, calls []scheduler.Call) {
	if p.prefix != "" || p.bridge != "" {
		calls = slices.Clone(calls)
		for i := range calls {
			accept, ok := calls[i].(scheduler.Accept)
			if !ok {
				continue
			}
			accept.Tasks = slices.Clone(accept.Tasks)
			for j := range accept.Tasks {
				accept.Tasks[j].EnvPrefix, accept.Tasks[j].BridgeName = p.prefix, p.bridge
			}
			calls[i] = accept
		}
	}
	p.Master.Send(ctx, calls)
}

// bus is the event stream, with an ear for the first subscription of a term.
type bus struct {
	*api.Events
	registered func()
}

// Publish hands the notices to the listeners of the stream.
func (b bus) Publish(notices []scheduler.Notice) {
	b.Events.Publish(notices)
	for _, n := range notices {
		if _, ok := n.(scheduler.Registered); ok && b.registered != nil {
			b.registered()
		}
	}
}
