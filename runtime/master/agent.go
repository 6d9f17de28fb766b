package master

import (
	"bytes"
	"math"

	"github.com/pacer-run/pacer/runtime/placement"
)

// maxAgents bounds the agents remembered. A cluster whose agents came and went for
// months has long lost the early ones; they are learned again when they are not.
const maxAgents = 1 << 17

// agents makes the facts of an agent one value for as long as they stay the same,
// so that nothing of them is decoded with its next offer.
type agents struct{ known map[string]knownAgent }

type knownAgent struct {
	facts []byte // the fields of the offer that say them
	agent *placement.Agent
}

func newAgents() *agents { return &agents{known: map[string]knownAgent{}} }

// of returns the agent with these facts: the offer's fields for host name,
// attributes, URL and domain, one after the other. Facts are not kept.
func (a *agents) of(id, facts []byte) (*placement.Agent, error) {
	known, ok := a.known[string(id)]
	if ok && bytes.Equal(known.facts, facts) {
		return known.agent, nil
	}
	agent, err := decodeAgent(string(id), facts)
	if err != nil {
		return nil, err
	}
	if !ok && len(a.known) >= maxAgents {
		clear(a.known)
	}
	a.known[agent.ID] = knownAgent{facts: bytes.Clone(facts), agent: agent}
	return agent, nil
}

// forget drops an agent that was lost.
func (a *agents) forget(id string) { delete(a.known, id) }

func decodeAgent(id string, facts []byte) (*placement.Agent, error) {
	a := &placement.Agent{ID: id}
	ok := true
	f := over(facts)
	for f.next() && ok {
		switch f.tag {
		case 4<<3 | bytesWire:
			a.Hostname = string(f.bytes())
		case 7<<3 | bytesWire:
			var attr placement.Attribute
			attr, ok = attribute(f.bytes())
			a.Attributes = append(a.Attributes, attr)
		case 8<<3 | bytesWire:
			ok = readURL(a, f.bytes())
		case 11<<3 | bytesWire:
			ok = readDomain(a, f.bytes())
		}
	}
	if !ok || f.malformed {
		return nil, errWire
	}
	return a, nil
}

// readURL sets what the address of a URL says; false when it is malformed, and then
// the agent is not used. The path of the URL is that of the agent's pages.
func readURL(a *placement.Agent, message []byte) bool {
	ok := true
	f := over(message)
	for f.next() && ok {
		if f.tag != 2<<3|bytesWire {
			continue
		}
		address := over(f.bytes())
		for address.next() {
			switch {
			case address.tag == 2<<3|bytesWire:
				a.IP = string(address.bytes())
			case address.tag == 3<<3|varintWire && address.value <= math.MaxUint16:
				a.Port = uint16(address.value)
			}
		}
		ok = !address.malformed
	}
	return ok && !f.malformed
}

// readDomain reads a DomainInfo.
func readDomain(a *placement.Agent, message []byte) bool {
	ok := true
	f := over(message)
	for f.next() && ok {
		if f.tag != 1<<3|bytesWire {
			continue
		}
		fault := over(f.bytes())
		for fault.next() && ok {
			var name []byte
			switch fault.tag {
			case 1<<3 | bytesWire:
				name, ok = inner(fault.bytes())
				a.Region = string(name)
			case 2<<3 | bytesWire:
				name, ok = inner(fault.bytes())
				a.Zone = string(name)
			}
		}
		ok = ok && !fault.malformed
	}
	return ok && !f.malformed
}

// attribute reads an Attribute.
func attribute(message []byte) (attr placement.Attribute, ok bool) {
	var value [4][]byte // by Value.Type
	kind := uint64(textValue)
	f := over(message)
	for f.next() {
		switch f.tag {
		case 1<<3 | bytesWire:
			attr.Name = string(f.bytes())
		case 2<<3 | varintWire:
			kind = f.value
		case 3<<3 | bytesWire:
			value[scalarValue] = f.bytes()
		case 4<<3 | bytesWire:
			value[rangesValue] = f.bytes()
		case 5<<3 | bytesWire:
			value[textValue] = f.bytes()
		case 6<<3 | bytesWire:
			value[setValue] = f.bytes()
		}
	}
	if f.malformed || kind > textValue {
		return attr, !f.malformed // a type of the future has no text
	}
	attr.Value, ok = attributeText(kind, value[kind])
	return attr, ok
}

// attributeText is the canonical text of a value of the given Value.Type.
func attributeText(kind uint64, message []byte) (text string, ok bool) {
	ok = true
	switch kind {
	case scalarValue:
		v, ok := scalar(message)
		return placement.CanonicalScalar(v), ok
	case textValue:
		if len(message) > 0 {
			var value []byte
			value, ok = inner(message)
			text = string(value)
		}
		return text, ok
	}
	var spans []placement.Span
	var items []string
	f := over(message)
	for f.next() && ok {
		switch {
		case f.tag != 1<<3|bytesWire:
		case kind == rangesValue:
			var s placement.Span
			s, ok = span(f.bytes())
			spans = append(spans, s)
		default:
			items = append(items, string(f.bytes()))
		}
	}
	if kind == rangesValue {
		return placement.CanonicalRanges(spans), ok && !f.malformed
	}
	return placement.CanonicalSet(items), ok && !f.malformed
}
