package executor

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// ErrDied reports an executor that ended without having written the end of its task.
var ErrDied = errors.New("executor: ended without the end of its task")

// Handle is the agent's side of one run folder. Its methods may be called from any goroutine.
type Handle struct {
	dir    string
	marker string

	exited chan struct{} // closed when a process started by this handle has ended

	mu   sync.Mutex
	conn net.Conn // nil until an executor answers
	kill bool     // asked for; sent as soon as there is a connection
}

// Open makes the handle of the run folder dir. The marker is an environment entry (NAME=value) that only processes of
// this run carry; it finds what a dead executor left behind.
func Open(dir, marker string) *Handle {
	return &Handle{dir: dir, marker: marker, exited: make(chan struct{})}
}

// Start runs command, an argv prefix, with the run folder as its last argument, in a session of its own. The launch must
// have been written before. It is called at most once for a handle.
func (h *Handle) Start(command []string) error {
	argv := append(append([]string{}, command...), h.dir)
	log, err := os.OpenFile(filepath.Join(h.dir, "executor.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("executor: open log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("executor: start %s: %w", argv[0], err)
	}
	go func() {
		defer close(h.exited)
		_ = cmd.Wait() // what it means is learnt from the journal
	}()
	return nil
}

// Follow reports every journal record from the given index on, in order, and returns after Exited or Abandoned.
// It returns ErrDied for an executor that is gone without either; nothing of its task runs any more then. ready bounds
// the wait for a started executor to take its lock, 0 when none was started by this process. stop ends it early with nil.
func (h *Handle) Follow(from int, ready time.Duration, stop <-chan struct{}, report func(Record)) error {
	f := &follower{handle: h, seen: from, report: report}
	deadline := time.Now().Add(ready)
	for pause := time.Millisecond; ; pause = min(pause*3/2, 50*time.Millisecond) {
		done, err := f.connect(stop)
		if done || err != nil {
			return err
		}
		if done, err = f.settle(h.hopeless(deadline)); done || err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		case <-time.After(pause):
		}
	}
}

// hopeless tells whether no executor is to be expected any more.
func (h *Handle) hopeless(deadline time.Time) bool {
	select {
	case <-h.exited:
		return true
	default:
		return time.Now().After(deadline)
	}
}

// Kill asks the executor to end its task, now or as soon as it can be reached.
func (h *Handle) Kill() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kill = true
	h.sendKill()
}

// sendKill is called with the lock held.
func (h *Handle) sendKill() {
	if h.kill && h.conn != nil {
		// The caller must not wait for an executor that was stopped; the order is sent again on the next connection.
		_ = h.conn.SetWriteDeadline(time.Now().Add(time.Second))
		_ = json.NewEncoder(h.conn).Encode(order{Kill: true})
	}
}

// adopt makes conn the way to the executor, nil when there is none any more, and sends what waits for it.
func (h *Handle) adopt(conn net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conn = conn
	if conn != nil {
		h.sendKill()
	}
}

// follower is one run of Follow.
type follower struct {
	handle *Handle
	seen   int
	report func(Record)
}

// connect reads from the control socket until its end; true when the run is over or the caller stopped.
func (f *follower) connect(stop <-chan struct{}) (bool, error) {
	folder, err := os.Open(f.handle.dir)
	if err != nil {
		return true, fmt.Errorf("executor: open run folder: %w", err)
	}
	defer folder.Close()
	conn, err := net.DialUnix("unix", nil, socketAddr(folder))
	if err != nil {
		return false, nil
	}
	defer func() { _ = conn.Close() }()
	f.handle.adopt(conn)
	defer f.handle.adopt(nil)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-stop:
			_ = conn.Close()
		case <-ended:
		}
	}()
	in := json.NewDecoder(conn)
	for n := 0; ; n++ {
		var rec Record
		if err := in.Decode(&rec); err != nil {
			select {
			case <-stop:
				return true, nil
			default:
				return false, nil
			}
		}
		if f.take(n, rec) {
			return true, nil
		}
	}
}

// take reports record number n unless it was reported before; true when it is the last one.
func (f *follower) take(n int, rec Record) bool {
	if n >= f.seen {
		f.seen = n + 1
		f.report(rec)
	}
	return rec.Step >= Exited
}

// settle looks at a run that cannot be reached: it is over, or its executor is dead, or there is one to come.
// Whoever holds the lock is the only one to write, so the journal read under it is final.
func (f *follower) settle(late bool) (bool, error) {
	lock, err := takeLock(f.handle.dir, false)
	if err != nil {
		return false, nil // alive; it will listen in a moment, or its end shows next time
	}
	defer lock.Close()
	records, err := Journal(f.handle.dir)
	if err != nil {
		return true, err
	}
	for n, rec := range records {
		if f.take(n, rec) {
			return true, nil
		}
	}
	switch {
	case len(records) > 0:
		return true, f.bury(records)
	case !late:
		return false, nil
	}
	rec := Record{Step: Abandoned, At: float64(time.Now().UnixMicro()) / 1e6}
	if err := appendRecord(f.handle.dir, rec); err != nil {
		return true, err
	}
	f.report(rec)
	return true, nil
}

// bury kills what a dead executor left running.
func (f *follower) bury(records []Record) error {
	var task Record
	for _, rec := range records {
		if rec.Step == Running {
			task = rec
		}
	}
	if err := sweep(task, f.handle.marker); err != nil {
		return err
	}
	return ErrDied
}
