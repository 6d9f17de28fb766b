package author

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pacer-run/pacer/sdk/manifest"
)

// ProjectFile is the name of the file that describes a project.
const ProjectFile = "policy.yaml"

// Project is a folder in which a module is written. Its policy.yaml is the manifest
// as YAML, with three fields more.
type Project struct {
	Dir      string
	Manifest *manifest.Manifest
	// Build is the command line that makes Output, for a shell in the folder; "" is
	// that of the language that is found there.
	Build   string
	Output  string   // the module's file, in the folder; NAME.wasm if it is left out
	Vectors []string // patterns of files in the folder; vectors*.txt, testdata/*.txt and those of .json if left out
}

// OutputPath is where the module is.
func (p *Project) OutputPath() string { return filepath.Join(p.Dir, p.Output) }

// OpenProject reads a project. All that is wrong with the manifest is told at once.
func OpenProject(dir string) (*Project, error) {
	path := filepath.Join(dir, ProjectFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: expected the folder of a project, as pacer policy new makes one", err)
	}
	if err != nil {
		return nil, err
	}
	p, err := parseProject(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p.Dir = dir
	return p, nil
}

func parseProject(text []byte) (*Project, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("expected a mapping, such as name: rack-spread")
	}
	root := document.Content[0]
	p := &Project{}
	var rest []*yaml.Node
	for pair := range slices.Chunk(root.Content, 2) {
		key, value := pair[0].Value, pair[1]
		var err error
		switch key {
		case "build":
			err = value.Decode(&p.Build)
		case "output":
			err = value.Decode(&p.Output)
		case "vectors":
			err = value.Decode(&p.Vectors)
		case "version", "abi":
			// 1.1 is a number to YAML, and 1.10 the same one.
			if value.Kind == yaml.ScalarNode {
				value.Tag, value.Style = "!!str", yaml.DoubleQuotedStyle
			}
			fallthrough
		default:
			rest = append(rest, pair...)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	root.Content = rest
	return p, p.finish(root)
}

// finish reads the manifest and fills in what was left out.
func (p *Project) finish(root *yaml.Node) error {
	var fields map[string]any
	if err := root.Decode(&fields); err != nil {
		return err
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	if p.Manifest, err = manifest.Parse(text); err != nil {
		return err
	}
	if p.Output == "" {
		p.Output = p.Manifest.Name + ".wasm"
	}
	if !filepath.IsLocal(p.Output) || !strings.HasSuffix(p.Output, ".wasm") {
		return fmt.Errorf("output %q: expected a file in the folder that ends with .wasm", p.Output)
	}
	for _, pattern := range p.Vectors {
		if !filepath.IsLocal(pattern) {
			return fmt.Errorf("vectors %q: expected files in the folder", pattern)
		}
	}
	return nil
}

// VectorFiles are those of the project, sorted.
func (p *Project) VectorFiles() ([]string, error) {
	patterns := p.Vectors
	if len(patterns) == 0 {
		patterns = []string{"*vectors*.txt", "*vectors*.json", "testdata/*.txt", "testdata/*.json"}
	}
	var files []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(p.Dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("vectors %q: %w", pattern, err)
		}
		if len(found) == 0 && len(p.Vectors) > 0 {
			return nil, fmt.Errorf("vectors %q: there is no such file", pattern)
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}
