package fetcher

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// content is a whole file that is not in its place yet: a temporary one in the sandbox, or one of the cache.
type content struct {
	temp  string // empty for the cache's
	entry *entry
	size  int64
	perm  fs.FileMode // the source's; 0 = it has none
}

// open is for reading.
func (c *content) open(b *box) (*os.File, error) {
	if c.entry != nil {
		return os.Open(c.entry.path)
	}
	return b.root.Open(c.temp)
}

// place gives a content its name in the sandbox and unpacks it if that is asked for.
func (j *job) place(ctx context.Context, item Item, c *content) error {
	name, err := item.name()
	if err != nil {
		return err
	}
	name = path.Clean(name)
	form := formOf(name)
	if item.Executable || !item.Extract {
		form = plain
	}
	if form != plain {
		if err := j.unpack(ctx, form, name, c, j.f.cfg.Limits.within(item.Limits)); err != nil {
			return err
		}
		if c.entry != nil {
			return nil // as in Mesos: of what is cached only the contents are in the sandbox
		}
	}
	perm := plainPerm | c.perm&executablePerm
	if item.Executable {
		perm = executablePerm
	}
	if c.entry == nil {
		return j.box.rename(c.temp, name, perm)
	}
	return j.copyOut(name, perm, c)
}

// copyOut puts a copy of a cached file into the sandbox. It is no link: tasks may change what is theirs.
func (j *job) copyOut(name string, perm fs.FileMode, c *content) error {
	src, err := c.open(j.box)
	if err != nil {
		return err
	}
	defer src.Close()
	temp := j.box.tempName()
	dst, err := j.box.create(temp, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if shut := dst.Close(); err == nil {
		err = shut
	}
	if err != nil {
		return err
	}
	return j.box.rename(temp, name, perm)
}

// form is how a file is packed, by its name.
type form int

const (
	plain  form = iota
	packed      // an archive; which one its first bytes say
	gzipped
)

// formOf knows the endings that Mesos knows, in lower case as there.
func formOf(name string) form {
	for _, ending := range []string{".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip"} {
		if strings.HasSuffix(name, ending) {
			return packed
		}
	}
	if base := path.Base(name); strings.HasSuffix(base, ".gz") && base != ".gz" {
		return gzipped
	}
	return plain
}
