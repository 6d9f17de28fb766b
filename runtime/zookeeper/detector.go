package zookeeper

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// readAgain is how long the detector and registrations wait after a failure that
// is neither a lost connection nor an expired session.
const readAgain = time.Second

// Detector follows which Mesos master leads: the one that announced itself first
// among those whose announcement is still there.
type Detector struct {
	conn *Conn
	path string
	log  *slog.Logger
}

// NewDetector watches the masters that announce themselves in path, which need
// not exist yet. A nil log discards.
func NewDetector(conn *Conn, path string, log *slog.Logger) *Detector {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Detector{conn: conn, path: path, log: log}
}

// Watch calls changed with the leader, and again whenever there is another one or
// none (the zero Master), until ctx ends; it returns the context's error, or
// ErrClosed. It calls from one goroutine and waits for changed to return, and
// skips leaders that came and went meanwhile. While ZooKeeper cannot be reached
// the last known leader stands: a master that fails is noticed by its silence.
func (d *Detector) Watch(ctx context.Context, changed func(Master)) error {
	last, known := Master{}, false
	var seen leaderNode
	for ctx.Err() == nil {
		node, watch, err := d.leader(ctx, seen)
		if err != nil {
			if errors.Is(err, ErrClosed) || ctx.Err() != nil {
				return err
			}
			d.log.Warn("mesos masters cannot be read", "path", d.path, "error", err)
			if !pause(ctx, readAgain) {
				break
			}
			continue
		}
		seen = node
		if !known || node.master != last {
			last, known = node.master, true
			changed(last)
		}
		select {
		case <-watch:
		case <-ctx.Done():
		}
	}
	return context.Cause(ctx)
}

// leaderNode is the announcement with the lowest number.
type leaderNode struct {
	name   string
	master Master
}

// leader finds the leading master. The announcement is read only if another node
// than the one seen before leads: announcements do not change.
func (d *Detector) leader(ctx context.Context, seen leaderNode) (leaderNode, Watch, error) {
	names, watch, err := d.conn.WatchChildren(ctx, d.path)
	if errors.Is(err, ErrNoNode) {
		return d.awaitPath(ctx)
	}
	if err != nil {
		return leaderNode{}, nil, err
	}
	name := d.lowest(names)
	if name == "" || name == seen.name && seen.master.Known() {
		if name == "" {
			seen = leaderNode{}
		}
		return seen, watch, nil
	}
	data, _, err := d.conn.Data(ctx, Join(d.path, name))
	if errors.Is(err, ErrNoNode) {
		return leaderNode{}, watch, nil // gone since: the watch fires
	}
	if err != nil {
		return leaderNode{}, nil, err
	}
	master, err := parseMaster(data)
	if err != nil {
		d.log.Error("the leading mesos master's announcement is not usable", "node", Join(d.path, name), "error", err)
		return leaderNode{name: name}, watch, nil
	}
	return leaderNode{name: name, master: master}, watch, nil
}

// awaitPath is for when no master ever announced itself.
func (d *Detector) awaitPath(ctx context.Context) (leaderNode, Watch, error) {
	exists, watch, err := d.conn.WatchExists(ctx, d.path)
	if err != nil || !exists {
		return leaderNode{}, watch, err
	}
	return d.leader(ctx, leaderNode{}) // it has come since
}

// lowest is the name of the leading announcement, "" if there is none. What is
// not one, like the replicated log's log_replicas, is passed over.
func (d *Detector) lowest(names []string) string {
	best, lowest := "", int64(0)
	for _, name := range names {
		if _, ok := SeatNumber(name, legacyPrefix); ok {
			d.log.Warn("passing over a mesos master older than 0.24", "node", Join(d.path, name))
			continue
		}
		if n, ok := SeatNumber(name, masterPrefix); ok && (best == "" || n < lowest) {
			best, lowest = name, n
		}
	}
	return best
}

// pause waits and is false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
