package jsonvalue

import "strings"

// PathError says that a value cannot be put at a path, because something on the way there
// is no object.
type PathError struct {
	Path []string // up to and with that
}

// Error names the path, as in "/container/docker is no object"; "/" is the value itself.
func (e *PathError) Error() string {
	return "/" + strings.Join(e.Path, "/") + " is no object"
}

// With is the text of the value with another value, JSON, at the path. Objects on the way
// that are not there, or null, are made. All else stays as it was written. The error is a
// *SyntaxError when raw is no JSON, or a *PathError.
func (v Value) With(raw string, path ...string) ([]byte, error) {
	if _, _, err := new(checker).check(raw); err != nil {
		return nil, err
	}
	from, to, depth := v.find(path)
	rest := path[depth:]
	text := make([]byte, 0, len(v.text)+len(raw)+32*len(rest))
	text = append(text, v.text[:from]...)
	switch there := (Value{text: v.text[from:to]}); {
	case len(rest) == 0:
		text = append(text, raw...)
	case there.Kind() == Object: // the member comes last, before the bracket
		text = append(text, v.text[from:to-1]...)
		if m := before(0); m.next(there.text) {
			text = append(text, ',')
		}
		text = appendMember(text, rest, raw)
		to--
	case there.Kind() == Null, there.Kind() == Absent:
		text = append(text, '{')
		text = appendMember(text, rest, raw)
		text = append(text, '}')
	default:
		return nil, &PathError{path[:depth]}
	}
	return append(text, v.text[to:]...), nil
}

// appendMember appends a member with the name that the path begins with; the others are
// objects in it, each with one member.
func appendMember(b []byte, path []string, raw string) []byte {
	for i, name := range path {
		if i > 0 {
			b = append(b, '{')
		}
		b = append(AppendQuoted(b, name), ':')
	}
	b = append(b, raw...)
	for range len(path) - 1 {
		b = append(b, '}')
	}
	return b
}
