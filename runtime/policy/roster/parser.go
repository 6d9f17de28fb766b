package roster

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
)

// parser reads nodes and keeps what is wrong with them.
type parser struct{ faults faults }

// fail notes a fault; n nil means that no one line has it.
func (p *parser) fail(n *yaml.Node, field, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if field != "" {
		text = field + ": " + text
	}
	if n != nil {
		text = fmt.Sprintf("line %d: %s", n.Line, text)
	}
	p.faults = append(p.faults, fmt.Errorf("%s", text))
}

// resolved follows an alias. One that leads to itself is refused by the YAML parser.
func resolved(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// fields reads a mapping of known fields.
func (p *parser) fields(field string, n *yaml.Node, known map[string]func(string, *yaml.Node)) {
	n = resolved(n)
	if n.Kind != yaml.MappingNode {
		p.fail(n, field, "fields expected: %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := strings.TrimPrefix(field+"."+key.Value, ".")
		read := known[key.Value]
		switch {
		case seen[key.Value]:
			p.fail(key, name, "given twice")
		case read == nil:
			p.fail(key, name, "unknown field; expected one of %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		default:
			read(name, resolved(value))
		}
		seen[key.Value] = true
	}
}

// members reads fields whose names are the operator's.
func (p *parser) members(field string, n *yaml.Node, names string, read func(field, name string, n *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.fail(n, field, "%s expected, each with its fields", names)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if seen[key.Value] {
			p.fail(key, field+"."+key.Value, "given twice")
			continue
		}
		seen[key.Value] = true
		read(field+"."+key.Value, key.Value, resolved(n.Content[i+1]))
	}
}

// items reads a list.
func (p *parser) items(field string, n *yaml.Node, read func(string, *yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		p.fail(n, field, "a list expected")
		return
	}
	for i, item := range n.Content {
		read(fmt.Sprintf("%s[%d]", field, i), resolved(item))
	}
}

// value is that of a field of a mapping; nil for none.
func value(n *yaml.Node, name string) *yaml.Node {
	n = resolved(n)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return resolved(n.Content[i+1])
		}
	}
	return nil
}

// or is the first node, or the second one where there is no first.
func or(a, b *yaml.Node) *yaml.Node {
	if a != nil {
		return a
	}
	return b
}

// reference reads where a module is.
func (p *parser) reference(field string, n *yaml.Node) string {
	text := p.text(field, n)
	if text == "" {
		return ""
	}
	if _, err := artifact.ParseRef(text); err != nil {
		p.fail(n, field, "%v", err)
	}
	return text
}

func (p *parser) text(field string, n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || n.Value == "" {
		p.fail(n, field, "a text expected")
		return ""
	}
	return n.Value
}

func (p *parser) texts(field string, n *yaml.Node) (list []string) {
	list = []string{}
	p.items(field, n, func(field string, n *yaml.Node) { list = append(list, p.text(field, n)) })
	return list
}

func (p *parser) flag(field string, n *yaml.Node) (v bool) {
	if n.Tag != "!!bool" || n.Decode(&v) != nil {
		p.fail(n, field, "true or false expected")
	}
	return v
}

// number reads one from 1 to most.
func (p *parser) number(field string, n *yaml.Node, most int64) (v int64) {
	if n.Tag != "!!int" || n.Decode(&v) != nil || v < 1 || v > most {
		p.fail(n, field, "a whole number from 1 to %d expected", most)
		return 0
	}
	return v
}

// choice returns which one of the names is there.
func (p *parser) choice(field string, n *yaml.Node, names ...string) int {
	i := slices.Index(names, n.Value)
	if i < 0 || n.Kind != yaml.ScalarNode {
		p.fail(n, field, "%q: expected one of %s", n.Value, strings.Join(names, ", "))
		return 0
	}
	return i
}

func (p *parser) oneOf(field string, n *yaml.Node, names ...string) string {
	return names[p.choice(field, n, names...)]
}

// digest returns the hexadecimal part.
func (p *parser) digest(field string, n *yaml.Node) string {
	text := strings.TrimPrefix(n.Value, "sha256:")
	if sum, err := hex.DecodeString(text); err != nil || len(sum) != 32 || strings.ToLower(text) != text {
		p.fail(n, field, "%q: sha256: and 64 hexadecimal digits expected", n.Value)
		return ""
	}
	return text
}
