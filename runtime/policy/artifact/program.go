package artifact

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Attachment is a file that belongs to a module that is a process, which finds it in its working folder.
type Attachment struct {
	Name  string // a relative path with slashes, below that folder
	Bytes []byte
}

// AttachmentRef is an Attachment that is to be read.
type AttachmentRef struct {
	Name string
	// Path is where it is; a relative one starts from the store's folder.
	Path string
	// Digest is sha256:… that it has to have; "" for any.
	Digest string
}

// Bounds on the files of a module. Their size counts as the module's own does.
const (
	maxFiles    = 128
	maxFileName = 255
)

// CheckFileName refuses what is no path below a folder.
func CheckFileName(name string) error {
	if name == "" || name == "." || path.Clean(name) != name || !filepath.IsLocal(name) || strings.ContainsAny(name, "\\\x00\n") || len(name) > maxFileName {
		return fmt.Errorf("file %q: expected a path below the module's working folder, with slashes, such as lib/rules.py", name)
	}
	return nil
}

// CheckFileNames refuses names that cannot stand beside each other, and beside the
// program itself; program is "" when that is called otherwise later.
func CheckFileNames(program string, names []string) error {
	if len(names) > maxFiles {
		return fmt.Errorf("it has %d files, expected up to %d", len(names), maxFiles)
	}
	for i, name := range names {
		if err := CheckFileName(name); err != nil {
			return err
		}
		for _, other := range append([]string{program}, names[:i]...) {
			if other == name || strings.HasPrefix(name, other+"/") || strings.HasPrefix(other, name+"/") {
				return fmt.Errorf("file %q: there is %q already", name, other)
			}
		}
	}
	return nil
}

// FileName is the place of a file beside a program if nothing else is said: what lies
// in the program's folder, or below, lies so in the working folder; anything else is
// there under its own name.
func FileName(program, file string) string {
	below, err := filepath.Rel(filepath.Dir(program), file)
	if err != nil || !filepath.IsLocal(below) {
		return filepath.Base(file)
	}
	return filepath.ToSlash(below)
}

// FileDigests are the digests of the module's files by their names; nil for none.
func (m *Module) FileDigests() map[string]string {
	if len(m.Files) == 0 {
		return nil
	}
	all := map[string]string{}
	for _, f := range m.Files {
		all[f.Name] = Digest(f.Bytes)
	}
	return all
}

// readFiles reads the files of the program at a path.
func (s *Store) readFiles(m *Module, program string, files []AttachmentRef) error {
	if len(files) == 0 {
		return nil
	}
	if isWASM(m.Bytes) {
		return fmt.Errorf("%w: a WASM module has no files", ErrMalformed)
	}
	names := make([]string, len(files))
	room := s.maxBytes(m.Bytes) - int64(len(m.Bytes))
	for i, f := range files {
		names[i] = f.Name
		place := Ref{Path: f.Path}.in(s.Dir)
		data, err := readLimited(os.DirFS(filepath.Dir(place)), filepath.Base(place), room)
		if err != nil {
			return fmt.Errorf("file %s: %w", f.Name, err)
		}
		if got := Digest(data); f.Digest != "" && f.Digest != got {
			return fmt.Errorf("file %s: %w: expected one of digest %s, it is %s", f.Name, ErrChanged, f.Digest, got)
		}
		room -= int64(len(data))
		m.Files = append(m.Files, Attachment{f.Name, data})
	}
	slices.SortFunc(m.Files, func(a, b Attachment) int { return strings.Compare(a.Name, b.Name) })
	if err := CheckFileNames(filepath.Base(program), names); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// ErrPlatform is about an executable for other machines.
var ErrPlatform = errors.New("not for this machine")

// Platform is the operating system and architecture that an executable file is for, as
// Go names them, such as linux/amd64; "" for a script. Other files are an error.
func Platform(program []byte) (string, error) {
	if bytes.HasPrefix(program, []byte("#!")) {
		return "", nil
	}
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return "", fmt.Errorf("%w: neither WASM nor an executable file of Linux (ELF) nor a script, which begins with #! and its interpreter", ErrMalformed)
	}
	little := file.Data == elf.ELFDATA2LSB
	arch := map[elf.Machine]string{
		elf.EM_X86_64: "amd64", elf.EM_386: "386", elf.EM_AARCH64: "arm64", elf.EM_ARM: "arm", elf.EM_S390: "s390x", elf.EM_LOONGARCH: "loong64",
		elf.EM_RISCV: "riscv64", elf.EM_PPC64: map[bool]string{true: "ppc64le", false: "ppc64"}[little],
	}[file.Machine]
	if arch == "" {
		arch = strings.ToLower(strings.TrimPrefix(file.Machine.String(), "EM_"))
	}
	return "linux/" + arch, nil
}

// CheckPlatform refuses a program that a machine of the platform cannot run.
func CheckPlatform(program []byte, machine string) error {
	platform, err := Platform(program)
	if err == nil && platform != "" && platform != machine {
		err = fmt.Errorf("%w: it is an executable for %s, and this is %s", ErrPlatform, platform, machine)
	}
	return err
}

// programConfig is the config of the artifact of a process. The names of its fields
// are those of the configs of images.
type programConfig struct {
	OS           string `json:"os,omitempty"`
	Architecture string `json:"architecture,omitempty"`
}

// packProgram makes the layers and the config of a module that is a process.
func packProgram(m *Module) (layers []part, config part, err error) {
	platform, err := Platform(m.Bytes)
	if err != nil {
		return nil, part{}, err
	}
	var said programConfig
	said.OS, said.Architecture, _ = strings.Cut(platform, "/")
	data, err := json.Marshal(said)
	if err != nil {
		return nil, part{}, err
	}
	names := make([]string, len(m.Files))
	layers = []part{newPart(programType, m.Bytes)}
	for i, f := range m.Files {
		names[i] = f.Name
		p := newPart(fileType, f.Bytes)
		p.desc.Annotations = map[string]string{ocispec.AnnotationTitle: f.Name}
		layers = append(layers, p)
	}
	if err := CheckFileNames("", names); err != nil {
		return nil, part{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return layers, newPart(programConfigType, data), nil
}
