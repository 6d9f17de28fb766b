package trust

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
)

// ErrPin is about a digest that is missing, or that differs from the other one.
var ErrPin = errors.New("the digest is not pinned")

// Wanted is a module that policies.yaml lists.
type Wanted struct {
	// Name is what the operator calls it, "" for nothing.
	Name string
	// Ref is the reference as it is written there.
	Ref string
	// Digest is the digest of the module that is pinned there, "" for none. The prefix
	// sha256: may be left out.
	Digest string
	// Files are those of a process that is a file itself.
	Files []artifact.AttachmentRef
	// Enforce says that its answers count, as they do not in the shadow. Where
	// signatures are required, such a module has to be pinned, there or in the lock.
	Enforce bool
}

// Trusted is a module that may be loaded.
type Trusted struct {
	*artifact.Module
	Signers []Signer // may be empty where signatures are not required
	Seal    Seal     // of the module
}

// Admit tells whether what was loaded may be used as w says at this moment: whether it
// is pinned where it has to be, and signed by those who have to. Its bytes are not
// looked at again.
func (v *Verifier) Admit(lock *Lock, w Wanted, s Seal, now time.Time) error {
	w, _, err := v.pin(lock, w)
	if err != nil {
		return err
	}
	for _, f := range w.Files {
		if f.Digest != "" && f.Digest != s.files[f.Name] {
			return fmt.Errorf("%s: file %s: %w: expected one of digest %s, it is %s", w.Ref, f.Name, artifact.ErrChanged, f.Digest, s.files[f.Name])
		}
	}
	if digest := w.Digest; digest != "" && digest != s.digest {
		return fmt.Errorf("%s: %w: expected a module of digest %s, it is %s", w.Ref, artifact.ErrChanged, digest, s.digest)
	}
	if _, err := v.verify(w.Name, s, now); err != nil {
		return fmt.Errorf("%s: %w", w.Ref, err)
	}
	return nil
}

// Load fetches a module and verifies it. What it returns are the very bytes that
// were verified; they are what has to be compiled. lock is nil for none.
func (v *Verifier) Load(ctx context.Context, store *artifact.Store, lock *Lock, w Wanted, now time.Time) (*Trusted, error) {
	w, ref, err := v.pin(lock, w)
	if err != nil {
		return nil, err
	}
	m, err := store.Fetch(ctx, ref, w.Digest, w.Files...)
	if err != nil {
		return nil, err
	}
	seal := SealOf(m)
	signers, err := v.verify(w.Name, seal, now)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", ref, m, err)
	}
	return &Trusted{m, signers, seal}, nil
}

// pin finds what to fetch, and adds the digests that it has to have.
func (v *Verifier) pin(lock *Lock, w Wanted) (Wanted, artifact.Ref, error) {
	ref, err := artifact.ParseRef(w.Ref)
	if err != nil {
		return w, ref, err
	}
	locked, place := lock.Find(w.Ref)
	if place >= 0 {
		if ref, err = artifact.ParseRef(locked.Resolved); err != nil {
			return w, ref, err
		}
	}
	pinned := w.Enforce && v.Required(w.Name)
	if w.Digest, err = agreed(w.Ref, w.Digest, locked.Digest, pinned); err != nil {
		return w, ref, err
	}
	w.Files = slices.Clone(w.Files)
	for i, f := range w.Files {
		if w.Files[i].Digest, err = agreed(w.Ref+": file "+f.Name, f.Digest, locked.Files[f.Name], pinned); err != nil {
			return w, ref, err
		}
	}
	return w, ref, nil
}

// agreed is the digest of something by the configuration or the lock, "" for none.
func agreed(what, configured, locked string, pinned bool) (string, error) {
	if configured != "" {
		var err error
		if configured, err = artifact.ParseDigest(configured); err != nil {
			return "", fmt.Errorf("%s: %w", what, err)
		}
	}
	switch {
	case configured != "" && locked != "" && configured != locked:
		return "", fmt.Errorf("%s: %w to one value: the configuration says %s, %s says %s; pacer policy pull updates the latter",
			what, ErrPin, configured, LockFile, locked)
	case configured == "" && locked == "" && pinned:
		return "", fmt.Errorf("%s: %w: where signatures are required, expected a digest in the configuration or in %s, which pacer policy pull writes",
			what, ErrPin, LockFile)
	}
	return cmp.Or(configured, locked), nil
}
