package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// sink is a file of the sandbox that this process writes for a container. It is bounded like the output of a process, and
// knows how much was written before, so that nothing is written twice after a restart.
type sink struct {
	root    *os.Root // the sandbox
	name    string
	counter string // file with the bytes that were moved away
	limit   int64  // 0 or less: none
	file    *os.File
	size    int64
	total   int64 // bytes written in all
}

// openSink opens the file, which the task may have put a link in the place of: hence the root.
func openSink(sandbox, folder, name string, limit int64) (*sink, error) {
	root, err := os.OpenRoot(sandbox)
	if err != nil {
		return nil, err
	}
	s := &sink{root: root, name: name, counter: filepath.Join(folder, name+".moved"), limit: limit}
	if err := s.open(); err != nil {
		_ = root.Close()
		return nil, err
	}
	moved, _ := os.ReadFile(s.counter) // there is none before the first move
	n, _ := strconv.ParseInt(strings.TrimSpace(string(moved)), 10, 64)
	s.total = n + s.size
	return s, nil
}

func (s *sink) open() error {
	f, err := s.root.OpenFile(s.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return err
	}
	s.file, s.size = f, info.Size()
	return nil
}

// Write appends, and moves the file away when it has grown beyond the limit.
func (s *sink) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.size += int64(n)
	s.total += int64(n)
	if err == nil && s.limit > 0 && s.size > s.limit {
		err = s.move()
	}
	return n, err
}

// move makes name.1 of the file. The count comes after it: a crash between them repeats output rather than losing it.
func (s *sink) move() error {
	if err := s.file.Close(); err != nil {
		return err
	}
	if err := s.root.Remove(s.name + ".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.root.Rename(s.name, s.name+".1"); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	return writeWhole(s.counter, fmt.Append(nil, s.total-s.size))
}

// Close closes the file.
func (s *sink) Close() {
	_ = s.file.Close()
	_ = s.root.Close()
}
