package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Fault is one thing that is wrong with a manifest.
type Fault struct {
	Field   string `json:"field"`   // as a JSON pointer, such as /kinds/constraint/0; "" for the whole
	Message string `json:"message"` // what was expected
}

// Faults is the error of Parse: all that is wrong, in the order of the fields.
type Faults []Fault

// Error names every field and what was expected there.
func (f Faults) Error() string {
	texts := make([]string, len(f))
	for i, fault := range f {
		if texts[i] = fault.Message; fault.Field != "" {
			texts[i] = fault.Field + ": " + fault.Message
		}
	}
	return "manifest: " + strings.Join(texts, "; ")
}

// Parse reads a manifest and returns it in its one form. It takes no field that it
// does not know, and none twice. An error is Faults.
func Parse(data []byte) (*Manifest, error) {
	p := &parser{}
	switch {
	case len(data) > MaxSize:
		p.fail("", "%d bytes; at most %d are allowed", len(data), MaxSize)
		return nil, p.faults
	case !utf8.Valid(data):
		p.fail("", "it is not UTF-8")
		return nil, p.faults
	}
	var m Manifest
	p.manifest(data, &m)
	if p.faults == nil {
		p.check(&m)
	}
	if p.faults != nil {
		return nil, p.faults
	}
	return m.normal(), nil
}

// parser collects the faults of one manifest. It reads field by field, since the
// decoder of the standard library stops at the first fault.
type parser struct{ faults Faults }

func (p *parser) fail(field, format string, args ...any) {
	p.faults = append(p.faults, Fault{field, fmt.Sprintf(format, args...)})
}

// fields are what an object may have, by name.
type fields map[string]func(field string, raw json.RawMessage)

func (p *parser) manifest(data []byte, m *Manifest) {
	p.object("", data, fields{
		"name":        into(p, &m.Name, "a text"),
		"version":     into(p, &m.Version, "a text"),
		"abi":         into(p, &m.ABI, "a text"),
		"kinds":       func(field string, raw json.RawMessage) { p.kinds(field, raw, m) },
		"settings":    func(field string, raw json.RawMessage) { p.settings(field, raw, m) },
		"imports":     func(field string, raw json.RawMessage) { m.Imports = p.texts(field, raw) },
		"limits":      func(field string, raw json.RawMessage) { p.limits(field, raw, &m.Limits) },
		"metrics":     func(field string, raw json.RawMessage) { p.metrics(field, raw, m) },
		"description": into(p, &m.Description, "a text"),
		"license":     into(p, &m.License, "a text"),
		"source":      into(p, &m.Source, "a text"),
	})
}

func (p *parser) kinds(field string, raw json.RawMessage, m *Manifest) {
	m.Kinds = map[string][]string{}
	known := fields{}
	for _, kind := range Kinds() {
		known[kind] = func(field string, raw json.RawMessage) { m.Kinds[kind] = p.texts(field, raw) }
	}
	p.object(field, raw, known)
}

func (p *parser) settings(field string, raw json.RawMessage, m *Manifest) {
	m.Settings = &Settings{}
	keep := func(to *json.RawMessage) func(string, json.RawMessage) {
		return func(field string, raw json.RawMessage) {
			if *to = raw; raw[0] != '{' {
				p.fail(field, "expected an object")
			}
		}
	}
	p.object(field, raw, fields{"schema": keep(&m.Settings.Schema), "defaults": keep(&m.Settings.Defaults)})
}

func (p *parser) limits(field string, raw json.RawMessage, l *Limits) {
	const number = "a whole number from 0 on"
	p.object(field, raw, fields{
		"memoryPages": into(p, &l.MemoryPages, number),
		"startFuel":   into(p, &l.StartFuel, number),
		"prepareFuel": into(p, &l.PrepareFuel, number),
		"baseFuel":    into(p, &l.BaseFuel, number),
		"itemFuel":    into(p, &l.ItemFuel, number),
		"callFuel":    into(p, &l.CallFuel, number),
		"replyBytes":  into(p, &l.ReplyBytes, number),
	})
}

func (p *parser) metrics(field string, raw json.RawMessage, m *Manifest) {
	for i, raw := range p.list(field, raw) {
		var metric Metric
		p.object(field+"/"+strconv.Itoa(i), raw, fields{
			"id":   into(p, &metric.ID, "a whole number from 1 on"),
			"name": into(p, &metric.Name, "a text"),
			"type": into(p, &metric.Type, "a text"),
			"help": into(p, &metric.Help, "a text"),
		})
		m.Metrics = append(m.Metrics, metric)
	}
}

// into reads a value of the type of to.
func into[T any](p *parser, to *T, expected string) func(string, json.RawMessage) {
	return func(field string, raw json.RawMessage) {
		if err := json.Unmarshal(raw, to); err != nil || string(raw) == "null" {
			p.fail(field, "expected %s", expected)
		}
	}
}

func (p *parser) list(field string, raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	into(p, &list, "a list")(field, raw)
	return list
}

func (p *parser) texts(field string, raw json.RawMessage) []string {
	var texts []string
	for i, raw := range p.list(field, raw) {
		var text string
		into(p, &text, "a text")(field+"/"+strconv.Itoa(i), raw)
		texts = append(texts, text)
	}
	return texts
}

// object reads the members of an object, each by the function of its name.
func (p *parser) object(field string, raw []byte, known fields) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if first, err := dec.Token(); err != nil || first != json.Delim('{') {
		p.fail(field, "expected an object")
		return
	}
	seen := map[string]bool{}
	for dec.More() {
		key, err := dec.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			p.fail(field, "it is not JSON: %v", err)
			return
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			p.fail(field+"/"+name, "it is not JSON: %v", err)
			return
		}
		switch read := known[name]; {
		case read == nil:
			p.fail(field+"/"+name, "no such field")
		case seen[name]:
			p.fail(field+"/"+name, "given twice")
		default:
			read(field+"/"+name, value)
		}
		seen[name] = true
	}
	if _, err := dec.Token(); err != nil {
		p.fail(field, "it is not JSON: %v", err)
	} else if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		p.fail(field, "something follows the object")
	}
}
