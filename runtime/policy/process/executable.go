package process

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-plugin"
)

// private is a copy of a file that nobody else can write to. It is what is hashed and
// what is used, however often.
type private struct {
	path   string
	digest []byte // SHA-256
}

// copyAll makes copies of the module's executable, the first one, and of its files in
// the folder.
func copyAll(config *Config, folder string) ([]*private, error) {
	program, err := copyProgram(config, folder)
	if err != nil {
		return nil, err
	}
	all := []*private{program}
	for _, f := range config.Files {
		if !filepath.IsLocal(f.Name) {
			return nil, fmt.Errorf("file %q: a path below the module's folder expected", f.Name)
		}
		path := filepath.Join(folder, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("file %q: %w", f.Name, err)
		}
		copied, err := writePrivate(path, bytes.NewReader(f.Bytes), 0o400)
		if err != nil {
			return nil, fmt.Errorf("file %q: %w", f.Name, err)
		}
		all = append(all, copied)
	}
	return all, nil
}

// copyProgram makes the copy of the executable, and refuses one that has another digest
// than it has to have. The digest is that of the bytes copied: what happens to the file
// meanwhile, or later, does not matter.
func copyProgram(config *Config, folder string) (*private, error) {
	file := config.Command[0]
	path := filepath.Join(folder, filepath.Base(file))
	var copied *private
	var err error
	if config.Program != nil {
		copied, err = writePrivate(path, bytes.NewReader(config.Program), 0o500)
	} else {
		copied, err = copyExecutable(file, path)
	}
	if err != nil {
		return nil, err
	}
	if got := hex.EncodeToString(copied.digest); config.SHA256 != "" && !strings.EqualFold(got, config.SHA256) {
		return nil, fmt.Errorf("%s: its SHA-256 is %s, %s expected", file, got, config.SHA256)
	}
	return copied, nil
}

func copyExecutable(file, path string) (*private, error) {
	from, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	info, err := from.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return nil, fmt.Errorf("%s: an executable file expected", file)
	}
	copied, err := writePrivate(path, from, 0o500)
	if err != nil {
		return nil, fmt.Errorf("copying %s: %w", file, err)
	}
	return copied, nil
}

func writePrivate(path string, from io.Reader, mode os.FileMode) (*private, error) {
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(to, hash), from)
	return &private{path, hash.Sum(nil)}, errors.Join(err, to.Close())
}

// verify tells whether the copy is still what it was. go-plugin's check keeps the
// state of its hash, so each start has a new one.
func (p *private) verify() error {
	check := plugin.SecureConfig{Checksum: p.digest, Hash: sha256.New()}
	if same, err := check.Check(p.path); err != nil {
		return fmt.Errorf("checking its SHA-256: %w", err)
	} else if !same {
		return fmt.Errorf("the private copy of its file %s was changed: its SHA-256 is another", filepath.Base(p.path))
	}
	return nil
}
