// Package jsonvalue reads JSON in a policy module: the app that an admission policy
// reviews, and the settings of any module. Parse checks a text once and builds nothing of
// it; a Value is the piece of the text that it stands for, and is looked into where it is.
//
//	app, err := jsonvalue.Parse(request.New)
//	image := app.Get("container", "docker", "image").String()
//	for name, value := range app.Get("env").Members() {
//
// In a module encoding/json is slow, because of the reflection in it, and makes the file
// megabytes larger: docs/policies.md has the figures. This package uses no reflection and
// no maps, and takes memory only for a copy of what Parse is given as bytes, for a small
// index of the outermost object, and for strings with escapes.
package jsonvalue

import "iter"

// Value is a value of a text that was parsed. It stays good for as long as it is kept. The
// zero Value is absent: what Get returns where there is nothing.
type Value struct {
	text  string // begins with the value, is valid, and is nothing else
	index *index // of the outermost object, if it has not too many members
}

// index is the members of an object: with it a large one need not be searched each time.
// The places are those of its text, of which offset is where the object begins.
type index struct {
	members []member
	offset  int
}

// Kind is what a value is.
type Kind uint8

// The kinds of values.
const (
	Absent Kind = iota // there is no value
	Null
	Bool
	Number
	String
	Array
	Object
)

// String returns the kind in lower case.
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "bool"
	case Number:
		return "number"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	default:
		return "absent"
	}
}

// Parse checks that the text is one value of JSON, as RFC 8259 has it, with nothing but
// white space around it, in UTF-8 and nested no deeper than MaxDepth. The error is a
// *SyntaxError. Bytes are copied: they may change afterwards.
func Parse[T ~string | ~[]byte](text T) (Value, error) {
	s := string(text)
	var c checker
	from, to, err := c.check(s)
	if err != nil {
		return Value{}, err
	}
	v := Value{text: s[from:to]}
	if len(c.index) > 0 && len(c.index) <= maxIndexed {
		v.index = &index{c.index, from}
	}
	return v, nil
}

// Kind tells what the value is.
func (v Value) Kind() Kind {
	if v.text == "" {
		return Absent
	}
	switch v.text[0] {
	case '{':
		return Object
	case '[':
		return Array
	case '"':
		return String
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	default:
		return Number
	}
}

// Exists tells whether there is a value; null is one.
func (v Value) Exists() bool { return v.text != "" }

// Raw is the text of the value as it was written, "" when it is absent.
func (v Value) Raw() string { return v.text }

// Get is what is in the member of this name, and so on along the path; absent when there
// is no such member, or no object to look into. Of members with the same name the last one
// counts. Names are compared exactly, upper and lower case included.
func (v Value) Get(path ...string) Value {
	if len(path) == 0 {
		return v
	}
	from, to, depth := v.find(path)
	if depth < len(path) {
		return Value{}
	}
	return Value{text: v.text[from:to]}
}

// Members are the names and values in an object, in the order of the text, with all that
// have the same name; none of any other value.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != Object {
			return
		}
		for m := before(0); m.next(v.text); {
			if !yield(m.name(v.text), Value{text: v.text[m.from:m.to]}) {
				return
			}
		}
	}
}

// Elements are the values in an array; none of any other value.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Kind() != Array {
			return
		}
		for at := space(v.text, 1); v.text[at] != ']'; {
			to := end(v.text, at)
			if !yield(Value{text: v.text[at:to]}) {
				return
			}
			if at = space(v.text, to); v.text[at] == ',' {
				at = space(v.text, at+1)
			}
		}
	}
}

// String is the content of a string, and "" of any other value. Half of a pair of
// surrogates is U+FFFD.
func (v Value) String() string {
	text, _ := v.Text()
	return text
}

// Text is the content of a string; ok is false for any other value.
func (v Value) Text() (text string, ok bool) {
	if v.Kind() != String {
		return "", false
	}
	return unescaped(v.text[1 : len(v.text)-1]), true
}

// Bool is the value of true or false; ok is false for any other value.
func (v Value) Bool() (is, ok bool) { return v.text == "true", v.Kind() == Bool }
