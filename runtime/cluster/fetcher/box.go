package fetcher

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// box writes into a sandbox, and nowhere else.
//
// os.Root alone keeps every access inside. On top of that no name is resolved through a link, so that a link made by an
// archive never decides where another file lands, and links themselves stay inside for whoever follows them later: see
// checkTarget.
type box struct {
	root  *os.Root
	owner *Owner
	temps atomic.Int64
}

const (
	plainPerm      = 0o644
	executablePerm = 0o755
	dirPerm        = 0o755
	tempPrefix     = ".fetch-"
)

func openBox(sandbox string, owner *Owner) (*box, error) {
	root, err := os.OpenRoot(sandbox)
	if err != nil {
		return nil, fmt.Errorf("fetcher: open sandbox: %w", err)
	}
	return &box{root: root, owner: owner}, nil
}

// close removes the temporary files that were not put in place.
func (b *box) close() {
	for n := range b.temps.Load() {
		_ = b.root.Remove(tempPrefix + strconv.FormatInt(n+1, 10)) // most are in their place
	}
	_ = b.root.Close()
}

// tempName is a name in the sandbox of a file that is not whole yet.
func (b *box) tempName() string { return tempPrefix + strconv.FormatInt(b.temps.Add(1), 10) }

// parents makes the folders above name. What is there and is no folder, a link to one included, is an error.
func (b *box) parents(name string) error {
	for i, c := range name {
		if c == '/' {
			if err := b.mkdir(name[:i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// mkdir makes one folder unless it is there.
func (b *box) mkdir(name string) error {
	err := b.root.Mkdir(name, dirPerm)
	if errors.Is(err, fs.ErrExist) {
		info, err := b.root.Lstat(name)
		switch {
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%q is a link, expected a folder: nothing is written through links", name)
		case !info.IsDir():
			return fmt.Errorf("%q is a file, expected a folder", name)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if err := b.root.Chmod(name, dirPerm); err != nil { // whatever the umask is
		return err
	}
	return b.own(name)
}

// clear makes room for a file: its folders are there, and nothing has its name.
func (b *box) clear(name string) error {
	if err := b.parents(name); err != nil {
		return err
	}
	info, err := b.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%q is a folder, expected none of this name", name)
	}
	return b.root.Remove(name)
}

// create makes a new file in the place of what had its name. The file is nobody else's yet, so links are no concern.
func (b *box) create(name string, perm fs.FileMode) (*os.File, error) {
	if err := b.clear(name); err != nil {
		return nil, err
	}
	file, err := b.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	err = file.Chmod(perm)
	if err == nil && b.owner != nil {
		err = file.Chown(int(b.owner.UID), int(b.owner.GID))
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// rename puts a whole file in its place.
func (b *box) rename(temp, name string, perm fs.FileMode) error {
	if err := b.clear(name); err != nil {
		return err
	}
	if err := b.root.Chmod(temp, perm); err != nil {
		return err
	}
	return b.root.Rename(temp, name)
}

// symlink makes a link that leads nowhere outside.
func (b *box) symlink(target, name string) error {
	if err := checkTarget(target, name); err != nil {
		return err
	}
	if err := b.clear(name); err != nil {
		return err
	}
	if err := b.root.Symlink(target, name); err != nil {
		return err
	}
	return b.own(name)
}

// checkTarget refuses targets that are absolute, that climb higher than name is deep, or that climb after they went down.
// The last rule is what makes the others enough: the folders of name are real ones, so climbing from there is counted
// right, and going down is through real folders or links of the same kind.
func checkTarget(target, name string) error {
	depth, down := strings.Count(name, "/"), false
	if target == "" || strings.HasPrefix(target, "/") {
		return fmt.Errorf("archive entry %q: its link to %q leaves the sandbox", name, target)
	}
	for element := range strings.SplitSeq(target, "/") {
		switch element {
		case "", ".":
		case "..":
			if depth--; depth < 0 || down {
				return fmt.Errorf("archive entry %q: its link to %q leaves the sandbox", name, target)
			}
		default:
			down = true
		}
	}
	return nil
}

// hardlink gives a file that is there a second name. A link to a link could stand where it leads outside.
func (b *box) hardlink(target, name string) error {
	for i, c := range target {
		if c == '/' {
			info, err := b.root.Lstat(target[:i])
			if err != nil {
				return err
			}
			if !info.IsDir() {
				return fmt.Errorf("archive entry %q: its link to %q leads through %q, which is no folder", name, target, target[:i])
			}
		}
	}
	info, err := b.root.Lstat(target)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("archive entry %q: its link leads to %q, expected a file", name, target)
	case path.Clean(name) == target:
		return nil
	}
	if err := b.clear(name); err != nil {
		return err
	}
	return b.root.Link(target, name)
}

// finishDir gives a folder its mode and time when all is in it. It stays writable for its owner, who has to remove it.
func (b *box) finishDir(name string, perm fs.FileMode, mtime time.Time) error {
	info, err := b.root.Lstat(name)
	if err != nil || !info.IsDir() {
		return err
	}
	if err := b.root.Chmod(name, perm|0o700); err != nil {
		return err
	}
	return b.touch(name, mtime)
}

// touch sets the time of a file or folder; zero and what no file system can hold leave it as it is.
func (b *box) touch(name string, mtime time.Time) error {
	if seconds := mtime.Unix(); seconds <= 0 || seconds > 1<<33 {
		return nil
	}
	return b.root.Chtimes(name, mtime, mtime)
}

// own gives a folder or link to the owner.
func (b *box) own(name string) error {
	if b.owner == nil {
		return nil
	}
	return b.root.Lchown(name, int(b.owner.UID), int(b.owner.GID))
}
