package artifact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// readFile reads a module of that digest, "" for any, and the signatures beside it.
func (s *Store) readFile(path, digest string) (*Module, error) {
	dir, name := os.DirFS(filepath.Dir(path)), filepath.Base(path)
	data, err := readLimited(dir, name, s.maxBytes(nil))
	if err != nil {
		return nil, err
	}
	if limit := s.maxBytes(data); int64(len(data)) > limit {
		return nil, tooLarge(name, limit)
	}
	if digest != "" && Digest(data) != digest {
		return nil, changed(digest, Digest(data))
	}
	m, err := New(data)
	if err != nil {
		return nil, err
	}
	lines, err := readLimited(dir, name+signatureSuffix, maxSignatures*maxEnvelope)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil // unsigned
	}
	if err != nil {
		return nil, err
	}
	if m.Signatures, err = parseSignatures(lines); err != nil {
		return nil, fmt.Errorf("%w: %s%s: %w", ErrMalformed, name, signatureSuffix, err)
	}
	return m, nil
}

// SignatureFile is where the signatures of the module in a file are.
func SignatureFile(path string) string { return path + signatureSuffix }

// FormatSignatures is the content of a signature file: each envelope on a line.
func FormatSignatures(envelopes [][]byte) ([]byte, error) {
	var out bytes.Buffer
	for _, e := range envelopes {
		if err := json.Compact(&out, e); err != nil {
			return nil, err
		}
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}

// parseSignatures reads a signature file: JSON objects, one after the other.
// White space between and inside of them means nothing.
func parseSignatures(data []byte) ([][]byte, error) {
	var list [][]byte
	for decoder := json.NewDecoder(bytes.NewReader(data)); ; {
		var envelope json.RawMessage
		switch err := decoder.Decode(&envelope); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, fmt.Errorf("signature %d: expected a JSON object on each line: %w", len(list)+1, err)
		case len(envelope) > maxEnvelope:
			return nil, tooLarge(fmt.Sprintf("signature %d", len(list)+1), maxEnvelope)
		case len(list) == maxSignatures:
			return nil, fmt.Errorf("expected up to %d signatures", maxSignatures)
		}
		list = append(list, envelope)
	}
}

// WriteFile writes a module into a file, its signatures into the one beside it, and
// the files of a process to where they belong from there. Each is written whole or not
// at all; old signatures do not outlive theirs.
func WriteFile(path string, m *Module) error {
	lines, err := FormatSignatures(m.Signatures)
	if err != nil {
		return err
	}
	if err := os.Remove(SignatureFile(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	mode := fs.FileMode(0o644)
	if !m.IsWASM() {
		mode = 0o755
	}
	names := make([]string, len(m.Files))
	for i, f := range m.Files {
		names[i] = f.Name
	}
	if err := CheckFileNames(filepath.Base(path), names); err != nil {
		return err
	}
	for _, f := range m.Files {
		place := filepath.Join(filepath.Dir(path), filepath.FromSlash(f.Name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(place), 0o755), WriteAtomically(place, f.Bytes, 0o644)); err != nil {
			return err
		}
	}
	if err := WriteAtomically(path, m.Bytes, mode); err != nil {
		return err
	}
	if len(lines) == 0 {
		return nil
	}
	return WriteAtomically(SignatureFile(path), lines, 0o644)
}

// WriteAtomically writes a file so that a reader sees the old content or the new.
func WriteAtomically(path string, data []byte, mode fs.FileMode) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
