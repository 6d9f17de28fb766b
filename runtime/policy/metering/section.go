package metering

import "bytes"

// Section ids of the binary format.
const (
	sectionCustom   = 0
	sectionType     = 1
	sectionImport   = 2
	sectionFunction = 3
	sectionTable    = 4
	sectionMemory   = 5
	sectionGlobal   = 6
	sectionExport   = 7
	sectionStart    = 8
	sectionCode     = 10
	sectionData     = 11
)

const preamble = "\x00asm\x01\x00\x00\x00"

// order is how sections follow each other, by id: data count is before code.
const order = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0c\x0a\x0b"

// sections is the content of each section; nil when the module lacks it.
type sections struct {
	body [len(order) + 1][]byte // by id
}

// split takes a module apart. All custom sections are dropped: debugging data refers to
// offsets that do not hold any more, and with each trap the engine puts the names of 30
// functions together, of any length, for a text of which one line is read.
func split(module []byte) (*sections, error) {
	if !bytes.HasPrefix(module, []byte(preamble)) {
		return nil, fault("it does not start with the magic number and version 1")
	}
	s := &sections{}
	r := &reader{b: module, at: len(preamble)}
	next := 0 // index in order
	for r.more() {
		id := r.byte()
		body := r.bytes(r.u32())
		if id == sectionCustom {
			custom := &reader{b: body}
			custom.name()
			if custom.err != nil {
				return nil, custom.err
			}
			continue
		}
		for next < len(order) && order[next] != id {
			next++
		}
		if next == len(order) {
			return nil, fault("a section is unknown, doubled or out of order")
		}
		next++
		s.body[id] = body
	}
	return s, r.err
}

func (s *sections) read(id byte) *reader { return &reader{b: s.body[id]} }

// join puts the module together.
func (s *sections) join() []byte {
	size := len(preamble)
	for _, body := range s.body {
		size += len(body) + 6
	}
	module := append(make([]byte, 0, size), preamble...)
	for i := range len(order) {
		id := order[i]
		if body := s.body[id]; body != nil {
			module = append(appendU32(append(module, id), uint32(len(body))), body...)
		}
	}
	return module
}
