package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// What an error may be about, for errors.Is.
var (
	ErrNotFound  = errors.New("not found")                     // no such file, tag, digest or repository
	ErrDenied    = errors.New("the registry refuses access")   // wrong, missing or too weak credentials
	ErrChanged   = errors.New("the bytes are not as expected") // of another digest
	ErrMalformed = errors.New("not a policy artifact")         // another form, or beyond a limit
)

// Limits of what is read. That of a module is the store's.
const (
	// MaxModule is the size of a WASM module if nothing else is said, in bytes.
	MaxModule = 32 << 20
	// MaxProgram is the size of a module that is a process, with its files: executables
	// of Go have some 20 MB, those that carry an interpreter more.
	MaxProgram      = 512 << 20
	maxManifest     = 1 << 20  // of an artifact, and of a module
	maxIndex        = 4 << 20  // of a layout
	maxEnvelope     = 64 << 10 // of one signature
	maxSignatures   = 32
	maxVectors      = 16 << 20 // of all files together
	maxLayers       = 256
	signatureSuffix = ".sig"
)

// patience is how long a module may take to come, or to go.
const patience = 2 * time.Minute

// Store reaches the places where modules are kept. The zero value is of use.
type Store struct {
	// Dir is the folder that relative paths start from; "" is the working one.
	Dir string
	// MaxBytes bounds the size of a module; 0 is MaxModule, or MaxProgram.
	MaxBytes int64
	// PlainHTTP says whether registries are spoken to without TLS; nil is for those
	// on this machine alone, which are named localhost or have a loopback address.
	PlainHTTP *bool
	// DockerConfig is the file with the credentials of registries, in Docker's form;
	// "" is the user's own, if there is one.
	DockerConfig string
	// Cache is a folder that keeps what came from registries, so that what is asked
	// for by digest is there when they are not; "" keeps nothing. Nothing is deleted.
	Cache string
}

// Fetch returns the module at a reference. digest is that of the module, "" for
// any. A reference by tag is refused, since it may mean another module tomorrow:
// Resolve finds what it means today. files are those of a process that is a file
// itself; what comes from elsewhere brings its own.
func (s *Store) Fetch(ctx context.Context, ref Ref, digest string, files ...AttachmentRef) (*Module, error) {
	if digest != "" {
		if err := CheckDigest(digest); err != nil {
			return nil, err
		}
	}
	if !ref.Fixed() {
		return nil, fmt.Errorf("%s: expected a digest, …@sha256:…; a tag is resolved by pacer policy pull only", ref)
	}
	if len(files) > 0 && ref.Place != File {
		return nil, fmt.Errorf("%s: %w: what is not in a file has its files with it, and can be given none", ref, ErrMalformed)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m, err := s.fetch(ctx, ref, digest)
	if err == nil {
		err = s.readFiles(m, ref.Path, files)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, sorted(err))
	}
	if digest != "" && m.Digest != digest {
		return nil, fmt.Errorf("%s: %w", ref, changed(digest, m.Digest))
	}
	m.Ref = ref
	return m, nil
}

func changed(want, got string) error {
	return fmt.Errorf("%w: expected a module of digest %s, it is %s", ErrChanged, want, got)
}

// fetch looks into a file only if it has the digest; what comes from elsewhere has that
// of its reference.
func (s *Store) fetch(ctx context.Context, ref Ref, digest string) (*Module, error) {
	if ref.Place == File {
		return s.readFile(ref.in(s.Dir), digest)
	}
	from, done, err := s.source(ref)
	if err != nil {
		return nil, err
	}
	defer done()
	return s.unpack(ctx, from, ref.Digest)
}

// Resolve adds the digest that the tag of a reference stands for at the moment.
// A reference that has one, or needs none, is returned as it is.
func (s *Store) Resolve(ctx context.Context, ref Ref) (Ref, error) {
	if ref.Fixed() {
		return ref, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	from, done, err := s.source(ref)
	if err != nil {
		return Ref{}, fmt.Errorf("%s: %w", ref, sorted(err))
	}
	defer done()
	desc, err := from.Resolve(ctx, ref.Tag)
	if err != nil {
		return Ref{}, fmt.Errorf("%s: %w", ref, sorted(err))
	}
	ref.Digest = string(desc.Digest)
	return ref, CheckDigest(ref.Digest)
}

// source is a place that artifacts are read from.
type source interface {
	content.Resolver
	content.Fetcher
}

// source opens the place of a reference that is no file.
func (s *Store) source(ref Ref) (from source, done func(), err error) {
	if ref.Place == Registry {
		repo, err := s.repository(ref)
		if err != nil || s.Cache == "" {
			return repo, func() {}, err
		}
		kept, err := newCache(repo, s.Cache)
		return kept, func() {}, err
	}
	layout, err := openLayout(ref.in(s.Dir))
	if err != nil {
		return nil, nil, err
	}
	return layout, layout.close, nil
}

// maxBytes is the limit in force for a module that begins so.
func (s *Store) maxBytes(module []byte) int64 {
	switch {
	case s.MaxBytes > 0:
		return s.MaxBytes
	case isWASM(module):
		return MaxModule
	}
	return MaxProgram
}

// readLimited reads a regular file of bounded size from a folder.
func readLimited(fsys fs.FS, name string, limit int64) ([]byte, error) {
	// Opening a pipe would wait for its other end.
	if stat, err := fs.Stat(fsys, name); err != nil {
		return nil, err
	} else if !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrMalformed, name)
	}
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, tooLarge(name, limit)
	}
	return data, nil
}

func tooLarge(what string, limit int64) error {
	return fmt.Errorf("%w: %s is larger than %d bytes", ErrMalformed, what, limit)
}

// sorted puts errors of others under one of this package's, where one fits.
func sorted(err error) error {
	var response *errcode.ErrorResponse
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrDenied), errors.Is(err, ErrChanged), errors.Is(err, ErrMalformed):
		return err
	case errors.Is(err, errdef.ErrNotFound), errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case errors.Is(err, content.ErrMismatchedDigest), errors.Is(err, content.ErrTrailingData):
		return fmt.Errorf("%w: %w", ErrChanged, err)
	case errors.Is(err, auth.ErrBasicCredentialNotFound), errors.As(err, &response) && (response.StatusCode == 401 || response.StatusCode == 403):
		return fmt.Errorf("%w: %w", ErrDenied, err)
	}
	return err
}
