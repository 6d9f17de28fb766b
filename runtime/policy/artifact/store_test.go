package artifact_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/artifact/artifacttest"
)

// signed is a module with all that may belong to one.
func signed(t *testing.T) *artifact.Module {
	t.Helper()
	m, err := artifact.New(artifacttest.Module("spread", "1.0.0", "one"))
	if err != nil {
		t.Fatal(err)
	}
	m.Signatures = [][]byte{[]byte(`{"a":1}`), []byte(`{"b":2}`)}
	m.Vectors = []artifact.Vectors{{Name: "a.txt", Bytes: []byte("A")}, {Name: "b.txt", Bytes: []byte("B")}}
	return m
}

func parse(t *testing.T, format string, args ...any) artifact.Ref {
	t.Helper()
	ref, err := artifact.ParseRef(fmt.Sprintf(format, args...))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// places are a registry and a folder, by reference without a tag.
func places(t *testing.T) []string {
	return []string{
		"oci://" + artifacttest.NewRegistry(t).Host + "/policies/spread",
		"oci-layout:" + filepath.Join(t.TempDir(), "layout"),
	}
}

func TestWhatIsPushedIsFetched(t *testing.T) {
	for _, place := range places(t) {
		var store artifact.Store
		want := signed(t)
		pushed, err := store.Push(t.Context(), parse(t, "%s:1.0.0", place), want)
		if err != nil {
			t.Fatal(err)
		}
		resolved, err := store.Resolve(t.Context(), parse(t, "%s:1.0.0", place))
		if err != nil || resolved != pushed {
			t.Fatalf("the tag stands for %v, %v, pushed was %v", resolved, err, pushed)
		}
		byDigest := parse(t, "%s@%s", place, pushed.Digest)
		for _, ref := range []artifact.Ref{pushed, byDigest} {
			want.Ref = ref
			got, err := store.Fetch(t.Context(), ref, want.Digest)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", ref, diff)
			}
		}
	}
}

func TestPushingAgainMakesTheSameArtifact(t *testing.T) {
	var digests []string
	for _, place := range places(t) {
		for range 2 {
			pushed, err := new(artifact.Store).Push(t.Context(), parse(t, "%s:1", place), signed(t))
			if err != nil {
				t.Fatal(err)
			}
			digests = append(digests, pushed.Digest)
		}
	}
	for _, d := range digests {
		if d != digests[0] {
			t.Errorf("digests differ: %q", digests)
		}
	}
}

func TestTagsAreNotFetched(t *testing.T) {
	for _, place := range places(t) {
		var store artifact.Store
		ref := parse(t, "%s:1", place)
		if _, err := store.Push(t.Context(), ref, signed(t)); err != nil {
			t.Fatal(err)
		}
		expect(t, fetch(&store, ref, ""), nil, "a tag is resolved by pacer policy pull only")
	}
}

func TestATagMayMoveAndADigestStays(t *testing.T) {
	for _, place := range places(t) {
		var store artifact.Store
		first, err := store.Push(t.Context(), parse(t, "%s:latest", place), signed(t))
		if err != nil {
			t.Fatal(err)
		}
		other, err := artifact.New(artifacttest.Module("spread", "2.0.0", "two"))
		if err != nil {
			t.Fatal(err)
		}
		second, err := store.Push(t.Context(), parse(t, "%s:latest", place), other)
		if err != nil {
			t.Fatal(err)
		}
		if resolved, err := store.Resolve(t.Context(), parse(t, "%s:latest", place)); err != nil || resolved != second {
			t.Errorf("the tag stands for %v, %v; want %v", resolved, err, second)
		}
		if m, err := store.Fetch(t.Context(), first, ""); err != nil || m.Version != "1.0.0" {
			t.Errorf("the first digest gives %v, %v", m, err)
		}
		expect(t, fetch(&store, second, signed(t).Digest), artifact.ErrChanged, signed(t).Digest, other.Digest)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	for _, place := range places(t) {
		var store artifact.Store
		if _, err := store.Push(t.Context(), parse(t, "%s:1", place), signed(t)); err != nil {
			t.Fatal(err)
		}
		_, err := store.Resolve(t.Context(), parse(t, "%s:2", place))
		expect(t, err, artifact.ErrNotFound, ":2")
		absent := artifact.Digest([]byte("nothing"))
		expect(t, fetch(&store, parse(t, "%s@%s", place, absent), ""), artifact.ErrNotFound, absent)
	}
	expect(t, fetch(&artifact.Store{}, parse(t, "%s/no.wasm", t.TempDir()), ""), artifact.ErrNotFound, "no.wasm")
	expect(t, fetch(&artifact.Store{}, parse(t, "oci-layout:%s/no@%s", t.TempDir(), artifact.Digest(nil)), ""), artifact.ErrNotFound)
}

// fetch is Fetch for its error.
func fetch(s *artifact.Store, ref artifact.Ref, digest string) error {
	_, err := s.Fetch(context.Background(), ref, digest)
	return err
}

// expect wants an error of a kind, nil for any, that says all of the words.
func expect(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if err == nil || kind != nil && !errors.Is(err, kind) {
		t.Fatalf("got error %v, want one of %v", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got error %v, want it to say %q", err, w)
		}
	}
}

// replacing answers GETs of what has a digest with something else.
func replacing(digest string, with []byte) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, digest) {
			return false
		}
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Docker-Content-Digest", digest)
		_, _ = w.Write(with)
		return true
	}
}

func TestARegistryThatLies(t *testing.T) {
	reg := artifacttest.NewRegistry(t)
	var store artifact.Store
	m := signed(t)
	ref, err := store.Push(t.Context(), parse(t, "oci://%s/p:1", reg.Host), m)
	if err != nil {
		t.Fatal(err)
	}
	_, manifest := get(t, "http://"+reg.Host+"/v2/p/manifests/"+ref.Digest)
	flipped := bytes.Clone(m.Bytes)
	flipped[len(flipped)-1] ^= 1
	for name, lie := range map[string]struct {
		digest string
		with   []byte
	}{
		"another module of the same length": {m.Digest, flipped},
		"a shorter module":                  {m.Digest, m.Bytes[:len(m.Bytes)-1]},
		"a longer module":                   {m.Digest, append(bytes.Clone(m.Bytes), 0)},
		"another manifest":                  {ref.Digest, bytes.Replace(manifest, []byte("spread"), []byte("spreaD"), 1)},
		"another signature":                 {artifact.Digest(m.Signatures[0]), []byte(`{"a":2}`)},
		"another copy of the manifest":      {artifact.Digest(m.Manifest.Encode()), bytes.Replace(m.Manifest.Encode(), []byte("1"), []byte("2"), 1)},
		"other vectors":                     {artifact.Digest([]byte("A")), []byte("B")},
	} {
		reg.Answer(replacing(lie.digest, lie.with))
		if err := fetch(&store, ref, ""); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	reg.Answer(nil)
	if err := fetch(&store, ref, m.Digest); err != nil {
		t.Errorf("the honest registry: %v", err)
	}
}

func get(t *testing.T, url string) (status int, body []byte) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}

func TestARegistryWithoutEnd(t *testing.T) {
	reg := artifacttest.NewRegistry(t)
	store := artifact.Store{MaxBytes: 1000}
	m := signed(t)
	ref, err := store.Push(t.Context(), parse(t, "oci://%s/p:1", reg.Host), m)
	if err != nil {
		t.Fatal(err)
	}
	reg.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, m.Digest) {
			return false
		}
		for { // until the client has enough
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return true
			}
		}
	})
	expect(t, fetch(&store, ref, ""), nil, "the module")
	reg.Answer(nil)
	expect(t, fetch(&artifact.Store{MaxBytes: 50}, ref, ""), artifact.ErrMalformed, "the module is larger than 50 bytes")
}

func TestAccessRefused(t *testing.T) {
	reg := artifacttest.NewRegistry(t)
	reg.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if user, password, _ := r.BasicAuth(); user == "ann" && password == "secret" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	ref := parse(t, "oci://%s/p:1", reg.Host)
	_, err := new(artifact.Store).Push(t.Context(), ref, signed(t))
	expect(t, err, artifact.ErrDenied, reg.Host)

	config := filepath.Join(t.TempDir(), "config.json")
	write(t, config, fmt.Appendf(nil, `{"auths":{%q:{"auth":"YW5uOnNlY3JldA=="}}}`, reg.Host))
	store := artifact.Store{DockerConfig: config}
	pushed, err := store.Push(t.Context(), ref, signed(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := fetch(&store, pushed, ""); err != nil {
		t.Error(err)
	}
	write(t, config, []byte("{"))
	expect(t, fetch(&store, pushed, ""), nil, "credentials of registries", config)
}

func TestPlainHTTPIsForThisMachineOnly(t *testing.T) {
	reg := artifacttest.NewRegistry(t)
	tls := false
	store := artifact.Store{PlainHTTP: &tls}
	_, err := store.Push(t.Context(), parse(t, "oci://%s/p:1", reg.Host), signed(t))
	expect(t, err, nil, "HTTP response to HTTPS client")
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that fails
	secure.StartTLS()
	t.Cleanup(secure.Close)
	_, err = store.Push(t.Context(), parse(t, "oci://%s/p:1", strings.TrimPrefix(secure.URL, "https://")), signed(t))
	expect(t, err, nil, "certificate")
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// craft puts blobs and a manifest into a folder in the form of an OCI image
// layout, and returns the reference to it.
func craft(t *testing.T, manifest map[string]any, blobs ...[]byte) artifact.Ref {
	t.Helper()
	dir := t.TempDir()
	data, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range append(blobs, data) {
		write(t, filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(artifact.Digest(b), "sha256:")), b)
	}
	write(t, filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`))
	write(t, filepath.Join(dir, "index.json"), []byte(`{"schemaVersion":2,"manifests":[]}`))
	return parse(t, "oci-layout:%s@%s", dir, artifact.Digest(data))
}

// layer is a descriptor.
func layer(mediaType string, data []byte) map[string]any {
	return map[string]any{"mediaType": mediaType, "digest": artifact.Digest(data), "size": len(data)}
}

func titled(mediaType string, data []byte, title string) map[string]any {
	l := layer(mediaType, data)
	l["annotations"] = map[string]string{"org.opencontainers.image.title": title}
	return l
}

func TestArtifactsThatAreNone(t *testing.T) {
	const (
		image, config  = "application/vnd.oci.image.manifest.v1+json", "application/vnd.wasm.config.v0+json"
		wasm, manifest = "application/wasm", "application/vnd.pacer.policy.manifest.v1+json"
		sig, vectors   = "application/vnd.dsse.envelope.v1+json", "application/vnd.pacer.policy.vectors.v1"
	)
	module, empty, other := artifacttest.Module("a", "1.0.0", ""), []byte("{}"), []byte(`{"name":"b","version":"1","abi":"1.0","kinds":{"health":["x"]}}`)
	huge := layer(wasm, module)
	huge["size"] = int64(1) << 62
	negative := layer(wasm, module)
	negative["size"] = -1
	traversal := layer(wasm, module)
	traversal["digest"] = "sha256:../../../secret"
	weak := layer(wasm, module)
	weak["digest"] = "md5:" + strings.Repeat("0", 32)
	many := make([]any, 40)
	for i := range many {
		many[i] = layer(sig, empty)
	}
	for name, c := range map[string]struct {
		mediaType, config string
		layers            []any
		want              string
	}{
		"an index":                         {"application/vnd.oci.image.index.v1+json", config, []any{layer(wasm, module)}, "its manifest is a"},
		"an image":                         {image, "application/vnd.oci.image.config.v1+json", []any{layer(wasm, module)}, "its config is a"},
		"no module":                        {image, config, []any{layer("application/octet-stream", module)}, "it has 0 layers application/wasm"},
		"two modules":                      {image, config, []any{layer(wasm, module), layer(wasm, empty)}, "it has 2 layers application/wasm"},
		"a size beyond all":                {image, config, []any{huge}, "larger than"},
		"a size below zero":                {image, config, []any{negative}, "larger than"},
		"a digest that is a path":          {image, config, []any{traversal}, "64 lower-case hexadecimal digits"},
		"a digest of another kind":         {image, config, []any{weak}, "64 lower-case hexadecimal digits"},
		"a manifest that is not the copy":  {image, config, []any{layer(wasm, module), layer(manifest, other)}, "not the one inside"},
		"a manifest that is none":          {image, config, []any{layer(wasm, module), layer(manifest, empty)}, "the copy of the module's manifest: manifest: "},
		"forty signatures":                 {image, config, append([]any{layer(wasm, module)}, many...), "40 signatures"},
		"vectors that climb":               {image, config, []any{layer(wasm, module), titled(vectors, empty, "../x")}, `title "../x"`},
		"vectors without a name":           {image, config, []any{layer(wasm, module), layer(vectors, empty)}, `title ""`},
		"vectors of one name":              {image, config, []any{layer(wasm, module), titled(vectors, empty, "x"), titled(vectors, empty, "x")}, "two files"},
		"a module with a broken section":   {image, config, []any{layer(wasm, append(artifacttest.Bare(), 0, 200))}, "malformed module"},
		"a module with two manifests":      {image, config, []any{layer(wasm, artifacttest.WithSection(module, "policy.manifest", "{}"))}, "two sections"},
		"a module whose manifest is a lie": {image, config, []any{layer(wasm, artifacttest.WithSection(artifacttest.Bare(), "policy.manifest", "[]"))}, "manifest: "},
	} {
		t.Run(name, func(t *testing.T) {
			ref := craft(t, map[string]any{"schemaVersion": 2, "mediaType": c.mediaType, "config": layer(c.config, empty), "layers": c.layers},
				module, empty, other, append(artifacttest.Bare(), 0, 200),
				artifacttest.WithSection(module, "policy.manifest", "{}"), artifacttest.WithSection(artifacttest.Bare(), "policy.manifest", "[]"))
			expect(t, fetch(&artifact.Store{}, ref, ""), artifact.ErrMalformed, c.want)
		})
	}
}
