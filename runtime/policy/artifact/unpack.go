package artifact

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/pacer-run/pacer/sdk/manifest"
)

// Media types of an artifact's parts.
const (
	configType    = "application/vnd.wasm.config.v0+json"
	moduleType    = "application/wasm"
	manifestType  = "application/vnd.pacer.policy.manifest.v1+json"
	signatureType = "application/vnd.dsse.envelope.v1+json"
	vectorsType   = "application/vnd.pacer.policy.vectors.v1"

	programArtifactType = "application/vnd.pacer.policy.process.v1"
	programConfigType   = "application/vnd.pacer.policy.process.config.v1+json"
	programType         = "application/vnd.pacer.policy.executable.v1"
	fileType            = "application/vnd.pacer.policy.file.v1"
)

// unpack reads the artifact whose manifest has that digest.
func (s *Store) unpack(ctx context.Context, from source, digest string) (*Module, error) {
	desc, err := from.Resolve(ctx, digest)
	if err != nil {
		return nil, err
	}
	if string(desc.Digest) != digest {
		return nil, fmt.Errorf("%w: asked for the manifest %s, got %s", ErrChanged, digest, desc.Digest)
	}
	data, err := blob(ctx, from, desc, "the artifact's manifest", maxManifest)
	if err != nil {
		return nil, err
	}
	outer, err := parseManifest(data)
	if err != nil {
		return nil, err
	}
	return s.readLayers(ctx, from, outer)
}

// blob reads what a descriptor describes, and nothing larger. What it returns has
// the descriptor's digest.
func blob(ctx context.Context, from content.Fetcher, desc ocispec.Descriptor, what string, limit int64) ([]byte, error) {
	if err := CheckDigest(string(desc.Digest)); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, what, err)
	}
	if desc.Size < 0 || desc.Size > limit {
		return nil, tooLarge(what, limit)
	}
	data, err := content.FetchAll(ctx, from, desc)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return data, nil
}

// parseManifest reads an artifact's manifest and refuses those of anything else.
func parseManifest(data []byte) (*ocispec.Manifest, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%w: its manifest: %w", ErrMalformed, err)
	}
	// The media type may be left out, and a registry's word for it proves nothing.
	if m.MediaType != "" && m.MediaType != ocispec.MediaTypeImageManifest {
		return nil, fmt.Errorf("%w: its manifest is a %q, expected %q", ErrMalformed, m.MediaType, ocispec.MediaTypeImageManifest)
	}
	if m.Config.MediaType != configType && m.Config.MediaType != programConfigType {
		return nil, fmt.Errorf("%w: its config is a %q, expected %q or %q", ErrMalformed, m.Config.MediaType, configType, programConfigType)
	}
	if len(m.Layers) > maxLayers {
		return nil, fmt.Errorf("%w: it has %d layers, expected up to %d", ErrMalformed, len(m.Layers), maxLayers)
	}
	return &m, nil
}

// layersOf returns those layers that have a media type.
func layersOf(m *ocispec.Manifest, mediaType string) []ocispec.Descriptor {
	var list []ocispec.Descriptor
	for _, l := range m.Layers {
		if l.MediaType == mediaType {
			list = append(list, l)
		}
	}
	return list
}

// readLayers makes a module of the layers that it knows; others are for others.
func (s *Store) readLayers(ctx context.Context, from content.Fetcher, outer *ocispec.Manifest) (*Module, error) {
	var m *Module
	var err error
	if outer.Config.MediaType == programConfigType {
		m, err = s.readProgram(ctx, from, outer)
	} else if m, err = readModule(ctx, from, outer, moduleType, s.maxBytes(wasmStart())); err == nil {
		err = readManifest(ctx, from, outer, m)
	}
	if err != nil {
		return nil, err
	}
	if err := readSignatures(ctx, from, outer, m); err != nil {
		return nil, err
	}
	return m, readVectors(ctx, from, outer, m)
}

// readModule reads the one layer with the module itself.
func readModule(ctx context.Context, from content.Fetcher, outer *ocispec.Manifest, mediaType string, limit int64) (*Module, error) {
	modules := layersOf(outer, mediaType)
	if len(modules) != 1 {
		return nil, fmt.Errorf("%w: it has %d layers %s, expected one", ErrMalformed, len(modules), mediaType)
	}
	data, err := blob(ctx, from, modules[0], "the module", limit)
	if err != nil {
		return nil, err
	}
	m, err := New(data)
	if err == nil && m.IsWASM() != (mediaType == moduleType) {
		err = fmt.Errorf("%w: its layer %s is something else", ErrMalformed, mediaType)
	}
	return m, err
}

// readProgram makes a module of an executable file and what belongs to it. The config
// is for registries and people, so it must not tell another story than the file.
func (s *Store) readProgram(ctx context.Context, from content.Fetcher, outer *ocispec.Manifest) (*Module, error) {
	room := s.maxBytes(nil)
	m, err := readModule(ctx, from, outer, programType, room)
	if err != nil {
		return nil, err
	}
	platform, err := Platform(m.Bytes)
	if err != nil {
		return nil, err
	}
	data, err := blob(ctx, from, outer.Config, "its config", maxManifest)
	if err != nil {
		return nil, err
	}
	var said programConfig
	if err := json.Unmarshal(data, &said); err != nil {
		return nil, fmt.Errorf("%w: its config: %w", ErrMalformed, err)
	}
	if told := strings.Trim(said.OS+"/"+said.Architecture, "/"); told != platform {
		return nil, fmt.Errorf("%w: its config says that it is for %q, its executable file is for %q", ErrMalformed, told, platform)
	}
	room -= int64(len(m.Bytes))
	var names []string
	for _, layer := range layersOf(outer, fileType) {
		name := layer.Annotations[ocispec.AnnotationTitle]
		data, err := blob(ctx, from, layer, fmt.Sprintf("file %.100q", name), room)
		if err != nil {
			return nil, err
		}
		room -= int64(len(data))
		names, m.Files = append(names, name), append(m.Files, Attachment{name, data})
	}
	if err := CheckFileNames("", names); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	slices.SortFunc(m.Files, func(a, b Attachment) int { return strings.Compare(a.Name, b.Name) })
	return m, nil
}

// readManifest compares the copy of the module's manifest with the original, the
// only one that is signed: who looks at the copy must not be told another story.
func readManifest(ctx context.Context, from content.Fetcher, outer *ocispec.Manifest, m *Module) error {
	for _, layer := range layersOf(outer, manifestType) {
		copied, err := blob(ctx, from, layer, "the copy of the module's manifest", maxManifest)
		if err != nil {
			return err
		}
		// Compared is what they say: a later version may write the same another way.
		said, err := manifest.Parse(copied)
		if err != nil {
			return fmt.Errorf("%w: the copy of the module's manifest: %w", ErrMalformed, err)
		}
		if m.Manifest == nil || !bytes.Equal(said.Encode(), m.Manifest.Encode()) {
			return fmt.Errorf("%w: the manifest beside the module is not the one inside", ErrMalformed)
		}
	}
	return nil
}

func readSignatures(ctx context.Context, from content.Fetcher, outer *ocispec.Manifest, m *Module) error {
	layers := layersOf(outer, signatureType)
	if len(layers) > maxSignatures {
		return fmt.Errorf("%w: it has %d signatures, expected up to %d", ErrMalformed, len(layers), maxSignatures)
	}
	for i, layer := range layers {
		envelope, err := blob(ctx, from, layer, fmt.Sprintf("signature %d", i+1), maxEnvelope)
		if err != nil {
			return err
		}
		m.Signatures = append(m.Signatures, envelope)
	}
	return nil
}

func readVectors(ctx context.Context, from content.Fetcher, outer *ocispec.Manifest, m *Module) error {
	room, seen := int64(maxVectors), map[string]bool{}
	for _, layer := range layersOf(outer, vectorsType) {
		name := layer.Annotations[ocispec.AnnotationTitle]
		if err := checkTitle(name); err != nil {
			return fmt.Errorf("%w: a file of vectors: %w", ErrMalformed, err)
		}
		if seen[name] {
			return fmt.Errorf("%w: two files of vectors are named %q", ErrMalformed, name)
		}
		seen[name] = true
		data, err := blob(ctx, from, layer, "vectors "+name, room)
		if err != nil {
			return err
		}
		room -= int64(len(data))
		m.Vectors = append(m.Vectors, Vectors{Name: name, Bytes: data})
	}
	return nil
}

// checkTitle refuses names that could become a path out of a folder.
func checkTitle(name string) error {
	if name == "" || name == "." || name == ".." || path.Base(name) != name || strings.ContainsAny(name, "\\\x00\n") || len(name) > 255 {
		return fmt.Errorf("title %q: expected the name of a file without a folder", name)
	}
	return nil
}
