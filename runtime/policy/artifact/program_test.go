package artifact_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/artifact/artifacttest"
)

// program is a module that is a process, with all that may belong to one.
func program(t *testing.T) *artifact.Module {
	t.Helper()
	m, err := artifact.New(artifacttest.Program(183, "one"))
	if err != nil {
		t.Fatal(err)
	}
	m.Files = []artifact.Attachment{{Name: "data.json", Bytes: []byte("{}")}, {Name: "lib/rules.py", Bytes: []byte("x = 1")}}
	m.Signatures = [][]byte{[]byte(`{"a":1}`)}
	return m
}

// A program comes back with its files from everywhere, whatever machine looks at it.
func TestProgramsArePushedAndFetched(t *testing.T) {
	for _, place := range places(t) {
		var store artifact.Store
		want := program(t)
		pushed, err := store.Push(t.Context(), parse(t, "%s:1.0.0", place), want)
		if err != nil {
			t.Fatal(err)
		}
		want.Ref = pushed
		got, err := store.Fetch(t.Context(), pushed, want.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		_, err = store.Fetch(t.Context(), pushed, "", artifact.AttachmentRef{Name: "a", Path: "a"})
		expect(t, err, artifact.ErrMalformed, "has its files with it")
	}
	dir := filepath.Join(t.TempDir(), "program")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	want := program(t)
	if err := artifact.WriteFile(filepath.Join(dir, "p"), want); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "p")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v, %v", info, err)
	}
	store := artifact.Store{Dir: dir}
	want.Ref = parse(t, "p")
	got, err := store.Fetch(t.Context(), want.Ref, "", artifact.AttachmentRef{Name: "lib/rules.py", Path: "lib/rules.py", Digest: artifact.Digest([]byte("x = 1"))},
		artifact.AttachmentRef{Name: "data.json", Path: filepath.Join(dir, "data.json")})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestFilesOfProgramsThatAreNotTaken(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "p"), []byte("#!/bin/sh"))
	write(t, filepath.Join(dir, "m.wasm"), artifacttest.Module("m", "1.0.0", ""))
	write(t, filepath.Join(dir, "a"), []byte("A"))
	store := artifact.Store{Dir: dir}
	refused := func(kind error, want, program string, files ...artifact.AttachmentRef) {
		t.Helper()
		_, err := store.Fetch(t.Context(), parse(t, "%s", program), "", files...)
		expect(t, err, kind, want)
	}
	refused(artifact.ErrMalformed, "a WASM module has no files", "m.wasm", artifact.AttachmentRef{Name: "a", Path: "a"})
	refused(artifact.ErrNotFound, "file b: ", "p", artifact.AttachmentRef{Name: "b", Path: "b"})
	refused(artifact.ErrChanged, "file a: ", "p", artifact.AttachmentRef{Name: "a", Path: "a", Digest: artifact.Digest(nil)})
	refused(artifact.ErrMalformed, `there is "p" already`, "p", artifact.AttachmentRef{Name: "p", Path: "a"})
	refused(artifact.ErrMalformed, `there is "p" already`, "p", artifact.AttachmentRef{Name: "p/a", Path: "a"})
	refused(artifact.ErrMalformed, `there is "x/y" already`, "p", artifact.AttachmentRef{Name: "x/y", Path: "a"}, artifact.AttachmentRef{Name: "x", Path: "a"})
	for _, name := range []string{"", ".", "..", "../a", "/a", "a/../b", "a/", "a\\b", "a\x00", strings.Repeat("a", 256)} {
		refused(artifact.ErrMalformed, "expected a path below the module's working folder", "p", artifact.AttachmentRef{Name: name, Path: "a"})
	}
	store.MaxBytes = 9 // the program has them all
	refused(artifact.ErrMalformed, "a is larger than 0 bytes", "p", artifact.AttachmentRef{Name: "a", Path: "a"})
}

func TestNamesOfFiles(t *testing.T) {
	for _, tt := range [][3]string{
		{"p", "lib/a.py", "lib/a.py"}, {"bin/p", "bin/lib/a.py", "lib/a.py"}, {"bin/p", "share/a.py", "a.py"}, {"/x/p", "/x/a", "a"}, {"p", "/x/a", "a"}, {"p", "../a", "a"},
	} {
		if got := artifact.FileName(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%s beside %s is %s, want %s", tt[1], tt[0], got, tt[2])
		}
	}
}

func TestPlatforms(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		program []byte
		want    string
	}{
		{own, runtime.GOOS + "/" + runtime.GOARCH},
		{[]byte("#!/usr/bin/python3\n"), ""},
		{artifacttest.Program(62, ""), "linux/amd64"},
		{artifacttest.Program(183, ""), "linux/arm64"},
		{artifacttest.Program(8, ""), "linux/mips"},
	} {
		got, err := artifact.Platform(tt.program)
		if err != nil || got != tt.want {
			t.Errorf("%q, %v; want %q", got, err, tt.want)
		}
	}
	for _, ours := range []string{"linux/amd64", "linux/arm64"} {
		if err := artifact.CheckPlatform([]byte("#!/bin/sh"), ours); err != nil {
			t.Error(err)
		}
		if err := artifact.CheckPlatform(artifacttest.Program(183, ""), ours); (err == nil) != (ours == "linux/arm64") {
			t.Errorf("%s: %v", ours, err)
		}
	}
	expect(t, artifact.CheckPlatform(artifacttest.Program(183, ""), "linux/amd64"), artifact.ErrPlatform, "it is an executable for linux/arm64, and this is linux/amd64")
	expect(t, artifact.CheckPlatform([]byte("MZ"), "linux/amd64"), artifact.ErrMalformed, "neither WASM nor an executable file of Linux (ELF) nor a script")
}

func TestArtifactsThatAreNoPrograms(t *testing.T) {
	const (
		config = "application/vnd.pacer.policy.process.config.v1+json"
		exe    = "application/vnd.pacer.policy.executable.v1"
		file   = "application/vnd.pacer.policy.file.v1"
	)
	good, module, arm, empty := []byte("#!/bin/sh"), artifacttest.Module("a", "1.0.0", ""), []byte(`{"os":"linux","architecture":"arm64"}`), []byte("{}")
	machine := artifacttest.Program(62, "")
	for name, c := range map[string]struct {
		config []byte
		layers []any
		want   string
	}{
		"no program":                 {empty, []any{layer("application/wasm", module)}, "it has 0 layers " + exe},
		"a module in disguise":       {empty, []any{layer(exe, module)}, "its layer " + exe + " is something else"},
		"another machine's":          {arm, []any{layer(exe, machine)}, `its config says that it is for "linux/arm64", its executable file is for "linux/amd64"`},
		"a machine that is not told": {empty, []any{layer(exe, machine)}, `its config says that it is for ""`},
		"a config that is none":      {good, []any{layer(exe, good)}, "its config: "},
		"no executable":              {empty, []any{layer(exe, empty)}, "neither WASM nor"},
		"a file that climbs":         {empty, []any{layer(exe, good), titled(file, empty, "../x")}, `file "../x": expected a path below`},
		"a file without a name":      {empty, []any{layer(exe, good), layer(file, empty)}, `file ""`},
		"two of one name":            {empty, []any{layer(exe, good), titled(file, empty, "x"), titled(file, empty, "x")}, `there is "x" already`},
	} {
		t.Run(name, func(t *testing.T) {
			ref := craft(t, map[string]any{"schemaVersion": 2, "config": layer(config, c.config), "layers": c.layers}, good, module, arm, empty, machine)
			expect(t, fetch(&artifact.Store{}, ref, ""), artifact.ErrMalformed, c.want)
		})
	}
	ref := craft(t, map[string]any{"schemaVersion": 2, "config": layer("application/vnd.wasm.config.v0+json", empty), "layers": []any{layer("application/wasm", good)}}, good, empty)
	expect(t, fetch(&artifact.Store{}, ref, ""), artifact.ErrMalformed, "its layer application/wasm is something else")
}
