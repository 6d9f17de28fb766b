package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// medium is where a log is kept. Tests have one that loses power.
type medium interface {
	// Read returns all that is there; fs.ErrNotExist if nothing ever was.
	Read() ([]byte, error)
	// Open makes the file, or one of another size, a file of size bytes with room
	// for all of them, durably. What it holds then is anything, also after a failure.
	Open(size int64) (logFile, error)
}

// logFile is an open log. Its size does not change any more.
type logFile interface {
	io.WriterAt
	io.Closer
	// Sync returns when all that was written before is durable. After a failure
	// nobody knows what is, and a second try would not tell.
	Sync() error
}

// disk is the medium of a file at that path.
type disk string

func (d disk) Read() ([]byte, error) { return os.ReadFile(string(d)) }

func (d disk) Open(size int64) (logFile, error) {
	f, err := os.OpenFile(string(d), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() != size {
		err = d.fill(f, size)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preparing a file of %d bytes: %w", size, err), f.Close())
	}
	return diskFile{f}, nil
}

// fill writes zeros all over. Space that is only reserved is not enough: the first
// write into it changes what the file system notes of the file, and a sync has to
// wait for those notes as well.
func (d disk) fill(f *os.File, size int64) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(string(d)))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

type diskFile struct{ *os.File }

// Sync makes the content durable and leaves the file's times for later.
func (f diskFile) Sync() error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); !errors.Is(err, syscall.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
