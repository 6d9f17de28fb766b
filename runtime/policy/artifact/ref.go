package artifact

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"oras.land/oras-go/v2/registry"
)

// Place is the kind of place that a reference points to.
type Place uint8

// The places there are.
const (
	File     Place = iota // a plain file
	Registry              // a repository of an OCI registry
	Layout                // a folder in the form of an OCI image layout
)

// Prefixes of the textual forms.
const (
	filePrefix     = "file:"
	registryPrefix = "oci://"
	layoutPrefix   = "oci-layout:"
)

// Ref says where a module is: `file:PATH` or a bare path, `oci://host/repository`
// or `oci-layout:FOLDER`, the last two followed by `:tag` or `@sha256:…` or both.
type Ref struct {
	Place Place
	// Path is the file, the folder, or the registry's host with the repository.
	Path string
	// Tag is "" for none. It is for people when there is a digest as well.
	Tag string
	// Digest is that of the artifact's manifest, which is not that of the module;
	// "" for files and for references by tag.
	Digest string
}

// ParseRef reads the textual form.
func ParseRef(text string) (Ref, error) {
	ref, err := parseRef(text)
	if err != nil {
		return Ref{}, fmt.Errorf("reference %q: %w", text, err)
	}
	return ref, nil
}

func parseRef(text string) (Ref, error) {
	if strings.ContainsRune(text, 0) {
		return Ref{}, errors.New("it contains a zero byte")
	}
	if rest, ok := strings.CutPrefix(text, registryPrefix); ok {
		return parseRegistry(rest)
	}
	if rest, ok := strings.CutPrefix(text, layoutPrefix); ok {
		return parseLayout(rest)
	}
	path, named := strings.CutPrefix(text, filePrefix)
	switch {
	case path == "":
		return Ref{}, errors.New("expected a path, oci://… or oci-layout:…")
	case !named && strings.Contains(path, "://"):
		return Ref{}, errors.New("expected a path, file:…, oci://… or oci-layout:…")
	}
	return Ref{Place: File, Path: filepath.Clean(path)}, nil // also file:///etc/…
}

func parseRegistry(rest string) (Ref, error) {
	path, tag, digest, err := cutVersion(rest)
	if err != nil {
		return Ref{}, err
	}
	parsed, err := registry.ParseReference(path)
	if err != nil {
		return Ref{}, fmt.Errorf("expected oci://host/repository:tag or …@sha256:…: %w", err)
	}
	if parsed.Reference != "" { // what cutVersion left is no version
		return Ref{}, errors.New("expected one tag or digest")
	}
	return Ref{Place: Registry, Path: path, Tag: tag, Digest: digest}, nil
}

func parseLayout(rest string) (Ref, error) {
	path, tag, digest, err := cutVersion(rest)
	if err != nil {
		return Ref{}, err
	}
	if path == "" {
		return Ref{}, errors.New("expected oci-layout:FOLDER:tag or …@sha256:…")
	}
	return Ref{Place: Layout, Path: path, Tag: tag, Digest: digest}, nil
}

// cutVersion takes the tag and the digest off the end. One of them is there.
func cutVersion(text string) (path, tag, digest string, err error) {
	path = text
	if at := strings.LastIndexByte(text, '@'); at >= 0 && strings.HasPrefix(text[at+1:], digestPrefix) {
		path, digest = text[:at], text[at+1:]
		if err := CheckDigest(digest); err != nil {
			return "", "", "", err
		}
	}
	// The colon of a port is followed by a slash.
	if colon := strings.LastIndexByte(path, ':'); colon >= 0 && !strings.ContainsRune(path[colon:], '/') {
		path, tag = path[:colon], path[colon+1:]
		if !tagForm().MatchString(tag) {
			return "", "", "", fmt.Errorf("tag %q: expected up to 128 letters, digits, dots, dashes and underscores", tag)
		}
	}
	if tag == "" && digest == "" {
		return "", "", "", errors.New("expected a tag or a digest, :tag or @sha256:…")
	}
	return path, tag, digest, nil
}

// tagForm is what a tag has to look like, by the OCI distribution specification.
func tagForm() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`) }

// String returns the textual form.
func (r Ref) String() string {
	prefix := map[Place]string{File: filePrefix, Registry: registryPrefix, Layout: layoutPrefix}[r.Place]
	text := prefix + r.Path
	if r.Tag != "" {
		text += ":" + r.Tag
	}
	if r.Digest != "" {
		text += "@" + r.Digest
	}
	return text
}

// Fixed tells whether the reference always means the same bytes as far as it can
// say: a tag alone may be moved.
func (r Ref) Fixed() bool { return r.Place == File || r.Digest != "" }

// In returns the reference with its path, if it is one, made absolute; relative
// ones start from dir, "" for the working folder. Equal values are one place.
func (r Ref) In(dir string) (Ref, error) {
	if r.Place == Registry {
		return r, nil
	}
	var err error
	r.Path, err = filepath.Abs(r.in(dir))
	return r, err
}

// in returns the path as seen from a folder, "" for the working one.
func (r Ref) in(dir string) string {
	if dir == "" || filepath.IsAbs(r.Path) {
		return r.Path
	}
	return filepath.Join(dir, r.Path)
}
