package roster

import (
	"encoding/json"
	"fmt"
	"math"

	"go.yaml.in/yaml/v3"
)

// settings become JSON: that is what schemas and modules are written for.
func (p *parser) settings(field string, n *yaml.Node) json.RawMessage {
	if n.Kind != yaml.MappingNode {
		p.fail(n, field, "names and values expected")
		return nil
	}
	before := len(p.faults)
	p.plain(field, n, map[*yaml.Node]bool{})
	if len(p.faults) > before {
		return nil
	}
	var value map[string]any
	if err := n.Decode(&value); err != nil { // too many aliases, or what << stands for is no mapping
		p.fail(n, field, "not to be told as JSON: %v", err)
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		p.fail(n, field, "not to be told as JSON: %v", err)
	}
	return text
}

// plain makes texts of what YAML has and JSON has not, as they are written: dates, and
// names that are no texts. It refuses what is given twice. Nodes that an alias stands
// for are done once.
func (p *parser) plain(field string, n *yaml.Node, done map[*yaml.Node]bool) {
	if n = resolved(n); done[n] {
		return
	}
	done[n] = true
	switch {
	case n.Kind == yaml.MappingNode:
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := resolved(n.Content[i])
			if key.Kind != yaml.ScalarNode {
				p.fail(key, field, "a text expected as a name")
				continue
			}
			name := field + "." + key.Value
			if seen[key.Value] {
				p.fail(key, name, "given twice")
			}
			if seen[key.Value] = true; key.Tag != "!!merge" {
				key.Tag = "!!str"
			}
			p.plain(name, n.Content[i+1], done)
		}
	case n.Kind == yaml.SequenceNode:
		for i, item := range n.Content {
			p.plain(fmt.Sprintf("%s[%d]", field, i), item, done)
		}
	case n.Kind == yaml.ScalarNode:
		p.scalar(field, n)
	}
}

func (p *parser) scalar(field string, n *yaml.Node) {
	switch n.Tag {
	case "!!timestamp":
		n.Tag = "!!str"
	case "!!float":
		var number float64
		if n.Decode(&number) != nil || math.IsInf(number, 0) || math.IsNaN(number) {
			p.fail(n, field, "a number that JSON has expected")
		}
	}
}
