package author_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/author"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk/manifest"
)

// good is a module without a manifest, with the operator EVEN… of the engine's tests.
const good = "../wasm/testdata/good.wasm"

func open(t *testing.T, path string) *author.Source {
	t.Helper()
	s, err := author.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestInspect(t *testing.T) {
	i, err := open(t, good).Inspect()
	if err != nil {
		t.Fatal(err)
	}
	if i.Manifest != nil || i.Size == 0 || len(i.Digest) != 64 || i.MinPages == 0 || i.MaxPages < i.MinPages || i.Metered <= i.Size/2 {
		t.Errorf("%+v", i)
	}
	exports := map[string]string{}
	for _, p := range i.Exports {
		exports[p.Name] = p.Type
	}
	if exports["constraint_prepare"] != "(i32) -> (i64)" || exports["memory"] != "memory" || exports["policy_fuel"] != "" {
		t.Errorf("%v", exports)
	}
	if _, err := open(t, "../wasm/testdata/refused-own-fuel.wasm").Inspect(); err == nil {
		t.Error("a module that the host refuses was inspected")
	}
}

// embedded is a file with the module good and this manifest.
func embedded(t *testing.T, text string) string {
	t.Helper()
	m, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	if code, err = manifest.Embed(code, m); err != nil {
		t.Fatal(err)
	}
	return file(t, "with.wasm", string(code))
}

func TestCheck(t *testing.T) {
	checkup := open(t, good).Check(t.Context(), author.LoadOptions{})
	if !checkup.OK || checkup.Findings[0].Text != "none: the host's own limits count, and no settings are known" {
		t.Errorf("%+v", checkup)
	}
	lies := `{"name":"other","version":"9","abi":"1.1","kinds":{"constraint":["NONE"]}}`
	for _, tt := range []struct{ path, stage, want string }{
		{"../wasm/testdata/refused-own-fuel.wasm", "code", ""},
		{"../wasm/testdata/refused-start-loop.wasm", "start", "fuel exhausted"},
		{"../wasm/testdata/refused-import.wasm", "start", "not granted"},
		{embedded(t, lies), "start", "manifest"},
	} {
		checkup := open(t, tt.path).Check(t.Context(), author.LoadOptions{})
		last := checkup.Findings[len(checkup.Findings)-1]
		if checkup.OK || last.OK || last.Stage != tt.stage || !strings.Contains(last.Text, tt.want) {
			t.Errorf("%s: %+v", tt.path, checkup)
		}
	}
}

// What is set goes over the defaults of the manifest and has to fit its schema, as with
// a host.
func TestCheckOfSettings(t *testing.T) {
	with := func(defaults string) string {
		return `{"name":"bad","version":"1","abi":"1.0","kinds":{"constraint":["BAD"]},"settings":{"defaults":` + defaults +
			`,"schema":{"type":"object","additionalProperties":false,"properties":{"per":{"type":"number"}}}}}`
	}
	for _, tt := range []struct{ defaults, set, want string }{
		{`{"per":1}`, ``, ""},
		{`{"per":1}`, `{"per":2}`, ""},
		{`{"per":1}`, `{"per":"two"}`, "/per: got string, want number"},
		{`{"per":1}`, `{"pre":2}`, "additional properties 'pre' not allowed"},
		{`{"per":"one"}`, ``, "/per: got string, want number"},
		{`{"per":1}`, `[]`, "expected an object in JSON"},
		{`{"per":1}`, `null`, "expected an object in JSON"},
		{`{"per":1}`, `{"per":`, "expected an object in JSON"},
	} {
		source := open(t, embedded(t, with(tt.defaults)))
		o := author.LoadOptions{Settings: tt.set}
		checkup := source.Check(t.Context(), o)
		wrong := ""
		for _, f := range checkup.Findings {
			if !f.OK {
				wrong += f.Stage + " " + f.Text
			}
		}
		if tt.want == "" && wrong != "" || tt.want != "" && (!strings.HasPrefix(wrong, "settings ") || !strings.Contains(wrong, tt.want)) {
			t.Errorf("%s over %s: %q", tt.set, tt.defaults, wrong)
		}
		_, end, err := source.Load(t.Context(), o)
		if err == nil {
			end()
		}
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s over %s: %v", tt.set, tt.defaults, err)
		}
	}
}

func TestOpenTellsWhatIsMissing(t *testing.T) {
	if _, err := author.Open("no/such.wasm"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := author.Open(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := author.Open(file(t, "no.wasm", "hello")); err == nil || !strings.Contains(err.Error(), "not a WASM module") {
		t.Errorf("%v", err)
	}
	dir := filepath.Join(t.TempDir(), "new-one")
	if _, err := author.New(author.Scaffold{Dir: dir, Lang: "c", Kind: remote.KindFetch}); err != nil {
		t.Fatal(err)
	}
	if _, err := author.Open(dir); !errors.Is(err, author.ErrNotBuilt) {
		t.Errorf("%v", err)
	}
}

func TestProjects(t *testing.T) {
	const kinds = "\nkinds: {fetch: [a]}\n"
	for _, tt := range []struct{ text, want string }{
		{"name: a\nversion: 1.10\nabi: 1.1" + kinds, ""},
		{"name: a\nversion: \"1\"\nabi: \"1.1\"\nbuild: make\noutput: out/x.wasm\nvectors: [a.txt]" + kinds, ""},
		{"- a", "expected a mapping"},
		{"name: [", "yaml"},
		{"name: a\nversion: 1\nabi: 1.1\nkinds: {fetch: [A]}\nlimits: {fuel: 1}\n", "/limits/fuel: no such field"},
		{"name: a\nversion: 1\nabi: 1.1\noutput: ../x.wasm" + kinds, "output"},
		{"name: a\nversion: 1\nabi: 1.1\noutput: x" + kinds, "output"},
		{"name: a\nversion: 1\nabi: 1.1\nvectors: [/etc/x]" + kinds, "vectors"},
		{"name: a\nversion: 1\nabi: 1.1\nbuild: [1]" + kinds, "build"},
	} {
		p, err := author.OpenProject(filepath.Dir(file(t, author.ProjectFile, tt.text)))
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%q: %v", tt.text, err)
		case tt.want == "" && (p.Manifest.ABI != "1.1" || p.Output == "" || strings.Contains(tt.text, "1.10") && p.Manifest.Version != "1.10"):
			t.Errorf("%q: %+v", tt.text, p)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%q: got %v, want %q in it", tt.text, err, tt.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	full := filepath.Dir(file(t, "x", ""))
	for _, tt := range []struct {
		s    author.Scaffold
		want string
	}{
		{author.Scaffold{Dir: full, Lang: "c", Name: "a"}, "not empty"},
		{author.Scaffold{Dir: full + "/a", Lang: "cobol"}, `language "cobol": expected one of go`},
		{author.Scaffold{Dir: full + "/A_b", Lang: "c"}, `name "A_b": expected a lower-case letter`},
		{author.Scaffold{Dir: full + "/a", Lang: "c", Name: "1a"}, `name "1a"`},
		{author.Scaffold{Dir: full + "/a", Lang: "c", Name: "a-"}, `no dash at the end`},
		{author.Scaffold{Dir: full + "/My Policy", Lang: "c"}, "--name gives another one than the folder's"},
		{author.Scaffold{Lang: "c", Name: "a"}, "expected a folder"},
	} {
		if _, err := author.New(tt.s); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q in it", err, tt.want)
		}
	}
}

// A project in Go may be called as a package or a word of Go itself.
func TestGoScaffoldsHaveAnyName(t *testing.T) {
	for _, name := range []string{"go", "fmt", "std", "unsafe", "con"} {
		dir := filepath.Join(t.TempDir(), name)
		if _, err := author.New(author.Scaffold{Dir: dir, Lang: "go", Kind: remote.KindHealth}); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("go", "list", "-deps", ".")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

// scaffold makes a project.
func scaffold(t *testing.T, lang string, kind remote.Kind) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "first-"+kind.String())
	if _, err := author.New(author.Scaffold{Dir: dir, Lang: lang, Kind: kind}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// build builds it with settings of the environment in front of its build line.
func build(t *testing.T, dir, environment string) {
	t.Helper()
	p, err := author.OpenProject(dir)
	if err != nil {
		t.Fatal(err)
	}
	p.Build = environment + p.Build
	var said strings.Builder
	built, err := p.Make(t.Context(), &said)
	if err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	if source := open(t, dir); built.Size != len(source.Code) || built.Digest != source.Digest || !cmp.Equal(source.Manifest, p.Manifest) {
		t.Errorf("built %+v", built)
	} else if bytes.Contains(source.Code, []byte(dir)) {
		t.Error("the module has in it where it was built: elsewhere it would have another digest")
	}
}

// passes tests the project's module with all its vectors.
func passes(t *testing.T, dir string) {
	t.Helper()
	source := open(t, dir)
	if checkup := source.Check(t.Context(), author.LoadOptions{}); !checkup.OK {
		t.Fatalf("%+v", checkup)
	}
	m, end, err := source.Load(t.Context(), author.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	p, err := author.OpenProject(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := p.VectorFiles()
	if err != nil {
		t.Fatal(err)
	}
	var cases []author.Case
	for _, name := range files {
		cases = append(cases, read(t, name)...)
	}
	report := author.Test(t.Context(), m, cases, nil)
	if report.Failed > 0 || report.Passed < len(cases) || report.Cases[0].Fuel <= 0 {
		t.Errorf("%d passed, %d failed: %v", report.Passed, report.Failed, failures(report))
	}
}

// What new writes builds, loads and passes its vectors, in every language.
func TestScaffoldsPass(t *testing.T) {
	for _, lang := range []string{"c", "rust"} {
		for kind := range remote.Kinds {
			t.Run(lang+" "+kind.String(), func(t *testing.T) {
				t.Parallel()
				dir := scaffold(t, lang, kind)
				environment := ""
				if lang == "rust" && kind != remote.KindConstraint { // that is quicker to build
					environment = "CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 "
				}
				build(t, dir, environment)
				passes(t, dir)
			})
		}
	}
}

// In AssemblyScript, with the compiler that the SDK's own tests have.
func TestAssemblyScriptScaffoldsPass(t *testing.T) {
	compiler, err := filepath.Abs("../../../sdk/assemblyscript/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(compiler); err != nil {
		t.Fatalf("it takes npm ci in sdk/assemblyscript (make needs): %v", err)
	}
	for kind := range remote.Kinds {
		t.Run(kind.String(), func(t *testing.T) {
			dir := scaffold(t, "assemblyscript", kind)
			if err := os.Symlink(compiler, filepath.Join(dir, "node_modules")); err != nil {
				t.Fatal(err)
			}
			if kind != remote.KindConstraint { // that is quicker to build
				replaceIn(t, filepath.Join(dir, "package.json"), " -O3 ", " ")
			}
			build(t, dir, "")
			passes(t, dir)
		})
	}
}

func replaceIn(t *testing.T, path, old, becomes string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q", path, old)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), old, becomes)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// In Go the sources of all kinds pass their vectors as plain Go.
func TestGoScaffoldsPass(t *testing.T) {
	for kind := range remote.Kinds {
		t.Run(kind.String(), func(t *testing.T) {
			dir := scaffold(t, "go", kind)
			cmd := exec.CommandContext(t.Context(), "go", "test", "./...")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod -trimpath", "GOPROXY=off", "GOWORK=off")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestBuildTellsWhatIsWrong(t *testing.T) {
	const head = "name: a\nversion: 1\nabi: 1.1\nkinds: {fetch: [a]}\n"
	for build, want := range map[string]string{
		"build: exit 3":               "exit status 3",
		"build: 'true'":               "it did not make the output",
		"build: echo hello > a.wasm":  "not a WASM module",
		"output: b.wasm":              "no go.mod, Cargo.toml, package.json or policy.c is there",
		"build: cat nothing > a.wasm": "exit status 1",
	} {
		p, err := author.OpenProject(filepath.Dir(file(t, author.ProjectFile, head+build)))
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		if _, err := p.Make(t.Context(), &said); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", build, err, want)
		}
	}
}

// The line that a language has makes the output that policy.yaml names, whatever it is
// called, and runs nothing of its name.
func TestBuildOfAnyOutput(t *testing.T) {
	dir := scaffold(t, "c", remote.KindHealth)
	text, err := os.ReadFile(filepath.Join(dir, author.ProjectFile))
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^build: .*\n`).ReplaceAll(text, nil)
	text = regexp.MustCompile(`(?m)^output: .*`).ReplaceAll(text, []byte(`output: "my 'own' mod; exit 7.wasm"`))
	if err := os.WriteFile(filepath.Join(dir, author.ProjectFile), text, 0o644); err != nil {
		t.Fatal(err)
	}
	build(t, dir, "")
}

// Who lacks a tool is told which one, and where it comes from.
func TestBuildTellsWhatIsMissing(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(sh, filepath.Join(bin, "sh")); err != nil {
		t.Fatal(err)
	}
	dirs := map[string]string{}
	for _, lang := range []string{"c", "assemblyscript", "go"} {
		dirs[lang] = scaffold(t, lang, remote.KindFetch)
	}
	t.Setenv("PATH", bin)
	for lang, want := range map[string]string{
		"c":              "there is no clang in the PATH; a project in C needs clang and lld (Debian: `apt-get install clang lld`)",
		"assemblyscript": "there is no node in the PATH; a project in AssemblyScript needs Node.js with npm",
		"go":             "there is no go in the PATH; a project in Go needs the Go that go.mod names",
	} {
		p, err := author.OpenProject(dirs[lang])
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		if _, err := p.Make(t.Context(), &said); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", lang, err, want)
		}
	}
}
