package executor

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Main is the executor process: its only argument is the run folder. It returns the process' exit status, 0 when the
// task's end is in the journal, whatever that end was.
func Main(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "executor: expected one argument, the run folder")
		return 2
	}
	if err := run(args[0]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// supervisor is the state of a running executor.
type supervisor struct {
	dir    string
	launch Launch
	feed   *feed
	kills  chan struct{} // a kill was asked for; capacity 1, more requests say nothing new
	exited chan syscall.WaitStatus
	// outputs are open while the task may write to them; nil before it was started.
	outputs outputs
}

// run is the executor from its lock to the end of its task. The order matters: the journal is looked at only under the
// lock, and nothing is started before it was found empty.
func run(dir string) error {
	// Signals meant for the cluster must not end its tasks. They are caught, not ignored: what is ignored stays so in the
	// task after exec, which could then not be terminated.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE)
	lock, err := takeLock(dir, true)
	if err != nil {
		return err
	}
	defer lock.Close()
	records, err := Journal(dir)
	if err != nil {
		return err
	}
	if len(records) > 0 {
		return fmt.Errorf("executor: run %s has a journal already: refusing to start its task again", dir)
	}
	launch, err := readLaunch(dir)
	if err != nil {
		return err
	}
	// Orphans of the task become children of this process, not of init: the tree stays whole until it is gone.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("executor: become subreaper: %w", err)
	}
	s := &supervisor{dir: dir, launch: launch, kills: make(chan struct{}, 1), exited: make(chan syscall.WaitStatus, 1)}
	s.feed, err = openFeed(dir, s.askKill)
	if err != nil {
		return err
	}
	return s.supervise()
}

// askKill never waits: one kill that was not handled yet stands for all.
func (s *supervisor) askKill() {
	select {
	case s.kills <- struct{}{}:
	default:
	}
}

// supervise starts the task, waits for its end and writes it down.
func (s *supervisor) supervise() error {
	self, _ := inspect(os.Getpid())
	if err := s.record(Record{Step: Attached, PID: self.pid, Start: self.start}); err != nil {
		return err
	}
	pid, err := s.start()
	if err != nil {
		// Mesos' executor forks before it looks for the program: such a task was running and exited with status 1.
		s.complain(err)
		s.exited <- syscall.WaitStatus(1 << 8)
	} else {
		go s.reap(pid)
	}
	task, _ := inspect(pid)
	if err := s.record(Record{Step: Running, PID: pid, Start: task.start, Boot: bootID()}); err != nil {
		return err
	}
	end := s.await()
	// What the main process left running ends with it.
	if err := killTree(); err != nil {
		return err
	}
	if err := s.record(end); err != nil {
		return err
	}
	s.feed.drain()
	return nil
}

// await handles kills and the time limit until the main process has ended.
func (s *supervisor) await() Record {
	end := Record{Step: Exited}
	var limit, grace, look <-chan time.Time
	if s.launch.LogBytes > 0 {
		ticker := time.NewTicker(rotateEvery)
		defer ticker.Stop()
		look = ticker.C
	}
	if s.launch.MaxCompletion > 0 {
		limit = time.After(s.launch.MaxCompletion)
	}
	kills := s.kills
	terminate := func() {
		// Only the first reason counts, and a later kill does not change the grace period.
		limit, kills = nil, nil
		_, _ = signalTree(os.Getpid(), syscall.SIGTERM)
		grace = time.After(s.launch.KillGrace)
	}
	for {
		select {
		case status := <-s.exited:
			end.Wait = uint32(status)
			return end
		case <-kills:
			end.Killed = true
			_ = s.record(Record{Step: Killing})
			terminate()
		case <-look:
			s.outputs.rotate(s.launch.Sandbox, s.launch.LogBytes)
		case <-limit:
			end.Expired = true
			terminate()
		case <-grace:
			grace = nil
			_ = killTree()
		}
	}
}

// start runs the task's program in a session of its own.
func (s *supervisor) start() (int, error) {
	stdin, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer stdin.Close()
	if s.outputs, err = openOutputs(s.launch.Sandbox); err != nil {
		return 0, err
	}
	files := []uintptr{stdin.Fd(), s.outputs["stdout"].Fd(), s.outputs["stderr"].Fd()}
	path, err := LookPath(s.launch.Path, s.launch.Env)
	if err != nil {
		return 0, err
	}
	attr := &syscall.ProcAttr{Dir: s.launch.Sandbox, Env: s.launch.Env, Files: files, Sys: &syscall.SysProcAttr{Setsid: true}}
	if u := s.launch.User; u != nil {
		attr.Sys.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
	}
	return syscall.ForkExec(path, s.launch.Args, attr)
}

// reap waits for all children, adopted orphans included, and reports the end of the main one.
func (s *supervisor) reap(main int) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return // no child is left; orphans can only appear below a living one
		case pid == main:
			s.exited <- status
		}
	}
}

// record writes a step down and then tells of it. A task whose steps cannot be written is not to run.
func (s *supervisor) record(rec Record) error {
	rec.At = float64(time.Now().UnixMicro()) / 1e6
	if err := appendRecord(s.dir, rec); err != nil {
		return err
	}
	s.feed.add(rec)
	return nil
}

// complain puts the reason why nothing could be started where its owner looks for it.
func (s *supervisor) complain(reason error) {
	f, err := os.OpenFile(filepath.Join(s.launch.Sandbox, "stderr"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "Failed to execute command '%s': %v\n", s.launch.Path, reason)
}

// killTree kills everything below this process until nothing is left; new forks are met by the next round.
func killTree() error {
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		n, err := signalTree(os.Getpid(), syscall.SIGKILL)
		if err != nil || n == 0 {
			return err
		}
		time.Sleep(pause)
	}
}

// feed is the executor's end of the control socket: it sends the journal to whoever connects.
type feed struct {
	mu      sync.Mutex
	changed *sync.Cond
	records []Record
	closed  bool
	readers sync.WaitGroup
}
