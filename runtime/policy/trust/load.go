package trust

import (
	"context"
	"errors"
	"fmt"
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
	_, digest, err := v.pin(lock, w)
	if err != nil {
		return err
	}
	if digest != "" && digest != s.digest {
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
	ref, digest, err := v.pin(lock, w)
	if err != nil {
		return nil, err
	}
	m, err := store.Fetch(ctx, ref, digest)
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

// pin finds what to fetch, and the digest that it has to have.
func (v *Verifier) pin(lock *Lock, w Wanted) (artifact.Ref, string, error) {
	ref, err := artifact.ParseRef(w.Ref)
	if err != nil {
		return artifact.Ref{}, "", err
	}
	digest := w.Digest
	if digest != "" {
		if digest, err = artifact.ParseDigest(digest); err != nil {
			return artifact.Ref{}, "", fmt.Errorf("%s: %w", w.Ref, err)
		}
	}
	if locked, i := lock.Find(w.Ref); i >= 0 {
		if digest != "" && digest != locked.Digest {
			return artifact.Ref{}, "", fmt.Errorf("%s: %w to one value: the configuration says %s, %s says %s; pacer policy pull updates the latter",
				w.Ref, ErrPin, digest, LockFile, locked.Digest)
		}
		digest = locked.Digest
		if ref, err = artifact.ParseRef(locked.Resolved); err != nil {
			return artifact.Ref{}, "", err
		}
	}
	if digest == "" && w.Enforce && v.Required(w.Name) {
		return artifact.Ref{}, "", fmt.Errorf("%s: %w: where signatures are required, expected a digest in the configuration or in %s, which pacer policy pull writes",
			w.Ref, ErrPin, LockFile)
	}
	return ref, digest, nil
}
