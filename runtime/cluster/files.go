package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// The files of a task are reached by the path of its run, in each form that a real agent takes:
//
//	<work_dir>/slaves/<agent>/frameworks/<framework>/executors/<executor>/runs/<container or latest>/…
//	/frameworks/<framework>/executors/<executor>/runs/<container or latest>/…
//
// Nothing outside of the run can be read, also not through links that the task made: every access goes through the root
// of the run.

// maxRead bounds one read of a file, in bytes: sixteen pages, as on a real agent.
const maxRead = 16 * 4096

// errNoFile and errInaccessible are what a path may lead to instead of a file.
var (
	errNoFile       = errors.New("no such file")
	errInaccessible = errors.New("is inaccessible")
	errDirectory    = errors.New("cannot read a directory")
)

// fileInfo is one entry of a folder, or a file.
type fileInfo struct {
	path string // in the form of the request
	fs.FileInfo
}

// runPath takes a path apart: the run's folder relative to the agent's, and what lies below it. The path may be relative
// to the agent's folder only.
func runPath(p string) (run, rest string, err error) {
	parts := strings.Split(strings.TrimPrefix(p, "/"), "/")
	if len(parts) < 6 || parts[0] != "frameworks" || parts[2] != "executors" || parts[4] != "runs" {
		return "", "", errNoFile
	}
	for _, name := range parts[:6] {
		if name == "" || name == "." || name == ".." {
			return "", "", errNoFile
		}
	}
	rest = path.Clean(strings.Join(parts[6:], "/"))
	if rest == ".." || strings.HasPrefix(rest, "../") {
		return "", "", errInaccessible
	}
	return filepath.Join(parts[:6]...), strings.TrimPrefix(rest, "/"), nil
}

// openRun finds the run that a path leads to on one of the agents, and returns its root with what lies below it. The
// caller closes the root.
func (c *Cluster) openRun(p string) (*os.Root, string, error) {
	var folders []string
	c.loop.do(func() {
		for _, h := range c.hosts {
			if h.dir != "" {
				folders = append(folders, filepath.Join(h.dir, "slaves", h.id))
			}
		}
	})
	for _, folder := range folders {
		below := p
		if inside, ok := strings.CutPrefix(p, folder+"/"); ok {
			below = inside
		}
		run, rest, err := runPath(below)
		if errors.Is(err, errInaccessible) {
			return nil, "", err
		}
		if err != nil {
			continue
		}
		if root, err := os.OpenRoot(filepath.Join(folder, run)); err == nil {
			return root, rest, nil
		}
	}
	return nil, "", errNoFile
}

// openFile opens what a path leads to. It never waits: a pipe is opened without anybody at its other end.
func (c *Cluster) openFile(p string) (*os.File, fs.FileInfo, error) {
	root, rest, err := c.openRun(p)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	f, err := root.OpenFile(rest, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, accessError(err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, nil, accessError(err)
	}
	return f, info, nil
}

// accessError tells a path that leads out of the run, or must not be read, from one that leads nowhere.
func accessError(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) {
		return errNoFile
	}
	return errInaccessible
}

// listFiles returns what a folder holds, sorted by name; nothing for a file.
func (c *Cluster) listFiles(p string) ([]fileInfo, error) {
	f, info, err := c.openFile(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !info.IsDir() {
		return nil, nil
	}
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, errInaccessible
	}
	var out []fileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // gone meanwhile otherwise
			out = append(out, fileInfo{strings.TrimRight(p, "/") + "/" + e.Name(), info})
		}
	}
	return sortedFiles(out), nil
}

// readFile returns at most length bytes from offset on, and the file's size. length below 0 means the rest.
func (c *Cluster) readFile(p string, offset, length int64) (data []byte, size int64, err error) {
	f, info, err := c.openFile(p)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	switch {
	case info.IsDir():
		return nil, 0, errDirectory
	case !info.Mode().IsRegular():
		return nil, 0, errInaccessible
	}
	size = info.Size()
	if offset < 0 || offset >= size {
		return nil, size, nil
	}
	if rest := size - offset; length < 0 || length > rest {
		length = rest
	}
	data = make([]byte, min(length, maxRead))
	n, err := f.ReadAt(data, offset)
	if n == 0 && err != nil && len(data) > 0 {
		return nil, 0, fmt.Errorf("read: %w", err)
	}
	return data[:n], size, nil
}
