package artifact_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/artifact/artifacttest"
)

func TestWhatWasFetchedIsThereWithoutTheRegistry(t *testing.T) {
	reg := artifacttest.NewRegistry(t)
	store := artifact.Store{Cache: filepath.Join(t.TempDir(), "cache")}
	want := signed(t)
	ref, err := store.Push(t.Context(), parse(t, "oci://%s/p:1", reg.Host), want)
	if err != nil {
		t.Fatal(err)
	}
	want.Ref = ref
	if err := fetch(&store, ref, ""); err != nil {
		t.Fatal(err)
	}
	gone := func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusGone)
		return true
	}
	reg.Answer(gone)
	got, err := store.Fetch(t.Context(), ref, want.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := fetch(&artifact.Store{}, ref, ""); err == nil {
		t.Error("without a cache the registry that is gone was not asked")
	}
	// What was spoiled is not taken, and is mended by the registry when it is back.
	for _, digest := range []string{ref.Digest, want.Digest} {
		for _, content := range []string{"", "spoiled"} {
			replace(t, blobFile(store.Cache, digest), []byte(content))
			reg.Answer(gone)
			if err := fetch(&store, ref, ""); err == nil {
				t.Errorf("%s spoiled with %q: it was taken", digest, content)
			}
			reg.Answer(nil)
			if err := fetch(&store, ref, ""); err != nil {
				t.Error(err)
			}
			if data, err := os.ReadFile(blobFile(store.Cache, digest)); err != nil || artifact.Digest(data) != digest {
				t.Errorf("%s is not mended: %v", digest, err)
			}
		}
	}
}

func TestACacheThatCannotBeWritten(t *testing.T) {
	reg := artifacttest.NewRegistry(t)
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	store := artifact.Store{Cache: file}
	ref, err := store.Push(t.Context(), parse(t, "oci://%s/p:1", reg.Host), signed(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := fetch(&store, ref, signed(t).Digest); err != nil {
		t.Error(err)
	}
}
