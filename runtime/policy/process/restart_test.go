package process

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// running is the process that there is now.
func running(m *Module) *run {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.current
}

// crash kills the process and waits for its end.
func crash(t *testing.T, m *Module) {
	t.Helper()
	r := running(m)
	if err := syscall.Kill(r.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-r.exited
}

// What was prepared before a process was killed is answered by the next one, and the
// very next call waits for it.
func TestPreparedSurvivesARestart(t *testing.T) {
	m := start(t, as(t, "zoo"))
	spec := sdk.ConstraintSpec{Field: "rack", Operator: "LIKE", Value: "r.", HasValue: true}
	p, err := remote.Constraint(m).Prepare(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for range 3 {
		got, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: []string{"", "r1"}, First: -1})
		if err != nil || got.Quota[1] != sdk.Unlimited {
			t.Errorf("%v, %v", got, err)
		}
		crash(t, m)
	}
	tell(t, m, "pid")
	if s := m.State(); s.Restarts != 3 || s.Cause != "it was ended by the signal 9 (killed)" {
		t.Errorf("state %+v", s)
	}
}

// While nobody expects the process back in time, calls fail at once and say why.
func TestDownForLong(t *testing.T) {
	config := as(t, "zoo")
	config.Limits.BackoffMin = time.Hour
	m := start(t, config)
	crash(t, m)
	_, err := step(t, m, "pid")
	wantFault(t, err, "it is down: it was ended by the signal 9 (killed)")
	if s := m.State(); s.PID != 0 || time.Until(s.Next) < time.Minute {
		t.Errorf("state %+v", s)
	}
}

// A process that no longer answers pings is replaced.
func TestPings(t *testing.T) {
	config := as(t, "zoo")
	config.Limits.PingEvery, config.Limits.Ping = 10*time.Millisecond, 10*time.Second
	m := start(t, config)
	before := tell(t, m, "pid")
	r := running(m)
	select {
	case <-r.exited:
		t.Fatal("a process that is well was ended: ", r.cause())
	case <-time.After(100 * time.Millisecond): // some pings
	}
	_ = r.conn.Close() // as good as a process that hangs
	<-r.exited
	if after := tell(t, m, "pid"); after == before {
		t.Errorf("the process is still %s", after)
	}
	if cause := m.State().Cause; !strings.HasPrefix(cause, "it does not answer pings: ") {
		t.Errorf("cause %q", cause)
	}
}

// The file may change as it likes: what was checked is what is started, again and
// again. When the private copy itself is changed, nothing is started any more.
func TestSwappedFile(t *testing.T) {
	config := as(t, "zoo")
	file := filepath.Join(t.TempDir(), "module")
	copyFile(t, config.Command[0], file)
	config.Command[0] = file
	config.SHA256 = strings.ToUpper(digestOf(t, file))
	m := start(t, config)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("#!/bin/sh\nexit 9\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	crash(t, m)
	tell(t, m, "pid")
	if m.SHA256() != strings.ToLower(config.SHA256) {
		t.Error("another digest")
	}
	if _, err := Start(t.Context(), config); err == nil || !strings.Contains(err.Error(), "its SHA-256 is ") {
		t.Errorf("the swapped file: %v", err)
	}
	if err := os.Remove(m.files[0].path); err != nil {
		t.Fatal(err)
	}
	copyFile(t, file, m.files[0].path)
	m.limits.Call[remote.KindUpgrade] = 100 * time.Millisecond
	crash(t, m)
	for !strings.Contains(m.State().Cause, "was changed") {
		_, err := step(t, m, "pid")
		wantFault(t, err, "it is down: ")
	}
}

func digestOf(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(b)
	return hex.EncodeToString(digest[:])
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCopyIsHashedAsCopied(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "module")
	if err := os.WriteFile(file, []byte("abc"), 0o755); err != nil {
		t.Fatal(err)
	}
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	files := []File{{"lib/a", []byte("abc")}, {"b", nil}}
	for _, program := range [][]byte{nil, []byte("abc")} {
		folder := t.TempDir()
		all, err := copyAll(&Config{Command: []string{file}, Program: program, SHA256: want, Files: files}, folder)
		if err != nil || len(all) != 3 || hex.EncodeToString(all[0].digest) != want || filepath.Dir(all[0].path) != folder {
			t.Fatalf("%+v, %v", all, err)
		}
		for i, mode := range []os.FileMode{0o500, 0o400, 0o400} {
			for range 2 { // each check is a new one
				if err := all[i].verify(); err != nil {
					t.Error(err)
				}
			}
			if info, err := os.Stat(all[i].path); err != nil || info.Mode().Perm() != mode {
				t.Errorf("%v, %v", info.Mode(), err)
			}
		}
	}
	for _, name := range []string{"../a", "/a", "module", ""} {
		if _, err := copyAll(&Config{Command: []string{file}, Files: []File{{name, nil}}}, t.TempDir()); err == nil {
			t.Errorf("a file called %q was taken", name)
		}
	}
}

// Files lie where the module runs. When one was changed, nothing is started any more.
func TestFilesBesideTheModule(t *testing.T) {
	config := as(t, "zoo")
	config.Files = []File{{"lib/a.txt", []byte("hello")}}
	m := start(t, config)
	if got := tell(t, m, "file"); got != "hello" {
		t.Errorf("it reads %q", got)
	}
	file := filepath.Join(m.folder, "lib", "a.txt")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("bye"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.limits.Call[remote.KindUpgrade] = 100 * time.Millisecond
	crash(t, m)
	for !strings.Contains(m.State().Cause, "the private copy of its file a.txt was changed") {
		_, err := step(t, m, "pid")
		wantFault(t, err, "it is down: ")
	}
}

// Many goroutines ask at once while the process is killed now and then; each gets an
// answer or a fault, and at the end all is well.
func TestConcurrentUse(t *testing.T) {
	m := start(t, as(t, "zoo"))
	var group sync.WaitGroup
	for range 4 {
		p, err := remote.Constraint(m).Prepare(t.Context(), sdk.ConstraintSpec{Operator: "LIKE", Value: "a", HasValue: true})
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			defer p.Close()
			for range 50 {
				if got, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: []string{"", "a"}, First: -1}); err == nil && got.Quota[1] != sdk.Unlimited {
					t.Error(got)
				} else if err != nil {
					wantFault(t, err, "")
				}
			}
		})
	}
	for range 2 {
		if _, err := step(t, m, "exit"); err == nil {
			t.Error("no fault")
		}
		tell(t, m, "pid")
	}
	group.Wait()
	tell(t, m, "pid")
}

// A module ends with the host, however that ends.
func TestHostIsKilled(t *testing.T) {
	dir, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir) // nobody was left to do it
	config := as(t, "host", dir)
	cmd := exec.CommandContext(t.Context(), config.Command[0], config.Command[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil || !alive(pid) {
		t.Errorf("process %d, %v", pid, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	for alive(pid) {
		time.Sleep(time.Millisecond)
	}
}
