package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
)

// LockFile is what the lock file is called, beside policies.yaml.
const LockFile = "policies.lock"

// Lock is the lock file: what the references in policies.yaml stood for when
// `pacer policy pull` last looked. Nothing else writes it. It is JSON, and belongs
// under version control.
type Lock struct {
	// Format is the form of the file, 1.
	Format  int      `json:"format"`
	Modules []Locked `json:"modules"` // sorted by reference
}

// Locked is one module.
type Locked struct {
	// Ref is the reference as it is in policies.yaml.
	Ref string `json:"ref"`
	// Resolved is Ref with the digest of the artifact's manifest: what is fetched.
	Resolved string `json:"resolved"`
	// Digest is sha256:… of the module's bytes.
	Digest string `json:"digest"`
	// Files are the digests of the files of a process, by their names.
	Files map[string]string `json:"files,omitempty"`
	// Name and Version are the module's, "" for one without a manifest.
	Name    string `json:"name"`
	Version string `json:"version"`
	// Signers are those trusted then who had signed it, for people: whoever loads it
	// verifies the signatures again.
	Signers []Signer `json:"signers"`
}

const (
	lockFormat = 1
	maxLock    = 4 << 20 // bytes
)

// ReadLock reads a lock file. One that is not there is an error (os.ErrNotExist).
func ReadLock(path string) (*Lock, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxLock+1))
	if err != nil {
		return nil, err
	}
	l, err := parseLock(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

func parseLock(data []byte) (*Lock, error) {
	if len(data) > maxLock {
		return nil, fmt.Errorf("larger than %d bytes", maxLock)
	}
	var l Lock
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return nil, fmt.Errorf("expected what pacer policy pull writes: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("expected one JSON object and nothing after it")
	}
	if l.Format != lockFormat {
		return nil, fmt.Errorf("format: %d, expected %d", l.Format, lockFormat)
	}
	for i, m := range l.Modules {
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("modules[%d].%w", i, err)
		}
		if _, first := l.Find(m.Ref); first != i {
			return nil, fmt.Errorf("modules[%d].ref: %q is that of modules[%d] already", i, m.Ref, first)
		}
	}
	return &l, nil
}

// check refuses an entry that cannot be used.
func (m Locked) check() error {
	ref, err := artifact.ParseRef(m.Ref)
	if err != nil {
		return fmt.Errorf("ref: %w", err)
	}
	resolved, err := artifact.ParseRef(m.Resolved)
	if err != nil {
		return fmt.Errorf("resolved: %w", err)
	}
	if !resolved.Fixed() {
		return fmt.Errorf("resolved: %q, expected a reference with a digest", m.Resolved)
	}
	if ref.Digest == "" {
		ref.Digest = resolved.Digest
	}
	if ref != resolved {
		return fmt.Errorf("resolved: %q, expected %q with a digest added", m.Resolved, m.Ref)
	}
	if err := artifact.CheckDigest(m.Digest); err != nil {
		return fmt.Errorf("digest: %w", err)
	}
	for name, digest := range m.Files {
		if err := errors.Join(artifact.CheckFileName(name), artifact.CheckDigest(digest)); err != nil {
			return fmt.Errorf("files: %w", err)
		}
	}
	return nil
}

// Find returns the entry of a reference and its place; -1 for none. A nil lock has
// no entries.
func (l *Lock) Find(ref string) (Locked, int) {
	if l == nil {
		return Locked{}, -1
	}
	if i := slices.IndexFunc(l.Modules, func(m Locked) bool { return m.Ref == ref }); i >= 0 {
		return l.Modules[i], i
	}
	return Locked{}, -1
}

// Put adds an entry, or replaces that of the same reference.
func (l *Lock) Put(m Locked) {
	if m.Signers == nil {
		m.Signers = []Signer{}
	}
	if _, i := l.Find(m.Ref); i >= 0 {
		l.Modules[i] = m
		return
	}
	l.Modules = append(l.Modules, m)
	slices.SortFunc(l.Modules, func(a, b Locked) int { return strings.Compare(a.Ref, b.Ref) })
}

// Keep drops the entries of all other references.
func (l *Lock) Keep(refs []string) {
	l.Modules = slices.DeleteFunc(l.Modules, func(m Locked) bool { return !slices.Contains(refs, m.Ref) })
}

// Write writes the file, whole or not at all.
func (l *Lock) Write(path string) error {
	out := Lock{Format: lockFormat, Modules: l.Modules}
	if out.Modules == nil {
		out.Modules = []Locked{}
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	return artifact.WriteAtomically(path, append(data, '\n'), 0o644)
}
