// Package artifacttest has a registry and modules for tests.
package artifacttest

import (
	"encoding/binary"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/pacer-run/pacer/sdk/manifest"
)

// Registry is an OCI registry on a loopback address, in memory.
type Registry struct {
	Host   string // with the port
	answer atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
}

// NewRegistry starts a registry that ends with the test. User accounts of the
// user's own Docker configuration are out of its sight.
func NewRegistry(t testing.TB) *Registry {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	honest := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	r := &Registry{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if answer := r.answer.Load(); answer == nil || !(*answer)(w, req) {
			honest.ServeHTTP(w, req)
		}
	}))
	t.Cleanup(server.Close)
	r.Host = strings.TrimPrefix(server.URL, "http://")
	return r
}

// Answer puts a handler before the registry; what it returns false for, the
// registry answers as ever. Nil takes it away.
func (r *Registry) Answer(handler func(http.ResponseWriter, *http.Request) bool) {
	if handler == nil {
		r.answer.Store(nil)
		return
	}
	r.answer.Store(&handler)
}

// Module returns a WASM module that does nothing but have a manifest with that
// name and version; body makes one different from another.
func Module(name, version, body string) []byte {
	said := manifest.Manifest{Name: name, Version: version, ABI: "1.1", Kinds: map[string][]string{"constraint": {"SPREAD"}}}
	module := appendSection(Bare(), manifest.Section, said.Encode())
	return appendSection(module, "body", []byte(body))
}

// Bare returns a WASM module without a manifest.
func Bare() []byte { return []byte("\x00asm\x01\x00\x00\x00") }

// WithSection returns a module with one more custom section at its end.
func WithSection(module []byte, name, content string) []byte {
	return appendSection(append([]byte(nil), module...), name, []byte(content))
}

func appendSection(module []byte, name string, content []byte) []byte {
	body := binary.AppendUvarint(nil, uint64(len(name)))
	body = append(append(body, name...), content...)
	module = binary.AppendUvarint(append(module, 0), uint64(len(body)))
	return append(module, body...)
}

// Program returns the head of an executable file of Linux for a machine, by the number
// that ELF has for it: 62 is amd64, 183 is arm64. It cannot be run.
func Program(machine uint16, body string) []byte {
	head := make([]byte, 64)
	copy(head, "\x7fELF\x02\x01\x01")           // 64 bits, little-endian, version 1
	binary.LittleEndian.PutUint16(head[16:], 2) // executable
	binary.LittleEndian.PutUint16(head[18:], machine)
	binary.LittleEndian.PutUint32(head[20:], 1)
	binary.LittleEndian.PutUint16(head[52:], 64) // its own length
	binary.LittleEndian.PutUint16(head[58:], 64) // that of a section
	return append(head, body...)
}
