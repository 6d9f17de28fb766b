package artifact

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/oci"
)

// cache is a registry whose contents are kept in a folder once they were fetched.
// What is there is found by its digest and checked against it like what comes from
// the registry, so the folder need not be trusted, and may be deleted at any time.
type cache struct {
	source // the registry
	dir    string
	kept   *oci.Storage
}

func newCache(registry source, dir string) (*cache, error) {
	kept, err := oci.NewStorage(dir)
	return &cache{registry, dir, kept}, err
}

// file is where something is kept.
func (c *cache) file(d digest.Digest) string {
	return filepath.Join(c.dir, ocispec.ImageBlobsDir, d.Algorithm().String(), d.Encoded())
}

// Resolve does not ask the registry about a manifest that is kept.
func (c *cache) Resolve(ctx context.Context, reference string) (ocispec.Descriptor, error) {
	if CheckDigest(reference) == nil {
		name := digest.Digest(reference).Encoded()
		dir := os.DirFS(filepath.Dir(c.file(digest.Digest(reference))))
		if data, err := readLimited(dir, name, maxManifest); err == nil && Digest(data) == reference {
			return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(reference), Size: int64(len(data))}, nil
		}
	}
	return c.source.Resolve(ctx, reference)
}

// Fetch takes what is kept, if it is whole, and keeps what it has to get.
func (c *cache) Fetch(ctx context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
	data, err := content.FetchAll(ctx, c.kept, desc)
	if err != nil {
		if data, err = content.FetchAll(ctx, c.source, desc); err != nil {
			return nil, err
		}
		// One that is spoiled makes room. A folder that cannot be written to is no
		// reason not to have the module.
		_ = os.Remove(c.file(desc.Digest))
		_ = c.kept.Push(ctx, desc, bytes.NewReader(data))
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}
