package process

import (
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

// executable is a copy of a module's file that nobody else can write to. It is
// what is hashed and what is started, however often.
type executable struct {
	path   string
	digest []byte // SHA-256
}

// copyExecutable copies the file into the folder. sha256 is the digest that it has
// to have, in hexadecimal; "" for any. The digest is that of the bytes copied: what
// happens to the file meanwhile, or later, does not matter.
func copyExecutable(file, folder, want string) (*executable, error) {
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
	e := &executable{path: filepath.Join(folder, filepath.Base(file))}
	to, err := os.OpenFile(e.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o500)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(to, hash), from)
	if err := errors.Join(err, to.Close()); err != nil {
		return nil, fmt.Errorf("copying %s: %w", file, err)
	}
	e.digest = hash.Sum(nil)
	if got := hex.EncodeToString(e.digest); want != "" && !strings.EqualFold(got, want) {
		return nil, fmt.Errorf("%s: its SHA-256 is %s, %s expected", file, got, want)
	}
	return e, nil
}

// verify tells whether the copy is still what it was. go-plugin's check keeps the
// state of its hash, so each start has a new one.
func (e *executable) verify() error {
	check := plugin.SecureConfig{Checksum: e.digest, Hash: sha256.New()}
	if same, err := check.Check(e.path); err != nil {
		return fmt.Errorf("checking its SHA-256: %w", err)
	} else if !same {
		return errors.New("the private copy of its file was changed: its SHA-256 is another")
	}
	return nil
}
