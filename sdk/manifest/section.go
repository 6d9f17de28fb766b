package manifest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// header is how a WASM module of the binary format's version 1 begins.
const header = "\x00asm\x01\x00\x00\x00"

// section is one section of a module.
type section struct {
	whole   []byte // with its head
	custom  bool
	name    string // of a custom section
	content []byte // of a custom section, behind its name
}

// Extract returns the manifest of a module; nil when it has none. Bytes that are
// not sections of a module, two manifests, and a bad one are errors.
func Extract(wasm []byte) (*Manifest, error) {
	sections, err := split(wasm)
	if err != nil {
		return nil, err
	}
	var found *section
	for i, s := range sections {
		switch {
		case !s.custom || s.name != Section:
		case found != nil:
			return nil, fmt.Errorf("it has two sections called %s", Section)
		default:
			found = &sections[i]
		}
	}
	if found == nil {
		return nil, nil
	}
	return Parse(found.content)
}

// Embed returns the module with the manifest, which takes the place of an earlier
// one. The manifest is checked as Parse does; wasm is not changed.
func Embed(wasm []byte, m *Manifest) ([]byte, error) {
	text := m.Encode()
	if _, err := Parse(text); err != nil {
		return nil, err
	}
	sections, err := split(wasm)
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, len(wasm)+len(text)+len(Section)+16))
	out.WriteString(header)
	for _, s := range sections {
		if !s.custom || s.name != Section {
			out.Write(s.whole)
		}
	}
	body := binary.AppendUvarint(nil, uint64(len(Section)))
	body = append(append(body, Section...), text...)
	out.WriteByte(0)
	out.Write(binary.AppendUvarint(nil, uint64(len(body))))
	out.Write(body)
	return out.Bytes(), nil
}

// split cuts a module into its sections. What is in them, other than the names of
// custom ones, is not looked at.
func split(wasm []byte) ([]section, error) {
	rest, ok := bytes.CutPrefix(wasm, []byte(header))
	if !ok {
		return nil, errors.New("it is not a WASM module of version 1")
	}
	const lastID = 13 // of a section that any version of the format knows
	var sections []section
	for len(rest) > 0 {
		id := rest[0]
		if id > lastID {
			return nil, fmt.Errorf("malformed module: no section has the number %d", id)
		}
		content, after, err := sized(rest[1:])
		if err != nil {
			return nil, err
		}
		s := section{whole: rest[:len(rest)-len(after)], custom: id == 0}
		if s.custom {
			name, content, err := sized(content)
			if err != nil {
				return nil, err
			}
			if !utf8.Valid(name) {
				return nil, errors.New("malformed module: the name of a section is not UTF-8")
			}
			s.name, s.content = string(name), content
		}
		sections, rest = append(sections, s), after
	}
	return sections, nil
}

// sized cuts off bytes that are led by their length.
func sized(b []byte) (content, rest []byte, err error) {
	const longest = 5 // bytes of a length of 32 bits
	size, n := binary.Uvarint(b[:min(len(b), longest)])
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, errors.New("malformed module: a length beyond its end")
	}
	return b[n : n+int(size)], b[n+int(size):], nil
}
