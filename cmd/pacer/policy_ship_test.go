package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/artifact/artifacttest"
	"github.com/pacer-run/pacer/runtime/policy/trust"
)

// pacer runs a command line.
func pacer(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), shell{args, nil, &out, &errs})
	return code, out.String(), errs.String()
}

// works runs a command that has to work, with -o json, and returns what it says.
func works(t *testing.T, into any, args ...string) {
	t.Helper()
	code, out, errs := pacer(t, append([]string{"policy"}, append(args, "-o", "json")...)...)
	if code != 0 {
		t.Fatalf("%q: exit code %d: %s", args, code, errs)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("%q: %v in %s", args, err, out)
	}
}

// fails runs a command that has to end with that code, and to say all of the words.
func fails(t *testing.T, code int, words []string, args ...string) {
	t.Helper()
	got, out, errs := pacer(t, append([]string{"policy"}, args...)...)
	if got != code || out != "" {
		t.Errorf("%q: exit code %d, want %d; it printed %q and %q", args, got, code, out, errs)
	}
	for _, w := range words {
		if !strings.Contains(errs, w) {
			t.Errorf("%q: it printed %q, want it to say %q", args, errs, w)
		}
	}
}

// workshop is a folder with a module and keys in it.
type workshop struct{ dir, module string }

func newWorkshop(t *testing.T) workshop {
	t.Helper()
	w := workshop{dir: t.TempDir()}
	w.module = w.put(t, "m.wasm", string(artifacttest.Module("spread", "1.0.0", "one")))
	works(t, nil, "keygen", w.path("ann"))
	works(t, nil, "keygen", w.path("ben"), "--type", "ecdsa-p256")
	return w
}

func (w workshop) path(name string) string { return filepath.Join(w.dir, name) }

func (w workshop) put(t *testing.T, name, content string) string {
	t.Helper()
	if err := os.WriteFile(w.path(name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return w.path(name)
}

// config writes a policies.yaml in which ann has to sign.
func (w workshop) config(t *testing.T, modules string) string {
	t.Helper()
	return w.put(t, "policies.yaml", "trust:\n  require: true\n  keys:\n    - {name: ann, file: ann.pub}\nmodules:\n"+modules)
}

func TestAModuleIsSignedAndVerified(t *testing.T) {
	w := newWorkshop(t)
	for _, key := range []string{"ann", "ben", "ann"} { // the second of ann takes the place of the first
		works(t, nil, "sign", w.module, "--key", w.path(key+".key"))
	}
	var got shipped
	works(t, &got, "verify", w.module, "--key", w.path("ann.pub"), "--key", w.path("ben.pub"))
	if len(got.Signers) != 2 || got.Signatures != 2 || got.Name != "spread" || got.Digest != artifact.Digest(artifacttest.Module("spread", "1.0.0", "one")) {
		t.Errorf("got %+v", got)
	}
	if info, err := os.Stat(w.path("ann.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the private key has mode %v, %v", info.Mode(), err)
	}

	before := got.Digest
	w.put(t, "m.wasm", string(artifacttest.Module("spread", "1.0.0", "two")))
	fails(t, 5, []string{"signed by nobody that is trusted", before}, "verify", w.module, "--key", w.path("ann.pub"))
	fails(t, 5, []string{w.module + ".sig", "of other bytes or files", "sign it again"}, "push", w.module, "oci-layout:"+w.path("layout")+":1")
	works(t, nil, "sign", w.module, "--key", w.path("ben.key"))
	works(t, nil, "push", w.module, "oci-layout:"+w.path("layout")+":1")
	fails(t, 5, []string{"lacks " + w.path("ann.pub")}, "verify", w.module, "--key", w.path("ben.pub"), "--key", w.path("ann.pub"))
	if code, out, _ := pacer(t, "policy", "verify", w.module, "--key", w.path("ben.pub")); code != 0 || !strings.Contains(out, "spread@1.0.0 sha256:") || !strings.Contains(out, "signed by "+w.path("ben.pub")) {
		t.Errorf("exit code %d, %s", code, out)
	}
	fails(t, 4, []string{before}, "verify", w.module, "--key", w.path("ben.pub"), "--digest", before)
}

func TestAModuleWithoutAManifest(t *testing.T) {
	w := newWorkshop(t)
	program := w.put(t, "program", "#!/bin/sh\n")
	fails(t, 5, []string{"name:", "one has to be given"}, "sign", program, "--key", w.path("ann.key"))
	fails(t, 2, []string{`--name: "No Name", expected lower-case letters, digits and dashes, 63 at most`}, "sign", program, "--key", w.path("ann.key"), "--name", "No Name", "--version", "1")
	fails(t, 2, []string{`--version: "a b", expected letters, digits and . + -, 64 at most`}, "sign", program, "--key", w.path("ann.key"), "--name", "p", "--version", "a b")
	works(t, nil, "sign", program, "--key", w.path("ann.key"), "--name", "p", "--version", "1")
	works(t, nil, "verify", program, "--key", w.path("ann.pub"))
	text := w.put(t, "text", "text")
	fails(t, 5, []string{"neither WASM nor an executable file"}, "push", text, "oci-layout:"+w.path("layout")+":1")
}

// A process goes the way that a module of WASM does, with the files that belong to it;
// where it is pulled, it need not be one for this machine.
func TestAProcessGoesThroughARegistry(t *testing.T) {
	reg := artifacttest.NewRegistry(t)
	w := newWorkshop(t)
	program := w.put(t, "rules", string(artifacttest.Program(183, "")))
	if err := os.Mkdir(w.path("lib"), 0o700); err != nil {
		t.Fatal(err)
	}
	lib, conf := w.put(t, "lib/a.py", "a = 1"), w.put(t, "conf", "b")
	files := []string{"--file", lib, "--file", "etc/b=" + conf}
	works(t, nil, append([]string{"sign", program, "--key", w.path("ann.key"), "--name", "rules", "--version", "1.0.0"}, files...)...)
	fails(t, 5, []string{"of other bytes or files"}, "push", program, "oci-layout:"+w.path("layout")+":1.0.0") // and no --file
	want := map[string]string{"lib/a.py": artifact.Digest([]byte("a = 1")), "etc/b": artifact.Digest([]byte("b"))}
	for _, ref := range []string{"oci://" + reg.Host + "/policies/rules:1.0.0", "oci-layout:" + w.path("layout") + ":1.0.0"} {
		var pushed shipped
		works(t, &pushed, append([]string{"push", program, ref}, files...)...)
		config := w.config(t, fmt.Sprintf("  - {name: rules, backend: process, ref: %q}\n", ref))
		var pulled []shipped
		works(t, &pulled, "pull", "--config", config)
		if len(pulled) != 1 || pulled[0].Resolved != pushed.Resolved || len(pulled[0].Signers) != 1 || pulled[0].Platform != "linux/arm64" || !maps.Equal(pulled[0].Files, want) {
			t.Errorf("pulled %+v, pushed %+v", pulled, pushed)
		}
		lock, err := trust.ReadLock(w.path("policies.lock"))
		if err != nil {
			t.Fatal(err)
		}
		if e, _ := lock.Find(ref); len(lock.Modules) != 1 || e.Digest != pushed.Digest || !maps.Equal(e.Files, want) {
			t.Errorf("%s: the lock has %+v", ref, lock.Modules)
		}
		works(t, nil, "verify", ref, "--config", config)
		if err := os.Mkdir(w.path("copy"), 0o700); err != nil {
			t.Fatal(err)
		}
		works(t, nil, "pull", pushed.Resolved, "--out", w.path("copy/rules"))
		works(t, nil, "verify", w.path("copy/rules"), "--key", w.path("ann.pub"), "--file", w.path("copy/lib/a.py"), "--file", w.path("copy/etc/b"))
		fails(t, 5, []string{"there is no etc/b"}, "verify", w.path("copy/rules"), "--key", w.path("ann.pub"), "--file", w.path("copy/lib/a.py"))
		if err := os.RemoveAll(w.path("copy")); err != nil {
			t.Fatal(err)
		}
	}
}

// The files of a process that is a file are verified and locked as it is itself.
func TestFilesOfAProcessAreLocked(t *testing.T) {
	w := newWorkshop(t)
	program, a := w.put(t, "rules", "#!/bin/sh"), w.put(t, "a", "A")
	w.put(t, "b", "B")
	works(t, nil, "sign", program, "--key", w.path("ann.key"), "--name", "rules", "--version", "1", "--file", a)
	one := "  - {name: rules, backend: process, command: rules, files: [a]}\n"
	config := w.config(t, one)
	works(t, nil, "pull", "--config", config)
	works(t, nil, "verify", program, "--config", config)
	lock, err := trust.ReadLock(w.path("policies.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if e, _ := lock.Find("file:rules"); !maps.Equal(e.Files, map[string]string{"a": artifact.Digest([]byte("A"))}) {
		t.Errorf("the lock has %+v", e)
	}
	fails(t, 5, []string{"what ann has signed has other files beside it: b is not signed, there is no a"}, "pull", "--config", w.config(t, "  - {name: rules, backend: process, command: rules, files: [b]}\n"))
	fails(t, 5, []string{"what ann has signed has other files beside it: a is another one"}, "pull", "--config", w.config(t, "  - {name: rules, backend: process, command: rules, files: [{path: b, as: a}]}\n"))
	fails(t, 4, []string{"file a: the bytes are not as expected"}, "pull", "--config", w.config(t, "  - {name: rules, backend: process, command: rules, files: [{path: a, digest: '"+artifact.Digest(nil)+"'}]}\n"))
	open := "modules:\n" + one + "  - {name: again, backend: process, command: rules, files: [{path: b, as: a}]}\n"
	fails(t, 4, []string{"file:rules: two modules of that reference have different files a"}, "pull", "--config", w.put(t, "open.yaml", open))
	works(t, nil, "pull", "--config", w.put(t, "open.yaml", strings.Replace(open, "as: a", "as: c", 1)))
	works(t, nil, "sign", program, "--key", w.path("ben.key"), "--name", "rules", "--version", "1", "--file", a)
	works(t, nil, "verify", program, "--key", w.path("ann.pub"), "--key", w.path("ben.pub"), "--file", a)
}

func TestAModuleGoesThroughARegistry(t *testing.T) {
	reg := artifacttest.NewRegistry(t)
	w := newWorkshop(t)
	vectors := w.put(t, "vectors.txt", "vectors")
	works(t, nil, "sign", w.module, "--key", w.path("ann.key"))
	for _, ref := range []string{"oci://" + reg.Host + "/policies/spread:1.0.0", "oci-layout:" + w.path("layout") + ":1.0.0"} {
		var pushed shipped
		works(t, &pushed, "push", w.module, ref, "--vectors", vectors)
		config := w.config(t, fmt.Sprintf("  - {name: spread, ref: %q}\n", ref))
		var pulled []shipped
		works(t, &pulled, "pull", "--config", config)
		if len(pulled) != 1 || pulled[0].Resolved != pushed.Resolved || pulled[0].Signers[0].Name != "ann" {
			t.Errorf("pulled %+v, pushed %+v", pulled, pushed)
		}
		lock, err := trust.ReadLock(w.path("policies.lock"))
		if err != nil {
			t.Fatal(err)
		}
		if e, _ := lock.Find(ref); len(lock.Modules) != 1 || e.Digest != pushed.Digest || e.Resolved != pushed.Resolved || e.Name != "spread" {
			t.Errorf("%s: the lock has %+v", ref, lock.Modules)
		}
		works(t, nil, "verify", ref, "--config", config)
		works(t, nil, "verify", pushed.Resolved, "--key", w.path("ann.pub"))
		works(t, nil, "pull", pushed.Resolved, "--out", w.path("copy.wasm"))
		works(t, nil, "verify", w.path("copy.wasm"), "--key", w.path("ann.pub"))
	}
}

func TestPullWritesNothingUnlessAllIsWell(t *testing.T) {
	w := newWorkshop(t)
	works(t, nil, "sign", w.module, "--key", w.path("ann.key"))
	w.put(t, "other.wasm", string(artifacttest.Module("other", "1.0.0", "")))
	good, bad := "  - {name: spread, ref: 'file:m.wasm'}\n", "  - {name: other, ref: 'file:other.wasm'}\n"
	config := w.config(t, good+bad)
	fails(t, 5, []string{"other@1.0.0", "it is not signed"}, "pull", "--config", config)
	if _, err := os.Stat(w.path("policies.lock")); !os.IsNotExist(err) {
		t.Errorf("a lock file: %v", err)
	}
	works(t, nil, "pull", "--config", config, "file:m.wasm")
	works(t, nil, "sign", w.path("other.wasm"), "--key", w.path("ann.key"))
	works(t, nil, "pull", "--config", config)
	if lock, err := trust.ReadLock(w.path("policies.lock")); err != nil || len(lock.Modules) != 2 {
		t.Errorf("the lock file has %+v, %v", lock, err)
	}
	works(t, nil, "pull", "--config", w.config(t, good))
	if lock, err := trust.ReadLock(w.path("policies.lock")); err != nil || len(lock.Modules) != 1 {
		t.Errorf("the lock file has %+v, %v", lock, err)
	}
	// A digest that is pinned is not replaced by what is there now.
	digest := strings.Repeat("0", 64)
	fails(t, 4, []string{digest, artifact.Digest(artifacttest.Module("spread", "1.0.0", "one"))},
		"pull", "--config", w.config(t, "  - {name: spread, ref: 'file:m.wasm', digest: 'sha256:"+digest+"'}\n"))
}

func TestExitCodesOfShipping(t *testing.T) {
	reg := artifacttest.NewRegistry(t)
	w := newWorkshop(t)
	config := w.config(t, "  - {name: spread, ref: 'file:m.wasm'}\n")
	ref := "oci://" + reg.Host + "/p:1"
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{2, "got 0 arguments", []string{"sign"}},
		{2, "--key: expected", []string{"sign", w.module}},
		{2, "expected a file", []string{"sign", ref, "--key", w.path("ann.key")}},
		{2, "unknown flag: --nope", []string{"sign", "--nope"}},
		{2, "expected text or json", []string{"keygen", "x", "-o", "yaml"}},
		{2, "expected ed25519 or ecdsa-p256", []string{"keygen", w.path("new"), "--type", "rsa"}},
		{2, "expected either --key or --config", []string{"verify", w.module}},
		{2, "expected either --key or --config", []string{"verify", w.module, "--key", w.path("ann.pub"), "--config", config}},
		{2, "expected a path, file:…", []string{"verify", "http://x/y", "--config", config}},
		{2, "without a digest", []string{"push", w.module, "m.wasm"}},
		{2, "--file", []string{"push", w.module, ref, "--file", "../a=b"}},
		{5, "a WASM module has no files", []string{"push", w.module, ref, "--file", config}},
		{2, "without a digest", []string{"push", w.module, ref + "@" + artifact.Digest(nil)}},
		{2, "expected REF or --config", []string{"pull"}},
		{2, "nowhere to write to", []string{"pull", ref}},
		{2, "expected one REF, got 2", []string{"pull", ref, ref, "--out", w.path("x")}},
		{3, "no.wasm", []string{"sign", w.path("no.wasm"), "--key", w.path("ann.key")}},
		{3, "no.key", []string{"sign", w.module, "--key", w.path("no.key")}},
		{3, "no.yaml", []string{"pull", "--config", w.path("no.yaml")}},
		{3, "/p:1: not found", []string{"pull", ref, "--lock", w.path("l")}},
		{4, "ann.key: file exists", []string{"keygen", w.path("ann")}},
		{5, `PEM block "PUBLIC KEY", expected PRIVATE KEY`, []string{"sign", w.module, "--key", w.path("ann.pub")}},
		{5, "this is a private key", []string{"verify", w.module, "--key", w.path("ann.key")}},
		{5, "it is not signed", []string{"pull", "--config", config}},
		{5, "it is not signed", []string{"verify", w.module, "--config", config}},
		{5, "trust.allOf[0]", []string{"pull", "--config", w.put(t, "bad.yaml", "trust: {require: true, keys: [{name: ann, file: ann.pub}], allOf: [eve]}\n")}},
		{5, "modules", []string{"pull", "--config", w.put(t, "worse.yaml", "modules: 1\n")}},
	} {
		fails(t, c.code, []string{c.want}, c.args...)
	}
	reg.Answer(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	fails(t, 6, []string{"the registry refuses access"}, "push", w.module, ref)
}
