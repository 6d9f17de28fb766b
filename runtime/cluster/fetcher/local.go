package fetcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// local reads files of this machine, as the owner of the sandbox would.
type local struct{ deny bool }

func (l *local) open(_ context.Context, req request) (*blob, error) {
	if l.deny {
		return nil, errors.New("files of the machine are not allowed here")
	}
	path := req.uri
	if scheme(path) != "" {
		path = path[len("file://"):]
		path = strings.TrimPrefix(path, "localhost")
	}
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("%q is a relative path, expected an absolute one", path)
	}
	file, err := openAs(req.owner, path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file but %v", path, info.Mode().Type())
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &blob{ReadCloser: file, size: info.Size(), perm: info.Mode().Perm()}, nil
}

// openAs opens a file with the rights of an account. Root's own would let every task read everything.
func openAs(owner *Owner, path string) (*os.File, error) {
	const flags = os.O_RDONLY | syscall.O_NONBLOCK // a pipe must not make us wait for its writer
	if owner == nil || os.Geteuid() != 0 || owner.UID == 0 {
		return os.OpenFile(path, flags, 0)
	}
	type result struct {
		file *os.File
		err  error
	}
	done := make(chan result)
	go func() {
		// The thread takes on the account and ends with the goroutine, since it is never unlocked.
		runtime.LockOSThread()
		err := become(owner)
		if err != nil {
			done <- result{err: fmt.Errorf("become %q: %w", owner.User, err)}
			return
		}
		file, err := os.OpenFile(path, flags, 0)
		done <- result{file, err}
	}()
	got := <-done
	return got.file, got.err
}

// become gives this thread alone the rights of an account in file systems. Package syscall would change all threads.
func become(owner *Owner) error {
	groups := append([]uint32{owner.GID}, owner.Groups...)
	if _, _, e := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(&groups[0])), 0); e != 0 {
		return e
	}
	for _, set := range []struct {
		call func(int) (int, error)
		id   uint32
	}{{unix.SetfsgidRetGid, owner.GID}, {unix.SetfsuidRetUid, owner.UID}} {
		if _, err := set.call(int(set.id)); err != nil {
			return err
		}
		// The call tells of no failure; asked with a wrong id, it returns the one in force.
		if now, _ := set.call(-1); now != int(set.id) {
			return fmt.Errorf("the system did not allow it")
		}
	}
	return nil
}
