package artifact_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
)

// pushed is a folder that holds the module, and the reference to it.
func pushed(t *testing.T) (string, artifact.Ref) {
	t.Helper()
	dir := t.TempDir()
	ref, err := new(artifact.Store).Push(t.Context(), parse(t, "oci-layout:%s:1", dir), signed(t))
	if err != nil {
		t.Fatal(err)
	}
	return dir, ref
}

// blobFile is where a folder keeps what has that digest.
func blobFile(dir, digest string) string {
	return filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
}

// replace writes over a file, whatever its mode.
func replace(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, data)
}

func TestAFolderThatWasChanged(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, dir string, ref artifact.Ref){
		"the module": func(t *testing.T, dir string, _ artifact.Ref) {
			data := []byte(strings.Repeat("x", len(signed(t).Bytes)))
			replace(t, blobFile(dir, signed(t).Digest), data)
		},
		"the manifest": func(t *testing.T, dir string, ref artifact.Ref) {
			data, err := os.ReadFile(blobFile(dir, ref.Digest))
			if err != nil {
				t.Fatal(err)
			}
			replace(t, blobFile(dir, ref.Digest), []byte(strings.Replace(string(data), "spread", "spreaD", 1)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, ref := pushed(t)
			change(t, dir, ref)
			expect(t, fetch(&artifact.Store{}, ref, ""), artifact.ErrChanged)
		})
	}
}

func TestLinksOutOfAFolderAreNotFollowed(t *testing.T) {
	dir, ref := pushed(t)
	m := signed(t)
	outside := filepath.Join(t.TempDir(), "module")
	write(t, outside, m.Bytes)
	if err := os.Remove(blobFile(dir, m.Digest)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, blobFile(dir, m.Digest)); err != nil {
		t.Fatal(err)
	}
	expect(t, fetch(&artifact.Store{}, ref, ""), nil, "escapes")
}

func TestFoldersThatAreNoLayout(t *testing.T) {
	for name, c := range map[string]struct{ file, content, want string }{
		"another version":      {"oci-layout", `{"imageLayoutVersion":"9"}`, `"9", expected "1.0.0"`},
		"no JSON":              {"oci-layout", `x`, "oci-layout"},
		"an index of no JSON":  {"index.json", `[`, "index.json"},
		"an index of 5 MB":     {"index.json", strings.Repeat(" ", 5<<20), "larger than"},
		"a tag that is a path": {"index.json", fmt.Sprintf(`{"manifests":[{"digest":"sha256:../../x","size":2,"annotations":{"org.opencontainers.image.ref.name":%q}}]}`, "1"), "64 lower-case"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, ref := pushed(t)
			replace(t, filepath.Join(dir, c.file), []byte(c.content))
			ref.Digest = ""
			_, err := new(artifact.Store).Resolve(t.Context(), ref)
			expect(t, err, nil, c.want)
		})
	}
	_, err := new(artifact.Store).Resolve(t.Context(), parse(t, "oci-layout:%s:1", t.TempDir()))
	expect(t, err, artifact.ErrMalformed, "expected an OCI image layout")
}

func TestRelativePathsStartFromTheStoresFolder(t *testing.T) {
	dir, ref := pushed(t)
	write(t, filepath.Join(dir, "m.wasm"), signed(t).Bytes)
	store := artifact.Store{Dir: filepath.Dir(dir)}
	ref.Path = filepath.Base(dir)
	if err := fetch(&store, ref, ""); err != nil {
		t.Error(err)
	}
	if err := fetch(&store, parse(t, "%s/m.wasm", filepath.Base(dir)), signed(t).Digest); err != nil {
		t.Error(err)
	}
}
