package roster

import (
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// mostStale is how long verdicts on health may stay at the most.
const mostStale = 24 * time.Hour

// onFailure reads one way for all kinds that know it, or a mapping from kinds to ways.
func (p *parser) onFailure(field string, n *yaml.Node, m *policy.ModuleConfig) {
	if n.Kind != yaml.MappingNode {
		m.OnFailure = p.way(field, n)
		return
	}
	known := map[string]func(string, *yaml.Node){}
	for kind := range remote.Kinds {
		known[kind.String()] = func(field string, n *yaml.Node) {
			way := p.way(field, n)
			if err := policy.CheckFailure(kind, way); err != nil {
				p.fail(n, field, "%v", err)
				return
			}
			m.FailureOf[kind] = way
		}
	}
	p.fields(field, n, known)
}

func (p *parser) way(field string, n *yaml.Node) policy.OnFailure {
	var names []string
	for way := policy.Closed; way <= policy.LetPass; way++ {
		names = append(names, way.String())
	}
	return policy.Closed + policy.OnFailure(p.choice(field, n, names...))
}

// duration reads one such as 90s or 5m.
func (p *parser) duration(field string, n *yaml.Node, most time.Duration) time.Duration {
	d, err := time.ParseDuration(n.Value)
	if err != nil || n.Kind != yaml.ScalarNode || d < time.Second || d > most {
		p.fail(n, field, "%q: a duration such as 90s or 5m expected, from 1s to %v", n.Value, most)
		return 0
	}
	return d
}
