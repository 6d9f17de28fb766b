package artifact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content/oci"
)

// layout reads a folder in the form of an OCI image layout. Unlike the library's
// own reader it looks at nothing but what is asked for, and a link that leads out
// of the folder is not followed.
type layout struct {
	*oci.ReadOnlyStorage
	root *os.Root
}

func openLayout(dir string) (*layout, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	l := &layout{oci.NewStorageFromFS(root.FS()), root}
	if err := l.check(); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *layout) close() { l.root.Close() }

// check refuses a folder of another form.
func (l *layout) check() error {
	data, err := readLimited(l.root.FS(), ocispec.ImageLayoutFile, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: it has no file %s: expected an OCI image layout", ErrMalformed, ocispec.ImageLayoutFile)
	}
	if err != nil {
		return err
	}
	var form ocispec.ImageLayout
	if err := json.Unmarshal(data, &form); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrMalformed, ocispec.ImageLayoutFile, err)
	}
	if form.Version != ocispec.ImageLayoutVersion {
		return fmt.Errorf("%w: %s: imageLayoutVersion is %q, expected %q", ErrMalformed, ocispec.ImageLayoutFile, form.Version, ocispec.ImageLayoutVersion)
	}
	return nil
}

// Resolve finds a manifest by tag or by digest.
func (l *layout) Resolve(_ context.Context, reference string) (ocispec.Descriptor, error) {
	if CheckDigest(reference) == nil {
		return l.describe(digest.Digest(reference))
	}
	data, err := readLimited(l.root.FS(), ocispec.ImageIndexFile, maxIndex)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("%w: %s: %w", ErrMalformed, ocispec.ImageIndexFile, err)
	}
	for _, m := range index.Manifests {
		if m.Annotations[ocispec.AnnotationRefName] == reference {
			return m, nil
		}
	}
	return ocispec.Descriptor{}, fmt.Errorf("tag %s: %w", reference, ErrNotFound)
}

// describe is for what is asked by digest: the folder knows its size, and the
// manifest itself says what it is.
func (l *layout) describe(d digest.Digest) (ocispec.Descriptor, error) {
	stat, err := fs.Stat(l.root.FS(), path.Join(ocispec.ImageBlobsDir, d.Algorithm().String(), d.Encoded()))
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: d, Size: stat.Size()}, nil
}
