package policy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/wasm"
)

// FileLoader loads WASM modules from files.
type FileLoader struct{ engine *wasm.Loader }

// NewFileLoader returns a loader. cacheDir keeps compiled modules between runs; ""
// keeps none.
func NewFileLoader(limits wasm.Limits, cacheDir string, log *slog.Logger) (*FileLoader, error) {
	engine, err := wasm.NewLoader(limits, cacheDir, log)
	if err != nil {
		return nil, err
	}
	return &FileLoader{engine}, nil
}

// Load implements Loader. It gives up waiting when ctx ends; the engine may go on for
// a moment.
func (l *FileLoader) Load(ctx context.Context, _ ModuleConfig, ref Ref) (Loaded, error) {
	path, ok := strings.CutPrefix(ref.Ref, "file:")
	if !ok {
		return Loaded{}, fmt.Errorf("ref %s: file: and a path expected", ref.Ref)
	}
	code, err := os.ReadFile(path)
	if err != nil {
		return Loaded{}, err
	}
	sum := sha256.Sum256(code)
	loaded := Loaded{Digest: hex.EncodeToString(sum[:]), Backend: BackendWASM}
	m, err := l.engine.Load(ctx, code, wasm.Options{})
	if err != nil {
		return loaded, err
	}
	loaded.Module = m
	return loaded, nil
}

// Digest implements Loader.
func (l *FileLoader) Digest(_ context.Context, m ModuleConfig) (string, error) {
	return fileDigest(strings.TrimPrefix(m.Ref.Ref, "file:"))
}

func fileDigest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Close implements Loader.
func (l *FileLoader) Close(ctx context.Context) error { return l.engine.Close(ctx) }
