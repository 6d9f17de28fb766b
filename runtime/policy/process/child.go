package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// child is one run of a module's executable, as go-plugin's runner. It has a
// process group of its own, which ends with it; and it ends with this process.
type child struct {
	cmd     *exec.Cmd
	limits  *Limits
	sockets string // the folder of its socket
	journal *journal
	stdout  *os.File // our ends of the pipes
	stderr  *os.File
	hello   *io.PipeReader // what go-plugin gets of stdout: the first line
	toHello *io.PipeWriter
	pumps   sync.WaitGroup

	dying  chan struct{} // closed when the process itself has ended
	exited chan struct{} // closed when nothing is left of it

	mu       sync.Mutex
	pid      int // 0 before the start and after the end
	scribes  []*scribe
	complain string // why it was ended, or what it did wrong; "" for nothing
	status   string // how it ended; set before exited is closed
}

// newChild is one that is not started; cmd and sockets have to be set.
func newChild(limits *Limits, journal *journal) *child {
	p := &child{limits: limits, journal: journal, dying: make(chan struct{}), exited: make(chan struct{})}
	p.hello, p.toHello = io.Pipe()
	return p
}

// scribe takes one more stream of what the process writes.
func (p *child) scribe() *scribe {
	s := &scribe{journal: p.journal, hurry: p.dying}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scribes = append(p.scribes, s)
	return s
}

// Start implements runner.Runner. The kernel ends the process when the thread that
// started it ends, so that thread waits for it.
func (p *child) Start(context.Context) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.start()
		started <- err
		if err == nil {
			p.reap()
		}
	}()
	return <-started
}

// start starts the process. The file of a process cannot be executed while anybody
// has it open for writing, and a process that is just being started elsewhere may
// have inherited it so: that passes.
func (p *child) start() error {
	stdout, toStdout, err := os.Pipe()
	if err != nil {
		return err
	}
	stderr, toStderr, err := os.Pipe()
	if err != nil {
		return errors.Join(err, stdout.Close(), toStdout.Close())
	}
	template := p.cmd
	for tries := 0; ; tries++ {
		p.cmd = &exec.Cmd{
			Path: template.Path, Args: template.Args, Env: template.Env, Dir: template.Dir, Stdout: toStdout, Stderr: toStderr,
			SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
		}
		if err = p.cmd.Start(); !errors.Is(err, syscall.ETXTBSY) || tries == 100 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	_, _ = toStdout.Close(), toStderr.Close() // the process has them now
	if err != nil {
		_, _ = stdout.Close(), stderr.Close() // nothing was read
		return err
	}
	p.restrict(p.cmd.Process.Pid)
	p.stdout, p.stderr = stdout, stderr
	said := p.scribe()
	p.pumps.Go(p.readStdout)
	p.pumps.Go(func() { _, _ = io.Copy(said, p.stderr) }) // ends with the process
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pid = p.cmd.Process.Pid
	if p.complain != "" { // it was to be ended before it began
		_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	}
	return nil
}

// restrict sets the limits of resources. One that cannot be set, since ours are
// lower, is as good as set.
func (p *child) restrict(pid int) {
	for resource, most := range map[int]uint64{
		unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: p.limits.Files, unix.RLIMIT_DATA: p.limits.DataBytes,
	} {
		_ = unix.Prlimit(pid, resource, &unix.Rlimit{Cur: most, Max: most}, nil)
	}
}

// reap waits for the end of the process and clears up after it.
func (p *child) reap() {
	for {
		// It stays a zombie until its group is gone: nobody else gets its id.
		err := unix.Waitid(unix.P_PID, p.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.mu.Lock()
	_ = syscall.Kill(-p.pid, syscall.SIGKILL) // those that it started
	p.pid = 0
	p.mu.Unlock()
	close(p.dying)
	// What left the group may keep the pipes open for as long as it likes.
	deadline := time.Now().Add(100 * time.Millisecond)
	_, _ = p.stdout.SetReadDeadline(deadline), p.stderr.SetReadDeadline(deadline)
	p.pumps.Wait()
	_, _ = p.stdout.Close(), p.stderr.Close()
	_ = p.cmd.Wait() // its state tells all
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = describe(p.cmd.ProcessState)
	for _, s := range p.scribes {
		if last := s.epitaph(); last != "" {
			p.status += ": " + last
		}
	}
	close(p.exited)
}

func describe(state *os.ProcessState) string {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return "it was ended by the signal " + strconv.Itoa(int(status.Signal())) + " (" + status.Signal().String() + ")"
	}
	return "it exited with status " + strconv.Itoa(state.ExitCode())
}

// readStdout gives the first line to go-plugin, which reads the handshake there, and
// the rest to the log.
func (p *child) readStdout() {
	first := make([]byte, 0, 4096)
	for len(first) < cap(first) && !bytes.ContainsRune(first, '\n') {
		n, err := p.stdout.Read(first[len(first):cap(first)])
		if first = first[:len(first)+n]; err != nil {
			break
		}
	}
	text, rest, ended := bytes.Cut(first, []byte{'\n'})
	if !ended || bytes.Count(text, []byte{'|'}) < 3 {
		if len(text) > 0 {
			p.note(fmt.Sprintf("its first line on standard output is not the handshake: %.200q", text))
		}
		rest = first
	} else {
		_, _ = p.toHello.Write(append(text, '\n')) // nobody reads when it is given up
	}
	_ = p.toHello.Close()
	said := p.scribe()
	_, _ = said.Write(rest)
	_, _ = io.Copy(said, p.stdout) // ends with the process
}

// note keeps the first complaint about the process.
func (p *child) note(complaint string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.complain == "" {
		p.complain = complaint
	}
}

// kill ends the process and all that it started, for the reason given; "" keeps
// the reason that the process itself has given.
func (p *child) kill(reason string) {
	p.note(reason)
	p.signal(syscall.SIGKILL)
}

func (p *child) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pid != 0 {
		_ = syscall.Kill(-p.pid, s)
	}
}

// cause says why there is no process any more, or why it is no good.
func (p *child) cause() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.complain != "" {
		return p.complain
	}
	return p.status
}

// gone tells that the process has ended.
func (p *child) gone() bool {
	select {
	case <-p.dying:
		return true
	default:
		return false
	}
}

// complaint is what the process did wrong; "" for nothing.
func (p *child) complaint() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.complain
}
