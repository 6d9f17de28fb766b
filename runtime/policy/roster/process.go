package roster

import (
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/artifact"
)

// files reads what lies beside a process: a list of paths, or of what else there is to
// be said of each.
func (p *parser) files(field string, n *yaml.Node, m *policy.ModuleConfig) {
	program, err := artifact.ParseRef(m.Ref.Ref)
	switch {
	case m.Backend != policy.BackendProcess:
		return // checkBackend has told
	case err == nil && program.Place != artifact.File:
		p.fail(n, field, "only with a command: what comes from %s has its files with it", m.Ref.Ref)
		return
	}
	var names []string
	p.items(field, n, func(field string, n *yaml.Node) {
		f := p.file(field, n)
		if f.Name == "" {
			f.Name = artifact.FileName(program.Path, f.Path)
		}
		if f.Digest != "" {
			f.Digest = "sha256:" + f.Digest
		}
		names, m.Files = append(names, f.Name), append(m.Files, f)
	})
	if len(p.faults) > 0 {
		return // one may be without a path
	}
	if err := artifact.CheckFileNames(filepath.Base(program.Path), names); err != nil {
		p.fail(n, field, "%v", err)
	}
}

func (p *parser) file(field string, n *yaml.Node) (f artifact.AttachmentRef) {
	if n.Kind == yaml.ScalarNode {
		f.Path = p.text(field, n)
		return f
	}
	p.fields(field, n, map[string]func(string, *yaml.Node){
		"path":   func(field string, n *yaml.Node) { f.Path = p.text(field, n) },
		"as":     func(field string, n *yaml.Node) { f.Name = p.text(field, n) },
		"digest": func(field string, n *yaml.Node) { f.Digest = p.digest(field, n) },
	})
	if f.Path == "" {
		p.fail(n, field+".path", "the path of a file expected")
	}
	return f
}

// Bounds on the environment of a process.
const (
	variableForm = `\A[A-Za-z_][A-Za-z0-9_]{0,127}\z`
	maxVariables = 128
	maxValue     = 32 << 10 // bytes
)

// environment reads a mapping from names to values; a name without a value takes that
// of Pacer's own environment.
func (p *parser) environment(field string, n *yaml.Node) (list []policy.Variable) {
	if n.Kind != yaml.MappingNode {
		p.fail(n, field, "names and values expected")
		return nil
	}
	if len(n.Content)/2 > maxVariables {
		p.fail(n, field, "%d variables; at most %d are allowed", len(n.Content)/2, maxVariables)
		return nil
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], resolved(n.Content[i+1])
		name := field + "." + key.Value
		switch {
		case !regexp.MustCompile(variableForm).MatchString(key.Value):
			p.fail(key, field, "%q: the name of a variable expected: up to 128 letters, digits and underscores, no digit first", key.Value)
		case strings.HasPrefix(key.Value, "PACER_"), strings.HasPrefix(key.Value, "PLUGIN_"):
			p.fail(key, name, "names that start with PACER_ and PLUGIN_ belong to the protocol")
		case seen[key.Value]:
			p.fail(key, name, "given twice")
		default:
			list = append(list, p.variable(name, key.Value, value))
		}
		seen[key.Value] = true
	}
	return list
}

// variable reads one value. A number stands for its digits, as it is written.
func (p *parser) variable(field, name string, n *yaml.Node) policy.Variable {
	v := policy.Variable{Name: name, Value: n.Value}
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return policy.Variable{Name: name, Inherit: true}
	case n.Kind != yaml.ScalarNode:
		p.fail(n, field, "a text expected, or nothing for the value that Pacer itself has")
	case len(n.Value) > maxValue || strings.ContainsRune(n.Value, 0):
		p.fail(n, field, "a text of up to %d bytes without a zero byte expected", maxValue)
	}
	return v
}

// checkBackend refuses what only the other backend has.
func (p *parser) checkBackend(field string, n *yaml.Node, backend string) {
	others, name := []string{"command", "args", "env", "files"}, policy.BackendProcess
	if backend == policy.BackendProcess {
		others, name = []string{"grants", "limits", "instances", "isolation"}, policy.BackendWASM
	}
	for _, other := range others {
		if given := value(n, other); given != nil {
			p.fail(given, field+"."+other, "only for backend: %s", name)
		}
	}
}
