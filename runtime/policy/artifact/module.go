// Package artifact brings policy modules to and from the places where they are
// kept: plain files, OCI registries, and folders in the form of an OCI image
// layout. What it returns is bytes, never a path: what was checked cannot be
// exchanged before it is used.
//
// # The digest of a module
//
// A module's digest is the SHA-256 of its bytes, wherever it is kept. It is what
// configuration pins and what signatures are about, so both stay right when a
// module is copied from a registry into a file. The digest in a reference to a
// registry is another one, that of the artifact's manifest.
//
// # The form in a registry
//
// An artifact is an OCI image manifest with a config of the media type
// application/vnd.wasm.config.v0+json and these layers:
//
//	application/wasm                                exactly one: the module
//	application/vnd.pacer.policy.manifest.v1+json   a copy of the module's manifest, for people and registries
//	application/vnd.dsse.envelope.v1+json           one for each signature
//	application/vnd.pacer.policy.vectors.v1         one for each file of vectors, with its name as the title
//
// A module that is a process has a config of the media type
// application/vnd.pacer.policy.process.config.v1+json, which says what machines it is
// for, and in place of the first two layers:
//
//	application/vnd.pacer.policy.executable.v1      exactly one: the executable file
//	application/vnd.pacer.policy.file.v1            one for each file beside it, with its path as the title
//
// Signatures are layers rather than referrers: they need nothing of the registry
// but blobs and manifests, are copied with the artifact by any tool, and are as
// well at home in a folder. The price is that one more signature makes another
// artifact, with another digest and the same module.
//
// # The form as a file
//
// Beside module.wasm, module.wasm.sig holds its signatures, a JSON object on each
// line.
package artifact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/sdk/manifest"
)

// Module is a policy module as it was found.
type Module struct {
	// Bytes is the module.
	Bytes []byte
	// Digest is sha256:… of Bytes.
	Digest string
	// Name and Version are what the module's manifest says, "" without one.
	Name, Version string
	// Manifest is the one inside the module, nil when it has none.
	Manifest *manifest.Manifest
	// Signatures are DSSE envelopes, not looked into.
	Signatures [][]byte
	// Files are what a process finds beside it, sorted by name.
	Files []Attachment
	// Vectors are files of test vectors.
	Vectors []Vectors
	// Ref is where it was found.
	Ref Ref
}

// Vectors is a file of test vectors.
type Vectors struct {
	Name  string // of a file, without a folder
	Bytes []byte
}

// New returns the module that the bytes are. A WASM module that is not whole, or
// whose manifest is a bad one, is an error; what is no WASM has its manifest
// elsewhere.
func New(data []byte) (*Module, error) {
	m := &Module{Bytes: data, Digest: Digest(data)}
	if !isWASM(data) {
		return m, nil
	}
	said, err := manifest.Extract(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if said != nil {
		m.Manifest, m.Name, m.Version = said, said.Name, said.Version
	}
	return m, nil
}

// IsWASM tells whether it is a WASM module, and not a process.
func (m *Module) IsWASM() bool { return isWASM(m.Bytes) }

// String is for people: the name and version if known, and the digest.
func (m *Module) String() string {
	if m.Name == "" {
		return m.Digest
	}
	return m.Name + "@" + m.Version + " (" + m.Digest + ")"
}

const digestPrefix = "sha256:"

// Digest returns sha256:… of bytes.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return digestPrefix + hex.EncodeToString(sum[:])
}

// ParseDigest reads a digest, of which the prefix sha256: may be left out, and
// returns it with the prefix.
func ParseDigest(text string) (string, error) {
	if !strings.Contains(text, ":") {
		text = digestPrefix + text
	}
	return text, CheckDigest(text)
}

// CheckDigest refuses what is no SHA-256 digest.
func CheckDigest(text string) error {
	encoded, ok := strings.CutPrefix(text, digestPrefix)
	if _, err := hex.DecodeString(encoded); !ok || err != nil || len(encoded) != 64 || strings.ToLower(encoded) != encoded {
		return fmt.Errorf("digest %q: expected sha256: and 64 lower-case hexadecimal digits", text)
	}
	return nil
}

// isWASM tells whether data starts as core WebAssembly, version 1, does.
func isWASM(data []byte) bool { return bytes.HasPrefix(data, wasmStart()) }

// wasmStart is how such data begins.
func wasmStart() []byte { return []byte("\x00asm\x01\x00\x00\x00") }
