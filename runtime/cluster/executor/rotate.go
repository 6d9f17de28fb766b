package executor

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// rotateEvery is how often the sizes of a task's outputs are looked at.
const rotateEvery = time.Second

// outputs are the files that the task's output and error go to, by their names in the sandbox.
type outputs map[string]*os.File

// openOutputs opens both. They are appended to, so that a file cut to nothing is written on from its start.
func openOutputs(sandbox string) (outputs, error) {
	root, err := os.OpenRoot(sandbox)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files := outputs{}
	for _, name := range []string{"stdout", "stderr"} {
		f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			files.close()
			return nil, err
		}
		files[name] = f
	}
	return files, nil
}

func (o outputs) close() {
	for _, f := range o {
		_ = f.Close()
	}
}

// rotate bounds each file: one that has grown beyond limit bytes is copied to name.1, in place of the one before, and cut
// to nothing. What the task writes between the end of the copy and the cut is lost; the files stay the same for the task,
// which needs to know nothing of it.
func (o outputs) rotate(sandbox string, limit int64) {
	for name, f := range o {
		if info, err := f.Stat(); err == nil && info.Size() > limit {
			_ = rotateFile(sandbox, name, f) // tried again at the next look
		}
	}
}

// rotateFile goes through the root of the sandbox: the task may have put a link where the copy goes.
func rotateFile(sandbox, name string, f *os.File) error {
	root, err := os.OpenRoot(sandbox)
	if err != nil {
		return err
	}
	defer root.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := root.Remove(name + ".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	old, err := root.OpenFile(name+".1", os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	// To the very end: it may grow meanwhile.
	if _, err := io.Copy(old, io.NewSectionReader(f, 0, 1<<62)); err != nil {
		_ = old.Close()
		return err
	}
	if err := old.Close(); err != nil {
		return err
	}
	return f.Truncate(0)
}
