// Package e2e runs the real binary as its users do: real processes, a real
// ZooKeeper, HTTP. One test for each thing a user is promised.
package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience ends a test that waits for something that does not happen. It is far
// above what anything takes, so that it says nothing about speed.
const patience = 60 * time.Second

// build holds what TestMain has made: the folder of the binary.
var build struct{ dir string }

func TestMain(m *testing.M) {
	if os.Getenv("E2E_SERVE") != "" {
		serveTask() // as a task
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pacer-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	build.dir = dir
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", binary(), "../cmd/pacer")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "e2e: building pacer: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func binary() string { return filepath.Join(build.dir, "pacer") }

// process is one run of the binary.
type process struct {
	cmd    *exec.Cmd
	began  time.Time
	ended  chan struct{} // closed when it has ended; then err is set
	err    error
	stdout output
	stderr output
}

// output collects what a process prints, and tells of every line.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // has a token after each line
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) read(r io.Reader) {
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadString('\n')
		o.mu.Lock()
		o.text.WriteString(line)
		o.mu.Unlock()
		select {
		case o.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// start runs the binary in a process group of its own until the test ends.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startProgram(t, binary(), args...)
}

// startProgram is start for another program.
func startProgram(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), began: time.Now(), ended: make(chan struct{})}
	p.stdout.more, p.stderr.more = make(chan struct{}, 1), make(chan struct{}, 1)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	readers.Go(func() { p.stdout.read(stdout) })
	readers.Go(func() { p.stderr.read(stderr) })
	go func() {
		readers.Wait()
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.ended
		if t.Failed() {
			t.Logf("%s %s\n%s%s", filepath.Base(name), strings.Join(args, " "), &p.stdout, &p.stderr)
		}
	})
	return p
}

// signal sends a signal to the process itself, never to what it has started.
func (p *process) signal(sig syscall.Signal) { _ = p.cmd.Process.Signal(sig) }

// kill is `kill -9`, and waits until the process is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// code waits for the end and returns the exit code.
func (p *process) code(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatal("the process does not end")
	}
	if exit, ok := errors.AsType[*exec.ExitError](p.err); ok {
		return exit.ExitCode()
	}
	return 0
}

// printed waits for a line on stdout and returns its parts: the whole match and
// the groups.
func (p *process) printed(t *testing.T, pattern string) []string {
	t.Helper()
	re, deadline := regexp.MustCompile(pattern), time.After(patience)
	for {
		if found := re.FindStringSubmatch(p.stdout.String()); found != nil {
			return found
		}
		select {
		case <-p.stdout.more:
		case <-p.ended:
			t.Fatalf("it ended (%v) before it printed %q", p.err, pattern)
		case <-deadline:
			t.Fatalf("it has not printed %q", pattern)
		}
	}
}

// until polls a condition: of processes and files there are no events.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(25*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}

// dataDir is a folder for a cluster. All processes that live in it end with the
// test: executors outlive the cluster on purpose.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		until(t, "the processes of "+dir+" end", func() bool {
			pids := processesOf(dir)
			for _, pid := range pids {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			return len(pids) == 0
		})
	})
	return dir
}

// processesOf are the processes that work in a folder or were started with it.
func processesOf(dir string) []int {
	return processes(func(proc string) bool {
		return worksIn(proc, dir) || strings.Contains(argsOf(proc), dir)
	})
}

// tasksOf are the task processes below a folder: the shells that run a command.
// A shell's child that has not become another program yet is none.
func tasksOf(dir, command string) []int {
	all := processes(func(proc string) bool {
		return worksIn(proc, dir) && strings.HasSuffix(argsOf(proc), "sh -c "+command)
	})
	return slices.DeleteFunc(slices.Clone(all), func(pid int) bool { return slices.Contains(all, parentOf(pid)) })
}

// worksIn tells whether a process has its working directory below a folder.
func worksIn(proc, dir string) bool {
	cwd, err := os.Readlink(filepath.Join(proc, "cwd"))
	return err == nil && strings.HasPrefix(cwd, dir)
}

// argsOf is a process's command line, its words joined by blanks.
func argsOf(proc string) string {
	args, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
	return string(bytes.TrimRight(bytes.ReplaceAll(args, []byte{0}, []byte{' '}), " "))
}

// parentOf is a process's parent, 0 when it is gone.
func parentOf(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(text), ") ") // the name before may have anything in it
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}

func processes(wanted func(proc string) bool) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid != os.Getpid() && wanted(filepath.Join("/proc", e.Name())) {
			pids = append(pids, pid)
		}
	}
	return pids
}
