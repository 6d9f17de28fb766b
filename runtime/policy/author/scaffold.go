package author

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/c"
	"github.com/pacer-run/pacer/sdk/rust"
)

//go:embed templates
var templates embed.FS

// Languages are those in which a project can be begun.
func Languages() []string { return []string{"go", "rust", "assemblyscript", "c"} }

// Scaffold is what a new project is made of.
type Scaffold struct {
	Dir  string
	Lang string // one of Languages
	Kind remote.Kind
	Name string // of the module, a dns-label; "" is that of the folder
}

// facts are what templates are filled with.
type facts struct {
	Name, Policy, Kind, Language, Summary string
	Source, SDK, SDKText, Needs, Build    string
	Read                                  string // the function of policytest
}

// language is what differs from one to the other.
type language struct {
	name, sdk, sdkText, needs string
	tools                     []string                 // programs that the build runs, as they are in the PATH
	source                    func(kind string) string // the file with the policy
	template                  func(kind string) string
	build                     func(name string) string
	files                     map[string]string // more files: target to template
	vendor                    func() (fs.FS, string)
	skip                      func(path string) bool // files of the SDK that a project does not need
}

func languageNamed(name string) (language, error) {
	all := map[string]language{"go": goLanguage(), "c": cLanguage(), "rust": rustLanguage(), "assemblyscript": assemblyScript()}
	l, ok := all[name]
	if !ok {
		return l, fmt.Errorf("language %q: expected one of %s", name, strings.Join(Languages(), ", "))
	}
	return l, nil
}

func fixed(text string) func(string) string { return func(string) string { return text } }

func goLanguage() language {
	return language{
		name: "Go", sdk: "pacer/", sdkText: "the SDK, in the place of a download; see go.mod", needs: "the Go that go.mod names, nothing else",
		tools:    []string{"go"},
		source:   fixed("main.go"),
		template: func(kind string) string { return "go/" + kind + ".go" },
		build: func(name string) string {
			return `GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 GOWORK=off go build -trimpath -buildvcs=false -buildmode=c-shared -ldflags="-s -w" -o ` + name + ".wasm ."
		},
		files:  map[string]string{"go.mod": "go/go.mod", "pacer/go.mod": "go/sdk.mod", "policy_test.go": "go/policy_test.go"},
		vendor: func() (fs.FS, string) { return sdk.Source(), "pacer/sdk" },
		skip:   func(path string) bool { return strings.HasSuffix(path, "_test.go") || path == "source.go" },
	}
}

func cLanguage() language {
	return language{
		name: "C", sdk: "pacer_policy.h", sdkText: "the SDK: a header, and beside it pacer_json.h, which reads JSON", needs: "clang and lld (Debian: `apt-get install clang lld`)",
		tools:    []string{"clang", "wasm-ld"},
		source:   fixed("policy.c"),
		template: func(kind string) string { return "c/" + kind + ".c" },
		build: func(name string) string {
			return "clang --target=wasm32 -nostdlib -O2 -Wl,--no-entry -Wl,--stack-first -Wl,-z,stack-size=32768 -o " + name + ".wasm policy.c"
		},
		vendor: func() (fs.FS, string) { return c.Source(), "." },
	}
}

func rustLanguage() language {
	return language{
		name: "Rust", sdk: "pacer_policy/", sdkText: "the SDK: a crate without dependencies",
		needs:    "cargo and the library for wasm32-unknown-unknown (Debian: `apt-get install cargo libstd-rust-dev-wasm32`, or `rustup target add wasm32-unknown-unknown`)",
		source:   fixed("src/lib.rs"),
		template: func(kind string) string { return "rust/" + kind + ".rs" },
		build: func(name string) string {
			file := strings.ReplaceAll(name, "-", "_") + ".wasm"
			return "cargo build --release --offline --quiet --target wasm32-unknown-unknown && cp target/wasm32-unknown-unknown/release/" + file + " " + name + ".wasm"
		},
		files:  map[string]string{"Cargo.toml": "rust/Cargo.toml", ".cargo/config.toml": "rust/config.toml"},
		vendor: func() (fs.FS, string) { return rust.Source(), "pacer_policy" },
	}
}

// ErrNotEmpty is that of a folder in which no project is begun, since it has files.
var ErrNotEmpty = errors.New("the folder is not empty")

// New writes a project. It makes the folder, and refuses one in which anything is.
func New(s Scaffold) ([]string, error) {
	if s.Dir == "" { // all else would take it for the working folder
		return nil, errors.New(`folder "": expected a folder, or . for this one`)
	}
	l, err := languageNamed(s.Lang)
	if err != nil {
		return nil, err
	}
	f, err := s.facts(l)
	if err != nil {
		return nil, err
	}
	if entries, err := os.ReadDir(s.Dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s: %w", s.Dir, ErrNotEmpty)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	files := map[string]string{
		ProjectFile: "common/policy.yaml", "README.md": "common/README.md", "Makefile": "common/Makefile",
		l.source(f.Kind): l.template(f.Kind), "vectors.txt": "vectors/" + f.Kind + ".txt",
	}
	maps.Copy(files, l.files)
	if s.Kind == remote.KindAdmission {
		delete(files, "vectors.txt")
		files["vectors.json"] = "vectors/admission.json"
	}
	if s.Kind == remote.KindUpgrade {
		files["vectors-script.txt"] = "vectors/upgrade-script.txt"
	}
	written, err := writeTemplates(s.Dir, files, f)
	if err != nil {
		return written, err
	}
	written = append(written, ".gitignore")
	if err := writeFile(s.Dir, ".gitignore", []byte("*.wasm\ntarget/\nnode_modules/\n")); err != nil {
		return written, err
	}
	if err := vendor(s.Dir, l); err != nil {
		return written, err
	}
	slices.Sort(written)
	return append(written, l.sdk), nil
}

func (s Scaffold) facts(l language) (facts, error) {
	name, hint := s.Name, ""
	if name == "" {
		absolute, err := filepath.Abs(s.Dir)
		if err != nil {
			return facts{}, err
		}
		name, hint = filepath.Base(absolute), "; --name gives another one than the folder's"
	}
	if !regexp.MustCompile(`\A[a-z]([a-z0-9-]{0,61}[a-z0-9])?\z`).MatchString(name) {
		return facts{}, fmt.Errorf("name %q: expected a lower-case letter, then lower-case letters, digits and dashes, 63 at most and no dash at the end%s", name, hint)
	}
	kind := s.Kind.String()
	f := facts{
		Name: name, Policy: name, Kind: kind, Language: l.name, Source: l.source(kind), SDK: l.sdk, SDKText: l.sdkText, Needs: l.needs, Build: l.build(name),
		Summary: [...]string{
			"at most N instances on agents with the same value of a field.", "nothing is fetched without encryption.", "one instance at a time is replaced.",
			"an instance is not healthy when most of its latest checks failed.", "no group grows beyond a number of instances.",
		}[s.Kind],
		Read: map[string]string{"constraint": "Read", "fetch": "ReadFetch", "upgrade": "ReadUpgrade", "health": "ReadHealth"}[kind],
	}
	if s.Kind == remote.KindConstraint {
		f.Policy = strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	}
	return f, nil
}

func writeTemplates(dir string, files map[string]string, f facts) ([]string, error) {
	var written []string
	for target, from := range files {
		text, err := templates.ReadFile("templates/" + from + ".tmpl")
		if err != nil {
			return written, err
		}
		t, err := template.New(from).Delims("<%", "%>").Parse(string(text))
		if err != nil {
			return written, err
		}
		var out bytes.Buffer
		if err := t.Execute(&out, f); err != nil {
			return written, err
		}
		if err := writeFile(dir, target, out.Bytes()); err != nil {
			return written, err
		}
		written = append(written, target)
	}
	return written, nil
}

func writeFile(dir, name string, text []byte) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// vendor writes the SDK of the language into the project.
func vendor(dir string, l language) error {
	from, to := l.vendor()
	return fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || l.skip != nil && l.skip(name) {
			return err
		}
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		return writeFile(dir, path.Join(to, name), text)
	})
}
