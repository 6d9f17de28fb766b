package executor

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// order is a line that an agent sends to an executor.
type order struct {
	Kill bool `json:"kill"`
}

// socketAddr gives the control socket of dir a name short enough for a socket address (108 bytes) however deep dir is:
// through the descriptor of the opened folder. The folder must stay open while the address is used.
func socketAddr(dir *os.File) *net.UnixAddr {
	return &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), controlFile)}
}

// openFeed listens on the control socket of dir and calls kill for every order to kill.
func openFeed(dir string, kill func()) (*feed, error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("executor: open run folder: %w", err)
	}
	// The lock is held, so whatever socket file is there belongs to nobody.
	if err := os.Remove(filepath.Join(dir, controlFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("executor: remove old socket: %w", err)
	}
	listener, err := net.ListenUnix("unix", socketAddr(folder))
	if err != nil {
		return nil, fmt.Errorf("executor: listen: %w", err)
	}
	f := &feed{}
	f.changed = sync.NewCond(&f.mu)
	go func() {
		defer folder.Close()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go f.send(conn)
			go obey(conn, kill)
		}
	}()
	return f, nil
}

// add makes a record known to all readers. It is in the journal already: nobody learns what could be forgotten.
func (f *feed) add(rec Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records = append(f.records, rec)
	f.changed.Broadcast()
}

// send writes all records and then each new one, until the feed is closed or the reader is gone.
func (f *feed) send(conn net.Conn) {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		_ = conn.Close()
		return
	}
	f.readers.Add(1)
	f.mu.Unlock()
	defer f.readers.Done()
	defer func() { _ = conn.Close() }()
	out := json.NewEncoder(conn)
	for sent := 0; ; {
		f.mu.Lock()
		for sent == len(f.records) && !f.closed {
			f.changed.Wait()
		}
		batch := f.records[sent:]
		f.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, rec := range batch {
			if err := out.Encode(rec); err != nil {
				return
			}
		}
		sent += len(batch)
	}
}

// drain lets the readers have what is there; a reader that does not take it reads the journal instead.
func (f *feed) drain() {
	f.mu.Lock()
	f.closed = true
	f.changed.Broadcast()
	f.mu.Unlock()
	done := make(chan struct{})
	go func() { f.readers.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// obey takes orders from one connection until that ends. Any number of agents may give them.
func obey(conn net.Conn, kill func()) {
	in := json.NewDecoder(conn)
	for {
		var o order
		if err := in.Decode(&o); err != nil {
			return
		}
		if o.Kill {
			kill()
		}
	}
}

// takeLock takes the lock of a run folder. Agents fail at once when it is held; an executor waits, because an agent holds
// it only for the moment of looking at the journal.
func takeLock(dir string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("executor: open lock: %w", err)
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, fmt.Errorf("executor: run folder %s is in use: %w", dir, err)
	}
	return f, nil
}

// LookPath finds a program the way execvp does: by PATH of the environment given, unless the name has a slash.
// The error wraps exec.ErrNotFound.
func LookPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") || name == "" {
		return name, nil
	}
	for _, entry := range slices.Backward(env) { // the last one of a name is the one in force
		list, ok := strings.CutPrefix(entry, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(list) {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
				return path, nil
			}
		}
		break
	}
	return "", fmt.Errorf("%q: %w", name, exec.ErrNotFound)
}
