package spec

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// The keys of the API for a field of the wrong form.
const (
	keyString  = "error.expected.jsstring"
	keyNumber  = "error.expected.jsnumber"
	keyBoolean = "error.expected.jsboolean"
	keyArray   = "error.expected.jsarray"
	keyObject  = "error.expected.jsobject"
	keyInt     = "error.expected.int"
	keyLong    = "error.expected.long"
	keyDate    = "error.expected.date.isoformat"
	keyMin     = "error.min"
	keyMax     = "error.max"
	keyMinLen  = "error.minLength"
	keyMaxLen  = "error.maxLength"
	keyPattern = "error.pattern"
	keyEnum    = "error.unknown.enum.literal"
	keyMissing = "error.path.missing"
)

// parseDocument reads exactly one JSON value. The error is a *SyntaxError.
func parseDocument(data []byte) (any, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, &SyntaxError{Empty: true, Detail: "No content to map due to end-of-input"}
	}
	if err := checkUTF8(data); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, &SyntaxError{Detail: err.Error()}
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, &SyntaxError{Detail: "unexpected text after the end of the document"}
	}
	return value, checkEscapes(data)
}

// reading collects what is wrong while a document is taken apart. A document
// with a fault of form is not looked at any further, so the two kinds are apart.
type reading struct {
	form    Faults // a field is not what its type says
	rules   Faults // well-formed, but not allowed
	unknown []string
	base    PathID // what relative paths are resolved against
	hasID   bool   // the caller knows what the document is about: an id in it means nothing
	stored  bool   // the document is a record of ours: its text is taken as it is
}

func newReading() *reading {
	return &reading{form: Faults{Message: MessageInvalidJSON}, rules: Faults{Message: MessageInvalidObject}, base: Root}
}

// object is one JSON object of a document. Its methods return nil for a field
// that is absent, null or of a wrong form; the last is noted.
type object struct {
	*reading
	path   string // "" for the document itself
	fields map[string]any
	known  map[string]bool
}

// object takes a value as an object. A wrong form gives an object without
// fields, so that callers need no second way.
func (r *reading) object(path string, value any) *object {
	fields, ok := value.(map[string]any)
	if !ok {
		r.form.Add(orRoot(path), keyObject)
	}
	return &object{reading: r, path: path, fields: fields, known: map[string]bool{}}
}

// orRoot is how a fault of a whole document is placed.
func orRoot(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// take returns a field that is neither absent nor null, and its path.
func (o *object) take(name string) (value any, path string, ok bool) {
	o.known[name] = true
	value = o.fields[name]
	return value, o.path + "/" + name, value != nil
}

// ignore marks fields that are understood and have no effect.
func (o *object) ignore(names ...string) {
	for _, name := range names {
		o.known[name] = true
	}
}

// finish notes the fields that nobody asked for.
func (o *object) finish() {
	for _, name := range sortedKeys(o.fields) {
		if !o.known[name] {
			o.unknown = append(o.unknown, strings.TrimPrefix(o.path+"/"+name, "/"))
		}
	}
}

// missing notes that a field that must be there is not.
func (o *object) missing(name string) {
	text, err := json.Marshal(o.fields)
	if err != nil || len(text) > maxQuoted {
		text = []byte("{…}")
	}
	o.form.Add(o.path+"/"+name, "'"+name+"' is undefined on object: "+string(text))
}

// maxQuoted bounds how much of a body an error repeats, in bytes.
const maxQuoted = 1000

// short cuts a text of a body to what an error repeats of it.
func short(text string) string {
	if len(text) <= maxQuoted {
		return text
	}
	return strings.ToValidUTF8(text[:maxQuoted], "") + "…"
}

// need notes those of the fields that are not there.
func (o *object) need(names ...string) {
	for _, name := range names {
		if _, _, ok := o.take(name); !ok && o.fields != nil {
			o.missing(name)
		}
	}
}

// inner hands the object of a field to read, when there is one, and notes what
// of it nobody asked for.
func (o *object) inner(name string, read func(*object)) (ok bool) {
	value, path, ok := o.take(name)
	if ok {
		inner := o.object(path, value)
		read(inner)
		inner.finish()
	}
	return ok
}

// objects hands each object of an array to read; ok tells an empty array from none.
func (o *object) objects(name string, read func(*object)) (ok bool) {
	items, path, ok := o.list(name)
	for i, item := range items {
		inner := o.object(at(path, i), item)
		read(inner)
		inner.finish()
	}
	return ok
}
