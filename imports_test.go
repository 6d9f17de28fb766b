// Package pacer_test holds the tests of the tree as a whole: which package may
// depend on which, and on what of others.
package pacer_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/pacer-run/pacer/"

// layers are the folders from the outermost to the innermost. A package may
// import packages of layers below its own, and those that beside grants.
var layers = [][]string{
	{"cmd", "e2e", "bench"},
	{"runtime/api", "runtime/driver", "runtime/master", "runtime/store", "runtime/election", "runtime/policy", "runtime/health", "runtime/cluster", "plugins", "examples"},
	{"runtime/zookeeper"},
	{"runtime/scheduler"},
	{"runtime/deployment", "runtime/placement", "runtime/launch"},
	{"runtime/spec"},
	{"sdk"},
}

// beside are imports within a layer: a folder's own parts aside, the core's
// pieces may build on each other where the arrow is noted here.
var beside = map[string][]string{
	"runtime/launch": {"runtime/placement"},
}

// narrow are folders that may import less than the layers below them.
var narrow = map[string][]string{
	"plugins":           {"plugins", "sdk"},
	"examples":          {"examples", "sdk"},
	"sdk":               {"sdk"},
	"runtime/policy":    {"runtime/policy", "sdk"},
	"runtime/cluster":   {"runtime/cluster"},
	"runtime/store":     {"runtime/store", "runtime/zookeeper"},
	"runtime/election":  {"runtime/election", "runtime/zookeeper"},
	"runtime/zookeeper": {"runtime/zookeeper"},
	"runtime/api":       {"runtime/api", "runtime/scheduler", "runtime/deployment", "runtime/placement", "runtime/spec", "sdk"},
	"runtime/driver":    {"runtime/driver", "runtime/scheduler", "runtime/placement", "runtime/spec", "sdk"},
	"runtime/master":    {"runtime/master", "runtime/scheduler", "runtime/launch", "runtime/placement", "runtime/spec"},
}

// pure are the folders whose packages reach no I/O and no source of randomness.
var pure = []string{"runtime/spec", "runtime/deployment", "runtime/placement", "runtime/launch", "runtime/scheduler"}

// impure is what pure packages must not reach, at any distance. os is not among
// them: fmt needs it; the linter forbids its direct use.
var impure = []string{"net", "net/http", "os/exec", "math/rand", "math/rand/v2", "crypto/rand"}

// homes are the folders where a third-party module may be imported, apart from
// tests. cmd and e2e are no exception.
var homes = map[string][]string{
	"github.com/containerd/errdefs":           {"runtime/cluster/docker"},
	"github.com/distribution/reference":       {"runtime/cluster/docker"},
	"github.com/docker/go-units":              {"runtime/cluster/docker"},
	"github.com/moby/moby/":                   {"runtime/cluster/docker"},
	"github.com/colinmarc/hdfs/":              {"runtime/cluster/fetcher"},
	"github.com/go-chi/chi/":                  {"runtime/api"},
	"github.com/go-zookeeper/zk":              {"runtime/zookeeper"},
	"github.com/google/go-cmp":                {"runtime/store/storetest"}, // apart from tests
	"github.com/google/go-containerregistry/": {"runtime/policy/artifact/artifacttest"},
	"github.com/google/uuid":                  {"runtime/driver", "runtime/cluster", "runtime/store", "runtime/election"},
	"github.com/hashicorp/go-hclog":           {"runtime/policy/process", "sdk/process"},
	"github.com/hashicorp/go-plugin":          {"runtime/policy/process", "sdk/process"},
	"github.com/hashicorp/go-immutable-radix": {"runtime/spec", "runtime/scheduler", "runtime/api"},
	"github.com/klauspost/compress":           {"runtime/api"},
	"github.com/opencontainers/":              {"runtime/policy/artifact"},
	"github.com/pavlo-v-chernykh/keystore-go": {"cmd"},
	"software.sslmate.com/src/go-pkcs12":      {"cmd"},
	"github.com/jlaffaye/ftp":                 {"runtime/cluster/fetcher"},
	"github.com/mesos/mesos-go":               {"runtime/launch", "runtime/master", "runtime/cluster", "bench"},
	"github.com/minio/minio-go/":              {"runtime/cluster/fetcher"},
	"github.com/gogo/protobuf":                {"runtime/launch", "runtime/master", "runtime/cluster", "bench"},
	"github.com/prometheus/":                  {"runtime/api"},
	"github.com/spf13/":                       {"cmd"},
	"github.com/tetratelabs/wazero":           {"runtime/policy", "bench"},
	"github.com/therootcompany/xz":            {"runtime/cluster/fetcher"},
	"go.etcd.io/bbolt":                        {"runtime/store"},
	"go.yaml.in/yaml/":                        {"runtime/policy/roster", "runtime/policy/author"},
	"github.com/santhosh-tekuri/jsonschema/":  {"runtime/policy/settings"},
	"golang.org/x/sync":                       {"cmd", "runtime"},
	"oras.land/oras-go/":                      {"runtime/policy/artifact"},
	"golang.org/x/sys":                        {"runtime/cluster", "runtime/policy/process", "bench"},
	"google.golang.org/grpc":                  {"runtime/policy/process", "sdk/process"},
	"pgregory.net/rapid":                      {"runtime/store/storetest"},
}

// pkg is what `go list` tells of a package.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Standard   bool
}

// packages lists the tree.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps,Standard", "./...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var list []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// folder is the path inside the tree; ok is false for packages of others.
func folder(path string) (dir string, ok bool) { return strings.CutPrefix(path, module) }

// inside tells whether dir is one of the folders or below it.
func inside(dir string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		return dir == f || strings.HasPrefix(dir, strings.TrimSuffix(f, "/")+"/")
	})
}

// home is the layer's folder that dir is in, and the layer's number.
func home(dir string) (name string, layer int) {
	for i, names := range layers {
		for _, n := range names {
			if inside(dir, []string{n}) {
				return n, i
			}
		}
	}
	return "", -1
}

func TestImportsPointInward(t *testing.T) {
	for _, p := range packages(t) {
		dir, ok := folder(p.ImportPath)
		if !ok {
			continue // the root, which has tests only
		}
		from, layer := home(dir)
		if layer < 0 {
			t.Errorf("%s is in no layer: add its folder to layers, and say in RATIONALE.md why it is new", dir)
			continue
		}
		for _, path := range p.Imports {
			target, ok := folder(path)
			if !ok {
				continue
			}
			to, below := home(target)
			allowed := below > layer || to == from || slices.Contains(beside[from], to)
			if list, ok := narrow[from]; ok && !inside(target, list) {
				allowed = false
			}
			if !allowed {
				t.Errorf("%s imports %s: dependencies point inward, and adapters do not know each other", dir, target)
			}
		}
	}
}

func TestPurePackagesReachNoIO(t *testing.T) {
	for _, p := range packages(t) {
		dir, ok := folder(p.ImportPath)
		if !ok || !inside(dir, pure) {
			continue
		}
		for _, bad := range impure {
			if slices.Contains(p.Deps, bad) {
				t.Errorf("%s reaches %s: the core performs no I/O, and randomness comes in", dir, bad)
			}
		}
	}
}

func TestThirdPartiesStayAtHome(t *testing.T) {
	for _, p := range packages(t) {
		dir, ok := folder(p.ImportPath)
		if !ok {
			continue
		}
		for _, path := range p.Imports {
			first, _, _ := strings.Cut(path, "/")
			if _, own := folder(path); own || !strings.Contains(first, ".") {
				continue
			}
			known := false
			for prefix, folders := range homes {
				if strings.HasPrefix(path, prefix) {
					known = true
					if !inside(dir, folders) {
						t.Errorf("%s imports %s, which belongs in %s", dir, path, strings.Join(folders, ", "))
					}
				}
			}
			if !known {
				t.Errorf("%s imports %s, which no entry of homes allows: name its home, and its reason in RATIONALE.md", dir, path)
			}
		}
	}
}
