package artifact

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/errdef"
)

// Push puts a module with all that belongs to it under the tag of a reference,
// and returns the reference with the artifact's digest. A folder is made when it
// is not there. The same module, signatures and vectors are the same artifact,
// whenever and by whomever they are pushed.
func (s *Store) Push(ctx context.Context, ref Ref, m *Module) (Ref, error) {
	pushed, err := s.push(ctx, ref, m)
	if err != nil {
		return Ref{}, fmt.Errorf("%s: %w", ref, sorted(err))
	}
	return pushed, nil
}

func (s *Store) push(ctx context.Context, ref Ref, m *Module) (Ref, error) {
	if ref.Place == File || ref.Tag == "" || ref.Digest != "" {
		return Ref{}, errors.New("expected oci://host/repository:tag or oci-layout:FOLDER:tag, without a digest")
	}
	parts, err := s.pack(m)
	if err != nil {
		return Ref{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	target, err := s.target(ctx, ref)
	if err != nil {
		return Ref{}, err
	}
	for _, p := range parts {
		if there, err := target.Exists(ctx, p.desc); err != nil {
			return Ref{}, err
		} else if there {
			continue
		}
		err := target.Push(ctx, p.desc, bytes.NewReader(p.data))
		if err != nil && !errors.Is(err, errdef.ErrAlreadyExists) {
			return Ref{}, err
		}
	}
	manifest := parts[len(parts)-1].desc
	if err := target.Tag(ctx, manifest, ref.Tag); err != nil {
		return Ref{}, err
	}
	ref.Digest = string(manifest.Digest)
	return ref, nil
}

// target opens the place of a reference for writing.
func (s *Store) target(ctx context.Context, ref Ref) (oras.Target, error) {
	if ref.Place == Registry {
		return s.repository(ref)
	}
	return oci.NewWithContext(ctx, ref.in(s.Dir))
}

// part is a piece of an artifact.
type part struct {
	desc ocispec.Descriptor
	data []byte
}

func newPart(mediaType string, data []byte) part {
	return part{ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}, data}
}

// pack makes the pieces of an artifact in the order in which they are pushed: the
// manifest is the last.
func (s *Store) pack(m *Module) ([]part, error) {
	size := len(m.Bytes)
	for _, f := range m.Files {
		size += len(f.Bytes)
	}
	if limit := s.maxBytes(m.Bytes); int64(size) > limit {
		return nil, tooLarge("the module", limit)
	}
	layers, config, err := packModule(m)
	if err != nil {
		return nil, err
	}
	outer := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config.desc,
		Annotations: map[string]string{},
	}
	if !m.IsWASM() {
		outer.ArtifactType = programArtifactType
	}
	for _, l := range layers {
		outer.Layers = append(outer.Layers, l.desc)
	}
	if m.Name != "" {
		outer.Annotations[ocispec.AnnotationTitle] = m.Name
		outer.Annotations[ocispec.AnnotationVersion] = m.Version
	}
	data, err := json.Marshal(outer)
	if err != nil {
		return nil, err
	}
	return append(layers, config, newPart(ocispec.MediaTypeImageManifest, data)), nil
}

// packModule makes the layers and the config.
func packModule(m *Module) (layers []part, config part, err error) {
	if !m.IsWASM() {
		if layers, config, err = packProgram(m); err == nil {
			layers, err = packLayers(m, layers)
		}
		return layers, config, err
	}
	if len(m.Files) > 0 {
		return nil, part{}, fmt.Errorf("%w: a WASM module has no files", ErrMalformed)
	}
	layers = []part{newPart(moduleType, m.Bytes)}
	if m.Manifest != nil {
		layers = append(layers, newPart(manifestType, m.Manifest.Encode()))
	}
	if layers, err = packLayers(m, layers); err == nil {
		config, err = packConfig(layers)
	}
	return layers, config, err
}

// packLayers adds what modules of both kinds have, and refuses what could not be
// fetched again.
func packLayers(m *Module, layers []part) ([]part, error) {
	if len(m.Signatures) > maxSignatures {
		return nil, fmt.Errorf("%w: it has %d signatures, expected up to %d", ErrMalformed, len(m.Signatures), maxSignatures)
	}
	for _, e := range m.Signatures {
		layers = append(layers, newPart(signatureType, e))
	}
	total := 0
	vectors := slices.SortedFunc(slices.Values(m.Vectors), func(a, b Vectors) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	for i, v := range vectors {
		if err := checkTitle(v.Name); err != nil {
			return nil, err
		}
		if i > 0 && vectors[i-1].Name == v.Name {
			return nil, fmt.Errorf("%w: two files of vectors are named %q", ErrMalformed, v.Name)
		}
		if total += len(v.Bytes); total > maxVectors {
			return nil, tooLarge("the vectors together", maxVectors)
		}
		p := newPart(vectorsType, v.Bytes)
		p.desc.Annotations = map[string]string{ocispec.AnnotationTitle: v.Name}
		layers = append(layers, p)
	}
	if len(layers) > maxLayers {
		return nil, fmt.Errorf("%w: it has %d parts, expected up to %d", ErrMalformed, len(layers), maxLayers)
	}
	return layers, nil
}

// packConfig makes the config that runtimes of WASM expect. Its time is always the
// same, so that the artifact is.
func packConfig(layers []part) (part, error) {
	config := struct {
		Created      string          `json:"created"`
		Architecture string          `json:"architecture"`
		OS           string          `json:"os"`
		LayerDigests []digest.Digest `json:"layerDigests"`
	}{Created: "1970-01-01T00:00:00Z", Architecture: "wasm", OS: "wasip1"}
	for _, l := range layers {
		config.LayerDigests = append(config.LayerDigests, l.desc.Digest)
	}
	data, err := json.Marshal(config)
	return newPart(configType, data), err
}
