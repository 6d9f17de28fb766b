package cluster_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// registry serves one image, team/app:1, to one user.
type registry struct {
	*httptest.Server
	asked atomic.Int32 // for what the tag is
}

const registryUser, registryPassword = "reader", "open sesame"

func newRegistry(t *testing.T) *registry {
	t.Helper()
	r := &registry{}
	documents := imageDocuments(t)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if user, password, _ := req.BasicAuth(); user != registryUser || password != registryPassword {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
			return
		}
		name := req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]
		if name == "1" {
			r.asked.Add(1)
		}
		d, ok := documents[name]
		if !ok && name != "" {
			http.NotFound(w, req)
			return
		}
		w.Header().Set("Content-Type", d.kind)
		w.Header().Set("Docker-Content-Digest", digestOf(d.text))
		_, _ = w.Write(d.text)
	}))
	t.Cleanup(r.Close)
	return r
}

// document is what a registry has under one name: a tag or a digest.
type document struct {
	kind string
	text []byte
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// imageDocuments make up an image with a busybox and a file that tells it from all others.
func imageDocuments(t *testing.T) map[string]document {
	t.Helper()
	plain := layer(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	text := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	config := text(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": map[string]any{"Cmd": []string{"/bin/sh"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digestOf(plain)}},
	})
	const kind = "application/vnd.docker.distribution.manifest.v2+json"
	manifest := text(map[string]any{
		"schemaVersion": 2, "mediaType": kind,
		"config": map[string]any{
			"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": digestOf(config),
		},
		"layers": []any{map[string]any{
			"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": packed.Len(), "digest": digestOf(packed.Bytes()),
		}},
	})
	const bytesKind = "application/octet-stream"
	return map[string]document{
		"1": {kind, manifest}, digestOf(manifest): {kind, manifest},
		digestOf(config): {bytesKind, config}, digestOf(packed.Bytes()): {bytesKind, packed.Bytes()},
	}
}

// layer is a tar file of the whole image.
func layer(t *testing.T) []byte {
	t.Helper()
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatalf("%v (the tests need busybox-static: tools/needs.sh)", err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		head tar.Header
		text []byte
	}{
		{tar.Header{Name: "bin/", Typeflag: tar.TypeDir, Mode: 0o755}, nil},
		{tar.Header{Name: "bin/busybox", Typeflag: tar.TypeReg, Mode: 0o755}, busybox},
		{tar.Header{Name: "bin/sh", Typeflag: tar.TypeSymlink, Linkname: "busybox"}, nil},
		{tar.Header{Name: "bin/cat", Typeflag: tar.TypeSymlink, Linkname: "busybox"}, nil},
		{tar.Header{Name: "whose", Typeflag: tar.TypeReg, Mode: 0o644}, []byte("private to " + t.Name() + "\n")},
	} {
		f.head.Size = int64(len(f.text))
		if err := w.WriteHeader(&f.head); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// credentials writes the two files that a task may bring along: docker.tar.gz with a configuration, and a .dockercfg.
func credentials(t *testing.T, registry string) (archive, old string) {
	t.Helper()
	dir := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte(registryUser + ":" + registryPassword))
	entry := `{"` + registry + `":{"auth":"` + auth + `"}}`
	old = filepath.Join(dir, ".dockercfg")
	if err := os.WriteFile(old, []byte(entry), 0o600); err != nil {
		t.Fatal(err)
	}
	config := []byte(`{"auths":` + entry + `}`)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: ".docker/config.json", Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(config))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(config); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	archive = filepath.Join(dir, "docker.tar.gz")
	if err := os.WriteFile(archive, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return archive, old
}

// An image of a registry that asks who is there is pulled with the credentials that the task brings along, in either form.
// An image that is there is not pulled again unless the task wants it.
func TestDockerPrivateRegistry(t *testing.T) {
	_, f := dockerWorld(t)
	r := newRegistry(t)
	host := strings.TrimPrefix(r.URL, "http://")
	image := host + "/team/app:1"
	t.Cleanup(func() { docker(t, "rmi", "-f", image) })
	archive, old := credentials(t, host)
	private := func(uri string, force bool) func(*mesos.TaskInfo) {
		return func(i *mesos.TaskInfo) {
			i.Container.Docker.Image, i.Container.Docker.ForcePullImage = image, &force
			if uri != "" {
				i.Command.URIs = []mesos.CommandInfo_URI{{Value: "file://" + uri, Extract: new(true)}}
			}
		}
	}
	f.launch(f.offer(), container("stranger.1", "cat /whose", onHost, private("", false)))
	if s := f.status("stranger.1"); s.GetState() != mesos.TASK_FAILED || !strings.Contains(s.GetMessage(), "Failed to pull image '"+image+"'") {
		t.Errorf("without credentials: %v %q", s.GetState(), s.GetMessage())
	}
	for _, tc := range []struct {
		id, uri string
		force   bool
		pulled  bool
	}{
		{"archive.1", archive, false, true},
		{"there.1", "", false, false},
		{"old.1", old, true, true},
	} {
		before := r.asked.Load()
		f.launch(f.offer(), container(tc.id, "cat /whose", onHost, private(tc.uri, tc.force)))
		states := f.states(tc.id, mesos.TASK_FINISHED, mesos.TASK_FAILED)
		if last := states[len(states)-1]; last != "TASK_FINISHED" {
			t.Errorf("%s: %v", tc.id, states)
		}
		if pulled := r.asked.Load() > before; pulled != tc.pulled {
			t.Errorf("%s: pulled %v, want %v", tc.id, pulled, tc.pulled)
		}
	}
}

// The grace of a kill wins over that of a container's task, which here is longer than the test has time.
func TestDockerKillPolicy(t *testing.T) {
	_, f := dockerWorld(t)
	patient := func(i *mesos.TaskInfo) { i.KillPolicy.GracePeriod.Nanoseconds = int64(10 * patience) }
	f.launch(f.offer(), container("patient.1", "while :; do sleep 1000; done", onHost, patient))
	f.states("patient.1", mesos.TASK_RUNNING)
	f.call(&scheduler.Call{Type: scheduler.Call_KILL, Kill: &scheduler.Call_Kill{
		TaskID:     mesos.TaskID{Value: "patient.1"},
		KillPolicy: &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: int64(100 * time.Millisecond)}},
	}})
	if states := f.states("patient.1", mesos.TASK_KILLED); len(states) != 2 {
		t.Errorf("%v, want TASK_KILLING and TASK_KILLED", states)
	}
}

// A network of docker's is named, and RUNNING tells the address that the container has there.
func TestDockerUserNetwork(t *testing.T) {
	_, f := dockerWorld(t)
	name := "pacer-test-" + strings.ToLower(t.Name())
	docker(t, "network", "create", "--subnet", "10.123.45.0/24", name)
	t.Cleanup(func() { docker(t, "network", "rm", name) })
	named := func(i *mesos.TaskInfo) { i.Container.NetworkInfos = []mesos.NetworkInfo{{Name: &name}} }
	f.launch(f.offer(), container("net.1", "exec sleep 1000", mesos.ContainerInfo_DockerInfo_USER, named))
	f.states("net.1", mesos.TASK_STARTING)
	if s := f.status("net.1"); s.GetState() != mesos.TASK_RUNNING || !strings.HasPrefix(addressIn(s), "10.123.45.") {
		t.Errorf("%v %q at %s", s.GetState(), s.GetMessage(), addressIn(s))
	}
	f.kill("net.1")
	f.states("net.1", mesos.TASK_KILLED)
	f.launch(f.offer(), container("none.1", "true", mesos.ContainerInfo_DockerInfo_USER, func(i *mesos.TaskInfo) {
		i.Container.NetworkInfos = []mesos.NetworkInfo{{Name: new("pacer-test-no-such")}}
	}))
	f.states("none.1", mesos.TASK_STARTING)
	if s := f.status("none.1"); s.GetState() != mesos.TASK_FAILED || !strings.Contains(s.GetMessage(), "pacer-test-no-such") {
		t.Errorf("on a network that there is not: %v %q", s.GetState(), s.GetMessage())
	}
}
