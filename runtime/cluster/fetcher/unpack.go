package fetcher

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/therootcompany/xz"
)

// unpacking is an archive on its way into a sandbox.
type unpacking struct {
	box    *box
	limits Limits
	stream meter // bytes that decompression makes
	files  meter // bytes of files: more than the stream for sparse ones
	seen   int   // entries
	dirs   []dir // whose modes and times come last, since writing into them changes both
}

type dir struct {
	name  string
	perm  fs.FileMode
	mtime time.Time
}

// maxDictionary is the memory that an xz file may ask for: as much as xz -9 asks for.
const maxDictionary = 64 << 20

// tarBlock is the size of the smallest tar with anything in it.
const tarBlock = 512

var errForm = errors.New("not an archive: expected tar, plain or in gzip, bzip2 or xz, or zip")

// unpack unpacks a content into the sandbox. Its name says only that it is packed.
func (j *job) unpack(ctx context.Context, f form, name string, c *content, limits Limits) error {
	file, err := c.open(j.box)
	if err != nil {
		return err
	}
	defer file.Close()
	m := meter{limit: limits.Unpacked, ratio: limits.Ratio, from: limits.RatioFrom, packed: c.size}
	u := &unpacking{box: j.box, limits: limits, stream: m, files: m}
	if f == gzipped {
		return u.gunzip(ctx, file, strings.TrimSuffix(name, ".gz"))
	}
	return u.archive(ctx, file)
}

// gunzip makes one file of another.
func (u *unpacking) gunzip(ctx context.Context, file *os.File, name string) error {
	r, err := gzip.NewReader(bufio.NewReader(file))
	if err != nil {
		return fmt.Errorf("not a gzip file: %w", err)
	}
	return u.write(name, plainPerm, time.Time{}, reading{ctx, r})
}

// archive tells the kinds of archives apart by their first bytes, as libarchive does for Mesos.
func (u *unpacking) archive(ctx context.Context, file *os.File) error {
	in := bufio.NewReaderSize(file, bufferSize)
	start, err := in.Peek(tarBlock)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	magic := func(text string) bool { return bytes.HasPrefix(start, []byte(text)) }
	var r io.Reader = in
	switch {
	case magic("PK"):
		err = u.unzip(ctx, file)
		return errors.Join(err, u.finish())
	case magic("\x1f\x8b"):
		r, err = gzip.NewReader(in)
	case magic("BZh"):
		r, err = bzip2.NewReader(in), nil
	case magic("\xfd7zXZ\x00"):
		var plain *xz.Reader
		plain, err = xz.NewReader(in, maxDictionary)
		r = guarded{plain}
	case err != nil && len(start) > 0:
		return errForm
	default:
		err = nil
	}
	if err != nil {
		return fmt.Errorf("damaged archive: %w", err)
	}
	err = u.untar(reading{ctx, metered{r, &u.stream}})
	return errors.Join(err, u.finish())
}

// untar also reads what follows the archive, so that checksums at the end of the compressed stream count.
func (u *unpacking) untar(r io.Reader) error {
	in := tar.NewReader(r)
	for {
		h, err := in.Next()
		switch {
		case errors.Is(err, io.EOF):
			if _, err := io.Copy(io.Discard, r); err != nil {
				return damaged(err)
			}
			return nil
		case errors.Is(err, tar.ErrHeader) && u.seen == 0:
			return errForm
		case err != nil:
			return damaged(err)
		}
		if err := u.tarEntry(in, h); err != nil {
			return err
		}
	}
}

func (u *unpacking) tarEntry(in *tar.Reader, h *tar.Header) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := u.admit(h.Name)
	if err != nil || name == "." {
		return err
	}
	perm := fs.FileMode(h.Mode) & fs.ModePerm
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		return u.write(name, perm, h.ModTime, in)
	case tar.TypeDir:
		return u.mkdir(name, perm, h.ModTime)
	case tar.TypeSymlink:
		return u.box.symlink(h.Linkname, name)
	case tar.TypeLink:
		target, err := u.inside(h.Linkname)
		if err != nil {
			return err
		}
		return u.box.hardlink(target, name)
	default:
		return fmt.Errorf("archive entry %q is a device, a pipe or the like (type %q), expected files, folders and links", h.Name, h.Typeflag)
	}
}

// admit counts an entry and makes a path in the sandbox of its name, "." for the sandbox itself.
func (u *unpacking) admit(name string) (string, error) {
	if u.seen++; u.seen > u.limits.Entries {
		return "", fmt.Errorf("archive bomb: more than %d entries", u.limits.Entries)
	}
	return u.inside(name)
}

// inside cleans a name, which no part of may climb.
func (u *unpacking) inside(name string) (string, error) {
	if strings.HasPrefix(name, "/") || slices.Contains(strings.Split(name, "/"), "..") {
		return "", fmt.Errorf("archive entry %q leaves the sandbox", name)
	}
	if strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("archive entry %q has a NUL in its name", name)
	}
	name = path.Clean(name)
	if depth := strings.Count(name, "/") + 1; depth > u.limits.Depth {
		return "", fmt.Errorf("archive bomb: an entry is %d folders deep, expected %d at the most", depth, u.limits.Depth)
	}
	return name, nil
}

// write makes a file of what r has. What is not whole does not stay.
func (u *unpacking) write(name string, perm fs.FileMode, mtime time.Time, r io.Reader) error {
	file, err := u.box.create(name, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(onlyWriter{file}, metered{r, &u.files})
	if shut := file.Close(); err == nil && shut != nil {
		err = shut
	}
	if err != nil {
		_ = u.box.root.Remove(name) // the first error counts
		return damaged(err)
	}
	return u.box.touch(name, mtime)
}

func (u *unpacking) mkdir(name string, perm fs.FileMode, mtime time.Time) error {
	if err := u.box.parents(name + "/"); err != nil {
		return err
	}
	u.dirs = append(u.dirs, dir{name, perm, mtime})
	return nil
}

// finish gives folders their modes and times, the deepest first.
func (u *unpacking) finish() error {
	slices.Reverse(u.dirs)
	for _, d := range u.dirs {
		if err := u.box.finishDir(d.name, d.perm, d.mtime); err != nil {
			return err
		}
	}
	return nil
}

// damaged says so of faults that are the archive's.
func damaged(err error) error {
	var disk *fs.PathError
	if errors.As(err, &disk) || errors.As(err, new(bombError)) {
		return err
	}
	return fmt.Errorf("damaged archive: %w", err)
}
