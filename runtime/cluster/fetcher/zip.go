package fetcher

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// A zip's directory is read as a whole before its first entry is seen. bytesPerEntry bounds what is read, and with it the
// memory for it, by the number of entries allowed.
const bytesPerEntry = 256

// maxTarget is longer than any path that a link can have.
const maxTarget = 4096

// unzip unpacks a zip.
func (u *unpacking) unzip(ctx context.Context, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	budget := &rationed{ReaderAt: file, left: int64(u.limits.Entries)*bytesPerEntry + 1<<17} // a comment is up to 64 KiB
	in, err := zip.NewReader(budget, info.Size())
	switch {
	case errors.Is(err, zip.ErrFormat):
		return errForm
	case err != nil && !errors.Is(err, zip.ErrInsecurePath): // each name is looked at below
		return damaged(err)
	}
	budget.left = -1
	for _, f := range in.File {
		if err := u.zipEntry(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacking) zipEntry(ctx context.Context, f *zip.File) error {
	name, err := u.admit(slashed(f.Name))
	if err != nil || name == "." {
		return err
	}
	perm := zipPerm(f)
	switch kind := f.Mode().Type(); {
	case kind == fs.ModeDir || strings.HasSuffix(f.Name, "/"):
		return u.mkdir(name, perm, f.Modified)
	case kind != 0 && kind != fs.ModeSymlink:
		return fmt.Errorf("archive entry %q is a device, a pipe or the like (%v), expected files, folders and links", f.Name, kind)
	case f.Flags&1 != 0:
		return fmt.Errorf("archive entry %q is encrypted", f.Name)
	}
	r, err := f.Open()
	if err != nil {
		return damaged(fmt.Errorf("%q: %w", f.Name, err))
	}
	defer r.Close()
	if f.Mode().Type() == fs.ModeSymlink {
		target, err := io.ReadAll(io.LimitReader(r, maxTarget+1))
		if err != nil {
			return damaged(err)
		}
		return u.box.symlink(string(target), name)
	}
	return u.write(name, perm, f.Modified, reading{ctx, r})
}

// zipPerm is 0644, or 0755 for a folder, in an archive made where files have no modes.
func zipPerm(f *zip.File) fs.FileMode {
	const unix, macOS = 3, 19
	if maker := f.CreatorVersion >> 8; (maker == unix || maker == macOS) && f.ExternalAttrs>>16 != 0 {
		return f.Mode().Perm()
	}
	if f.Mode().IsDir() {
		return dirPerm
	}
	return plainPerm
}

// slashed mends the names of archives from Windows, which some tools make with its separator.
func slashed(name string) string {
	if !strings.Contains(name, "/") {
		return strings.ReplaceAll(name, `\`, "/")
	}
	return name
}

// rationed reads so many bytes and no more; a negative number is no limit.
type rationed struct {
	io.ReaderAt
	left int64
}

func (r *rationed) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, off)
	if r.left < 0 {
		return n, err
	}
	if r.left -= int64(n); r.left < 0 {
		r.left = 0
		return 0, bombError("the list of its entries is too long")
	}
	return n, err
}
