package artifact_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/artifact/artifacttest"
)

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.wasm")
	want := signed(t)
	want.Vectors = nil // files of their own
	if err := artifact.WriteFile(path, want); err != nil {
		t.Fatal(err)
	}
	want.Ref = parse(t, "file:%s", path)
	got, err := new(artifact.Store).Fetch(t.Context(), want.Ref, want.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// The signatures of what was there before are not those of what comes.
	want.Signatures = nil
	if err := artifact.WriteFile(path, want); err != nil {
		t.Fatal(err)
	}
	if got, err = new(artifact.Store).Fetch(t.Context(), want.Ref, ""); err != nil || got.Signatures != nil {
		t.Errorf("signatures %q, %v; want none", got.Signatures, err)
	}
}

// Bytes of another digest than the one that is asked for are not looked into.
func TestTheDigestComesFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.wasm")
	module := signed(t).Bytes
	write(t, path, bytes.Replace(module, []byte("spread"), []byte("\x01pread"), 1))
	ref := parse(t, "file:%s", path)
	expect(t, fetch(&artifact.Store{}, ref, ""), artifact.ErrMalformed)
	expect(t, fetch(&artifact.Store{}, ref, artifact.Digest(module)), artifact.ErrChanged, artifact.Digest(module))
}

func TestAFileThatChangesAfterwards(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.wasm")
	before := artifacttest.Module("spread", "1.0.0", "one")
	write(t, path, before)
	m, err := new(artifact.Store).Fetch(t.Context(), parse(t, "%s", path), "")
	if err != nil {
		t.Fatal(err)
	}
	// Both ways of changing a file: in place, and by another one.
	for _, swap := range []func() error{
		func() error { return os.WriteFile(path, artifacttest.Module("spread", "1.0.0", "two"), 0o644) },
		func() error { return errorsOf(os.Remove(path), os.WriteFile(path, []byte("evil"), 0o644)) },
	} {
		if err := swap(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m.Bytes, before) || artifact.Digest(m.Bytes) != m.Digest {
			t.Error("the bytes changed with the file")
		}
		expect(t, fetch(&artifact.Store{}, parse(t, "%s", path), m.Digest), artifact.ErrChanged, m.Digest)
	}
}

func errorsOf(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestFilesThatAreNotRead(t *testing.T) {
	dir := t.TempDir()
	module := filepath.Join(dir, "m.wasm")
	write(t, module, artifacttest.Bare())
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, fetch(&artifact.Store{}, parse(t, "%s/pipe", dir), ""), artifact.ErrMalformed, "not a regular file")
	expect(t, fetch(&artifact.Store{}, parse(t, "%s", dir), ""), artifact.ErrMalformed, "not a regular file")
	expect(t, fetch(&artifact.Store{MaxBytes: 7}, parse(t, "%s", module), ""), artifact.ErrMalformed, "larger than 7 bytes")
	expect(t, fetch(&artifact.Store{}, parse(t, "%s", module), "sha256:1"), nil, "64 lower-case")
	for content, want := range map[string]string{
		"{}\n{":                               "signature 2: expected a JSON object",
		strings.Repeat("{}\n", 33):            "up to 32 signatures",
		`"` + strings.Repeat("x", 70e3) + `"`: "signature 1 is larger than",
		strings.Repeat(" ", 3<<20):            "m.wasm.sig is larger than",
	} {
		write(t, module+".sig", []byte(content))
		expect(t, fetch(&artifact.Store{}, parse(t, "%s", module), ""), artifact.ErrMalformed, want)
	}
}

func TestWhatCannotBePushed(t *testing.T) {
	store := artifact.Store{MaxBytes: 200}
	layout := parse(t, "oci-layout:%s:1", t.TempDir())
	push := func(ref artifact.Ref, change func(*artifact.Module)) error {
		m := signed(t)
		change(m)
		_, err := store.Push(t.Context(), ref, m)
		return err
	}
	same := func(*artifact.Module) {}
	pinned := layout
	pinned.Digest = artifact.Digest(nil)
	expect(t, push(pinned, same), nil, "without a digest")
	expect(t, push(parse(t, "m.wasm"), same), nil, "expected oci://host/repository:tag")
	expect(t, push(layout, func(m *artifact.Module) { m.Bytes = []byte("text") }), artifact.ErrMalformed, "neither WASM nor an executable file")
	expect(t, push(layout, func(m *artifact.Module) { m.Files = []artifact.Attachment{{Name: "a"}} }), artifact.ErrMalformed, "a WASM module has no files")
	expect(t, push(layout, func(m *artifact.Module) { m.Bytes = append(artifacttest.Bare(), make([]byte, 200)...) }), artifact.ErrMalformed, "larger than 200")
	expect(t, push(layout, func(m *artifact.Module) { m.Signatures = make([][]byte, 33) }), artifact.ErrMalformed, "33 signatures")
	expect(t, push(layout, func(m *artifact.Module) { m.Vectors[0].Name = "a/b" }), nil, `title "a/b"`)
	expect(t, push(layout, func(m *artifact.Module) { m.Vectors[0].Name = "b.txt" }), artifact.ErrMalformed, "two files")
	expect(t, push(layout, func(m *artifact.Module) { m.Vectors[0].Bytes = make([]byte, 17<<20) }), artifact.ErrMalformed, "the vectors together")
}
