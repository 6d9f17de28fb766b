// Package zktest runs a private ZooKeeper server for tests: a process of its own
// on a free port of the loopback interface, with its data in a folder of the
// caller's, every write synced to disk as in production.
package zktest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	jar = "/usr/share/java/zookeeper.jar"
	// binding makes the server's warnings readable; it is not required.
	binding = "/usr/share/java/slf4j-simple.jar"
	// startLimit is generous: a start takes one to two seconds on an idle machine.
	startLimit = 60 * time.Second
)

// Server is a ZooKeeper server. Its methods are for one goroutine at a time.
type Server struct {
	dir  string
	port int

	process *os.Process   // nil while stopped
	ended   chan struct{} // closed when the process is gone
}

// Start runs a server that keeps its data in dir and waits until it serves. The
// error names the Debian package when ZooKeeper is not installed. The caller ends
// it with Stop; it ends with the calling process in any case.
func Start(dir string) (*Server, error) {
	if _, err := os.Stat(jar); err != nil {
		return nil, fmt.Errorf("ZooKeeper is not installed: install the Debian package zookeeper (%w)", err)
	}
	if _, err := exec.LookPath("java"); err != nil {
		return nil, fmt.Errorf("java is not installed: install the Debian package zookeeper, which brings it (%w)", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, port: port}
	if err := s.Restart(); err != nil {
		return nil, err
	}
	return s, nil
}

// freePort is below the ports that the kernel gives to clients: one of those could
// be taken, even by a client that tries to reach the stopped server, between the
// server's end and its restart.
func freePort() (int, error) {
	var err error
	for range 100 {
		port := 11_000 + rand.IntN(20_000)
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("zktest: no free port: %w", err)
}

// Address is where the server listens, host:port. It outlives restarts.
func (s *Server) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// URL is the zk:// URL of a path, which begins with a slash.
func (s *Server) URL(path string) string { return "zk://" + s.Address() + path }

// configure writes the server's settings. Short ticks allow sessions as short as
// 400 ms, so that tests of expiry are quick.
func (s *Server) configure() (string, error) {
	file := filepath.Join(s.dir, "zoo.cfg")
	return file, os.WriteFile(file, []byte(strings.Join([]string{
		"tickTime=200",
		"maxSessionTimeout=60000",
		"dataDir=" + filepath.Join(s.dir, "data"),
		"clientPort=" + fmt.Sprint(s.port),
		"clientPortAddress=127.0.0.1",
		"maxClientCnxns=0",
		"admin.enableServer=false",
		"4lw.commands.whitelist=*",
		"snapshot.trust.empty=true",
	}, "\n")+"\n"), 0o644)
}

// Restart ends the server if it runs, as by kill -9, and starts it again with
// the same data on the same port.
func (s *Server) Restart() error {
	s.Stop()
	config, err := s.configure()
	if err != nil {
		return err
	}
	output, err := os.OpenFile(filepath.Join(s.dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer output.Close()
	cmd := exec.Command("java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-XX:-UsePerfData",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dzookeeper.snapCount=100000", "-Dzookeeper.preAllocSize=1024",
		"-cp", jar+":"+binding, "org.apache.zookeeper.server.ZooKeeperServerMain", config)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.launch(cmd); err != nil {
		return fmt.Errorf("start ZooKeeper: %w", err)
	}
	return s.await()
}

// launch starts the process from a thread that lives as long as it does: the
// kernel takes the end of the starting thread for the end of the parent.
func (s *Server) launch(cmd *exec.Cmd) error {
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process, s.ended = cmd.Process, ended
	return nil
}

// await polls the server until it says that it is up.
func (s *Server) await() error {
	deadline := time.Now().Add(startLimit)
	for time.Now().Before(deadline) {
		select {
		case <-s.ended:
			s.process = nil
			return fmt.Errorf("ZooKeeper ended at once: %s", s.logged())
		case <-time.After(20 * time.Millisecond):
		}
		if answer, err := s.Ask("srvr"); err == nil && strings.Contains(answer, "Mode:") {
			return nil
		}
	}
	s.Stop()
	return fmt.Errorf("ZooKeeper does not serve after %v: %s", startLimit, s.logged())
}

func (s *Server) logged() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "server.log"))
	return string(bytes.TrimSpace(text[max(0, len(text)-2000):]))
}

// Ask sends one of ZooKeeper's four-letter commands and returns the answer.
func (s *Server) Ask(command string) (string, error) {
	c, err := net.DialTimeout("tcp", s.Address(), time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, command); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(c)
	return string(answer), err
}

// Stop ends the server as by kill -9 and waits until it is gone. It may be called
// on a stopped server.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Signal(syscall.SIGKILL)
	<-s.ended
	s.process = nil
}

// Pause freezes the server: connections stay open and silent. It returns when
// the last of its threads has stopped.
func (s *Server) Pause() error {
	if err := s.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if s.frozen() {
			return nil
		}
	}
	return errors.New("zktest: the server does not stop")
}

// frozen reads the state of the threads from /proc, where it is the field after
// the name in parentheses.
func (s *Server) frozen() bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", s.process.Pid))
	for _, file := range files {
		text, err := os.ReadFile(file)
		_, state, _ := bytes.Cut(text, []byte(") "))
		if err == nil && !bytes.HasPrefix(state, []byte("T")) {
			return false
		}
	}
	return true
}

// Resume lets a paused server go on.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) error {
	if s.process == nil {
		return errors.New("zktest: the server is stopped")
	}
	return s.process.Signal(sig)
}
