package roster

import (
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pacer-run/pacer/runtime/policy/trust"
)

// trust reads whom the operator trusts. What cannot be, as a whole, is package trust's to
// refuse.
func (p *parser) trust(field string, n *yaml.Node, into *trust.Policy) {
	p.fields(field, n, map[string]func(string, *yaml.Node){
		"require": func(f string, n *yaml.Node) { into.Require = p.flag(f, n) },
		"keys": func(f string, n *yaml.Node) {
			p.items(f, n, func(f string, n *yaml.Node) { into.Keys = append(into.Keys, p.key(f, n)) })
		},
		"allOf": func(f string, n *yaml.Node) { into.AllOf = p.texts(f, n) },
		"anyOf": func(f string, n *yaml.Node) { into.AnyOf = p.anyOf(f, n) },
		"modules": func(f string, n *yaml.Node) {
			into.Modules = map[string]trust.Exception{}
			p.members(f, n, "names of modules", func(f, name string, n *yaml.Node) { into.Modules[name] = p.exception(f, n) })
		},
	})
}

func (p *parser) key(field string, n *yaml.Node) (k trust.Key) {
	p.fields(field, n, map[string]func(string, *yaml.Node){
		"name":     func(f string, n *yaml.Node) { k.Name = p.text(f, n) },
		"file":     func(f string, n *yaml.Node) { k.File = p.text(f, n) },
		"pem":      func(f string, n *yaml.Node) { k.PEM = p.text(f, n) },
		"notAfter": func(f string, n *yaml.Node) { k.NotAfter = p.moment(f, n) },
	})
	return k
}

func (p *parser) anyOf(field string, n *yaml.Node) *trust.AnyOf {
	one := &trust.AnyOf{}
	p.fields(field, n, map[string]func(string, *yaml.Node){
		"keys":       func(f string, n *yaml.Node) { one.Keys = p.texts(f, n) },
		"minMatches": func(f string, n *yaml.Node) { one.MinMatches = int(p.number(f, n, 64)) },
	})
	return one
}

func (p *parser) exception(field string, n *yaml.Node) (e trust.Exception) {
	p.fields(field, n, map[string]func(string, *yaml.Node){
		"require": func(f string, n *yaml.Node) {
			require := p.flag(f, n)
			e.Require = &require
		},
		"allOf": func(f string, n *yaml.Node) { e.AllOf = p.texts(f, n) },
		"anyOf": func(f string, n *yaml.Node) { e.AnyOf = p.anyOf(f, n) },
	})
	return e
}

// moment reads a date and time.
func (p *parser) moment(field string, n *yaml.Node) time.Time {
	t, err := time.Parse(time.RFC3339, n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		p.fail(n, field, "%q: a time such as 2027-06-30T00:00:00Z expected", n.Value)
	}
	return t
}
