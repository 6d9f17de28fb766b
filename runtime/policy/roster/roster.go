// Package roster reads policies.yaml, the operator's list of policy modules.
//
// It is strict: a field that is not known, given twice, or of a value that cannot be
// is an error, and all errors are told at once, each with its line and field.
package roster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/trust"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
)

// Roster is what policies.yaml says.
type Roster struct {
	Modules []policy.ModuleConfig
	Trust   trust.Policy
	// Dir is the folder of the file, from which relative paths in it start.
	Dir string
}

const (
	maxFile    = 4 << 20 // bytes
	maxModules = 256
	nameForm   = `\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z`
)

// Read reads a file.
func Read(path string) (*Roster, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxFile)
	}
	r, err := Parse(data)
	if err != nil {
		return nil, prefixed(path, err)
	}
	r.Dir = filepath.Dir(path)
	return r, nil
}

// prefixed puts the file's name in front of each of several errors.
func prefixed(path string, err error) error {
	var many faults
	if !errors.As(err, &many) {
		return fmt.Errorf("%s: %w", path, err)
	}
	out := make([]error, len(many))
	for i, one := range many {
		out[i] = fmt.Errorf("%s: %w", path, one)
	}
	return errors.Join(out...)
}

// faults are all that is wrong with a file.
type faults []error

// Error has one line for each.
func (f faults) Error() string { return errors.Join(f...).Error() }

// Parse reads the content of a file.
func Parse(data []byte) (*Roster, error) {
	var document, next yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	p, r := &parser{}, &Roster{}
	if document.Kind == yaml.DocumentNode {
		p.fields("", document.Content[0], map[string]func(string, *yaml.Node){
			"modules": func(field string, n *yaml.Node) { r.Modules = p.modules(field, n) },
			"trust":   func(field string, n *yaml.Node) { p.trust(field, n, &r.Trust) },
		})
		if err := decoder.Decode(&next); err == nil {
			p.fail(&next, "", "one document expected; another one begins")
		} else if !errors.Is(err, io.EOF) {
			return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
		}
	}
	if len(p.faults) > 0 {
		return nil, p.faults
	}
	return r, nil
}

// modules reads the list.
func (p *parser) modules(field string, n *yaml.Node) (modules []policy.ModuleConfig) {
	var at []*yaml.Node
	p.items(field, n, func(field string, n *yaml.Node) {
		modules, at = append(modules, p.module(field, n)), append(at, n)
	})
	if len(modules) > maxModules {
		p.fail(n, field, "%d modules; at most %d are allowed", len(modules), maxModules)
		return modules
	}
	p.checkAll(modules, at)
	return modules
}

// module reads one item of the list.
func (p *parser) module(field string, n *yaml.Node) policy.ModuleConfig {
	m := policy.ModuleConfig{Backend: policy.BackendWASM}
	command := ""
	var files *yaml.Node
	p.fields(field, n, map[string]func(string, *yaml.Node){
		"name":      func(f string, n *yaml.Node) { m.Name = p.text(f, n) },
		"ref":       func(f string, n *yaml.Node) { m.Ref.Ref = p.reference(f, n) },
		"digest":    func(f string, n *yaml.Node) { m.Digest = p.digest(f, n) },
		"backend":   func(f string, n *yaml.Node) { m.Backend = p.oneOf(f, n, policy.BackendWASM, policy.BackendProcess) },
		"command":   func(f string, n *yaml.Node) { command = p.text(f, n) },
		"args":      func(f string, n *yaml.Node) { m.Args = p.texts(f, n) },
		"files":     func(_ string, n *yaml.Node) { files = n },
		"env":       func(f string, n *yaml.Node) { m.Env = p.environment(f, n) },
		"grants":    func(f string, n *yaml.Node) { m.Grants = p.grants(f, n) },
		"settings":  func(f string, n *yaml.Node) { m.Settings = p.settings(f, n) },
		"limits":    func(f string, n *yaml.Node) { m.Limits = p.limits(f, n) },
		"instances": func(f string, n *yaml.Node) { m.Instances = int(p.number(f, n, 64)) },
		"isolation": func(f string, n *yaml.Node) {
			m.Isolation = p.oneOf(f, n, policy.IsolationPooled, policy.IsolationFresh)
		},
		"mode":         func(f string, n *yaml.Node) { m.Mode = policy.Mode(p.choice(f, n, "enforce", "shadow", "off")) },
		"of":           func(f string, n *yaml.Node) { m.Of = p.text(f, n) },
		"onFailure":    func(f string, n *yaml.Node) { p.onFailure(f, n, &m) },
		"maxStaleness": func(f string, n *yaml.Node) { m.MaxStaleness = p.duration(f, n, mostStale) },
		"optional":     func(f string, n *yaml.Node) { m.Optional = p.flag(f, n) },
		"rollback":     func(f string, n *yaml.Node) { m.Rollback = p.rollback(f, n) },
	})
	p.checkModule(field, n, &m, command)
	if files != nil {
		p.files(field+".files", files, &m)
	}
	return m
}

// grants refuses what nobody can grant.
func (p *parser) grants(field string, n *yaml.Node) (list []string) {
	known := wasm.Grants()
	list = []string{}
	p.items(field, n, func(field string, n *yaml.Node) { list = append(list, p.oneOf(field, n, known...)) })
	return list
}

func (p *parser) rollback(field string, n *yaml.Node) (ref policy.Ref) {
	p.fields(field, n, map[string]func(string, *yaml.Node){
		"ref":    func(f string, n *yaml.Node) { ref.Ref = p.reference(f, n) },
		"digest": func(f string, n *yaml.Node) { ref.Digest = p.digest(f, n) },
	})
	if ref.Ref == "" && value(n, "ref") == nil {
		p.fail(n, field+".ref", "a reference expected")
	}
	return ref
}

func (p *parser) limits(field string, n *yaml.Node) (l policy.Limits) {
	const most = 1 << 50
	p.fields(field, n, map[string]func(string, *yaml.Node){
		"memoryPages": func(f string, n *yaml.Node) { l.MemoryPages = uint32(p.number(f, n, 65536)) },
		"startFuel":   func(f string, n *yaml.Node) { l.StartFuel = p.number(f, n, most) },
		"prepareFuel": func(f string, n *yaml.Node) { l.PrepareFuel = p.number(f, n, most) },
		"baseFuel":    func(f string, n *yaml.Node) { l.BaseFuel = p.number(f, n, most) },
		"itemFuel":    func(f string, n *yaml.Node) { l.ItemFuel = p.number(f, n, most) },
		"callFuel":    func(f string, n *yaml.Node) { l.CallFuel = p.number(f, n, most) },
		"replyBytes":  func(f string, n *yaml.Node) { l.ReplyBytes = int(p.number(f, n, 1<<30)) },
	})
	return l
}

// checkModule refuses fields that do not go together.
func (p *parser) checkModule(field string, n *yaml.Node, m *policy.ModuleConfig, command string) {
	if name := value(n, "name"); !regexp.MustCompile(nameForm).MatchString(m.Name) && (name == nil || m.Name != "") {
		p.fail(or(name, n), field+".name", "%q: lower-case letters, digits and dashes expected", m.Name)
	}
	ref := value(n, "ref")
	switch process := m.Backend == policy.BackendProcess; {
	case process && m.Ref.Ref != "" && command != "":
		p.fail(ref, field+".ref", "a process has either a command or a ref")
	case process && ref == nil && value(n, "command") == nil:
		p.fail(n, field+".command", "the path of an executable file expected, or a ref")
	case process:
		if command != "" {
			m.Ref.Ref = "file:" + command
		}
	case ref == nil:
		p.fail(n, field+".ref", "a reference expected: file:, oci:// or oci-layout:")
	}
	p.checkBackend(field, n, m.Backend)
	switch of := value(n, "of"); {
	case m.Mode == policy.Shadow && of == nil:
		p.fail(n, field+".of", "the name of the module expected that this one is to be compared with")
	case m.Mode == policy.Enforce && m.Of != "":
		p.fail(of, field+".of", "only for mode: shadow")
	}
}

// checkAll refuses modules that do not go together; at has the node of each.
func (p *parser) checkAll(modules []policy.ModuleConfig, at []*yaml.Node) {
	for i, m := range modules {
		field := fmt.Sprintf("modules[%d]", i)
		if first := slices.IndexFunc(modules, func(x policy.ModuleConfig) bool { return x.Name == m.Name }); first < i && m.Name != "" {
			p.fail(or(value(at[i], "name"), at[i]), field+".name", "%q is the name of modules[%d] already", m.Name, first)
		}
		if m.Of == "" || m.Mode == policy.Enforce { // of which checkModule has told
			continue
		}
		of := slices.IndexFunc(modules, func(x policy.ModuleConfig) bool { return x.Name == m.Of })
		switch {
		case of < 0:
			p.fail(value(at[i], "of"), field+".of", "there is no module %q", m.Of)
		case of == i || modules[of].Mode != policy.Enforce:
			p.fail(value(at[i], "of"), field+".of", "%q has to be a module with mode: enforce", m.Of)
		}
	}
}
