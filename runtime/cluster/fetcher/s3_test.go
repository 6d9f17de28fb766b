package fetcher

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// bucket is a server with the objects in a bucket of this name, and what its clients sent as their authorization.
type bucket struct {
	*httptest.Server
	mu    sync.Mutex
	signs []string
}

func newBucket(t *testing.T, objects map[string]string) *bucket {
	t.Helper()
	backend := s3mem.New()
	must(t, backend.CreateBucket("bucket"))
	for key, text := range objects {
		meta := map[string]string{"Last-Modified": epoch.Format(http.TimeFormat)}
		_, err := backend.PutObject("bucket", key, meta, strings.NewReader(text), int64(len(text)), nil)
		must(t, err)
	}
	b := &bucket{}
	fake := gofakes3.New(backend).Server()
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.signs = append(b.signs, r.Header.Get("Authorization")+r.Header.Get("X-Amz-Security-Token"))
		b.mu.Unlock()
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *bucket) lastSign() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.signs[len(b.signs)-1]
}

func TestS3(t *testing.T) {
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	b := newBucket(t, map[string]string{"a/x": "from s3", "a/b%20c d?e": "odd key", "empty": ""})
	env := map[string]string{
		"AWS_ENDPOINT_URL": b.URL, "AWS_REGION": "eu-north-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session",
	}
	signed := Config{S3: S3FromEnv(func(name string) string { return env[name] })}
	for _, scheme := range []string{"s3", "s3a", "s3n", "S3"} {
		fetched(t, signed, scheme+"://bucket/a/x", "from s3")
	}
	if sign := b.lastSign(); !strings.HasPrefix(sign, "AWS4-HMAC-SHA256 Credential=id/") || !strings.Contains(sign, "/eu-north-1/s3/") || !strings.HasSuffix(sign, "session") {
		t.Errorf("signed %q", sign)
	}
	fetched(t, signed, "s3://bucket/a/b%20c d?e", "odd key")
	fetched(t, signed, "s3://bucket/empty", "")
	failed(t, signed, "s3://bucket/missing", "NoSuchKey")
	failed(t, signed, "s3://nobucket/x", "NoSuchBucket")
	public := Config{S3: S3{Endpoint: b.URL}}
	fetched(t, public, "s3://bucket/a/x", "from s3")
	if sign := b.lastSign(); sign != "" {
		t.Errorf("without credentials signed %q", sign)
	}
	b.Close()
	failed(t, signed, "s3://bucket/a/x", "refused")
}

// Without keys in the settings those of the shared file are used.
func TestS3CredentialsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	must(t, os.WriteFile(path, []byte("[default]\naws_access_key_id = fromfile\naws_secret_access_key = s\n"), 0o600))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", path)
	b := newBucket(t, map[string]string{"x": "text"})
	fetched(t, Config{S3: S3{Endpoint: b.URL, Region: "us-east-1"}}, "s3://bucket/x", "text")
	if sign := b.lastSign(); !strings.Contains(sign, "Credential=fromfile/") {
		t.Errorf("signed %q", sign)
	}
}

func TestS3Truncated(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Header().Set("ETag", `"x"`)
		w.Header().Set("Last-Modified", "Sun, 13 Sep 2020 12:26:40 GMT")
		fmt.Fprint(w, "short")
	}))
	defer s.Close()
	failed(t, Config{S3: S3{Endpoint: s.URL, Region: "us-east-1"}}, "s3://bucket/x", "broke off after 5 bytes")
}

func TestBadSettings(t *testing.T) {
	for _, cfg := range []Config{
		{},
		{CacheDir: "/dev/null/x"},
		{CacheDir: t.TempDir(), S3: S3{Endpoint: "host:9000"}},
		{CacheDir: t.TempDir(), S3: S3{Endpoint: "ftp://host"}},
		{CacheDir: t.TempDir(), S3: S3{Endpoint: "http://host/path"}},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v: no error", cfg)
		} else {
			refused(t, err, "fetcher: ")
		}
	}
}
