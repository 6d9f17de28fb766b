package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// What cannot be started says why, and leaves nothing behind.
func TestRefused(t *testing.T) {
	tests := []struct{ module, want string }{
		{"exits", "it exited with status 3"},
		{"panics", "it exited with status 2: panic: no luck"},
		{"speaks", `its first line on standard output is not the handshake: "hello"`},
		{"mumbles", `its first line on standard output is not the handshake: "xxx`},
		{"silent", "it did not say where it listens in time"},
		{"later", "incompatible API version with plugin. Plugin version: 2, Client versions: [1]"},
		{"unnamed", `Describe: name "No Name": lower-case letters, digits and dashes expected`},
		{"idle", "Describe: the module offers nothing"},
		{"elsewhere", "a socket in its own folder, or a port of 127.0.0.1, expected"},
		{"everywhere", "a socket in its own folder, or a port of 127.0.0.1, expected"},
		{"unencrypted", "Describe: policy module"},
	}
	for _, test := range tests {
		t.Run(test.module, func(t *testing.T) {
			config := as(t, test.module)
			if test.module == "silent" {
				config.Limits.Start = 50 * time.Millisecond
			}
			_, err := Start(t.Context(), config)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v; want %q in it", err, test.want)
			}
			wantNoGoroutines(t)
		})
	}
}

func TestRefusedConfig(t *testing.T) {
	good := as(t, "zoo")
	tests := []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Command = nil }, "command: the path of an executable file expected"},
		{func(c *Config) { c.Command = []string{filepath.Join(c.Dir, "none")} }, "no such file"},
		{func(c *Config) { c.Command = []string{c.Dir} }, "an executable file expected"},
		{func(c *Config) { c.Command = []string{"main_test.go"} }, "an executable file expected"},
		{func(c *Config) { c.SHA256 = "abc" }, "64 hexadecimal digits expected"},
		{func(c *Config) { c.SHA256 = strings.Repeat("0", 64) }, "its SHA-256 is "},
		{func(c *Config) { c.Env = []string{"A"} }, "NAME=value expected"},
		{func(c *Config) { c.Env = []string{"PLUGIN_CLIENT_CERT="} }, "env PLUGIN_CLIENT_CERT: that name belongs to the protocol"},
		{func(c *Config) { c.Env = []string{"PACER_POLICY_MODULE=1"} }, "env PACER_POLICY_MODULE: that name belongs to the protocol"},
		{func(c *Config) { c.Env = []string{"A=\x00"} }, `env "A": a value without a zero byte expected`},
	}
	for _, test := range tests {
		config := good
		test.change(&config)
		if _, err := Start(t.Context(), config); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v; want %q in it", err, test.want)
		}
	}
	deep := filepath.Join(good.Dir, strings.Repeat("d", 60))
	if err := os.Mkdir(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(deep)
	good.Dir = deep
	if _, err := Start(t.Context(), good); err == nil || !strings.Contains(err.Error(), "too long for sockets") {
		t.Errorf("error %v for a long path", err)
	}
}

// A start ends with its context, whatever the module does.
func TestStartCanBeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stop it"))
	if _, err := Start(ctx, as(t, "silent")); err == nil || !strings.Contains(err.Error(), "stop it") {
		t.Errorf("error %v", err)
	}
	wantNoGoroutines(t)
}

func TestSettings(t *testing.T) {
	config := as(t, "zoo")
	config.Settings = "bad"
	_, err := Start(t.Context(), config)
	wantInvalid(t, err, "/size: a number expected")
	config.Settings = "{}"
	tell(t, start(t, config), "pid")
}

// The environment is what was granted and what the protocol needs; the folder is the
// module's own.
func TestNothingIsInherited(t *testing.T) {
	t.Setenv("SECRET", "1")
	config := as(t, "zoo")
	config.Env = []string{"GRANTED=yes"}
	m := start(t, config)
	env := tell(t, m, "env")
	if !strings.HasPrefix(env, "GRANTED=yes PACER_POLICY_MODULE=") {
		t.Errorf("environment %s", env)
	}
	for _, name := range []string{"SECRET", "HOME", "PATH"} {
		if strings.Contains(env, name+"=") {
			t.Errorf("%s is inherited: %s", name, env)
		}
	}
	if dir := tell(t, m, "folder"); filepath.Dir(dir) != config.Dir {
		t.Errorf("it runs in %s, want a folder in %s", dir, config.Dir)
	}
	if info, err := os.Stat(m.folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	want := fmt.Sprintf("Max core file size 0, Max data size %d, Max open files %d", config.Limits.DataBytes, DefaultLimits().Files)
	for limit := range strings.SplitSeq(want, ", ") {
		if got := tell(t, m, "limits"); !strings.Contains(got, limit) {
			t.Errorf("limits %s; want %s", got, limit)
		}
	}
}

// A call that is not answered ends at its deadline; after some in a row the process
// is another.
func TestIgnoredDeadline(t *testing.T) {
	config := as(t, "zoo")
	m := start(t, config)
	p, err := remote.Upgrade(m).Prepare(t.Context(), sdk.UpgradeSpec{Strategy: "sleep"})
	if err != nil {
		t.Fatal(err)
	}
	before := tell(t, m, "pid")
	r := running(m)
	m.limits.Call[remote.KindUpgrade] = 20 * time.Millisecond // nobody else is here to see it
	for range tooLate {
		_, err = p.Next(t.Context(), sdk.UpgradeState{})
		wantFault(t, err, "no answer within 20ms")
		wantTrap(t, err, true)
	}
	<-r.exited
	m.limits.Call = config.Limits.Call
	if after := tell(t, m, "pid"); after == before {
		t.Errorf("the process is still %s", after)
	}
	if cause := m.State().Cause; cause != "ended since 3 calls in a row had no answer" {
		t.Errorf("cause %q", cause)
	}
	p.Close()
	// The caller's own deadline is no fault.
	p, err = remote.Upgrade(m).Prepare(t.Context(), sdk.UpgradeSpec{Strategy: "sleep"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := p.Next(ctx, sdk.UpgradeState{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestEndsInACall(t *testing.T) {
	m := start(t, as(t, "zoo"))
	for name, want := range map[string]string{"exit": "it exited with status 7", "panic": "it exited with status 2: panic: no luck"} {
		_, err := step(t, m, name)
		wantFault(t, err, want)
		wantTrap(t, err, true)
		tell(t, m, "pid") // it is back
	}
	if s := m.State(); s.Restarts != 2 {
		t.Errorf("%d restarts, want 2", s.Restarts)
	}
}

func TestBigAnswer(t *testing.T) {
	m := start(t, as(t, "zoo"))
	before := tell(t, m, "pid")
	_, err := step(t, m, "big")
	wantFault(t, err, "an answer of more than ")
	wantTrap(t, err, true)
	if after := tell(t, m, "pid"); after != before {
		t.Error("the process was ended for it")
	}
}

// What a process has started ends with it, and what has left its group does not keep
// the host waiting.
func TestChildrenEnd(t *testing.T) {
	for _, kind := range []string{"child", "orphan"} {
		t.Run(kind, func(t *testing.T) {
			m := start(t, as(t, "zoo"))
			pid, err := strconv.Atoi(tell(t, m, kind))
			if err != nil {
				t.Fatal(err)
			}
			_, err = step(t, m, "exit")
			wantFault(t, err, "it exited with status 7")
			tell(t, m, "pid")
			if kind == "orphan" {
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					t.Error(err)
				}
			}
			for alive(pid) { // the kernel takes a moment
				time.Sleep(time.Millisecond)
			}
		})
	}
}

// alive tells whether the process is there and no zombie: nobody may be there to
// reap an orphan.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(rest, "Z")
}

// A process that takes no hint is ended by force when the module is closed, also
// when a call is under way.
func TestStubborn(t *testing.T) {
	config := as(t, "stubborn")
	config.Limits.Stop = 20 * time.Millisecond
	m := start(t, config)
	tell(t, m, "pid")
	p, err := remote.Upgrade(m).Prepare(t.Context(), sdk.UpgradeSpec{Strategy: "sleep"})
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan error)
	go func() {
		_, err := p.Next(context.Background(), sdk.UpgradeState{})
		asked <- err
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // no time for the call
	if err := m.Close(ctx); err != nil {
		t.Error(err)
	}
	wantFault(t, <-asked, "the module is closed")
	_, err = p.Next(t.Context(), sdk.UpgradeState{})
	wantFault(t, err, "the module is closed")
	p.Close()
}
