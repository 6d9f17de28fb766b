package spec

import (
	"maps"
	"slices"
	"strconv"
)

// list reads an array; ok tells an empty one from none.
func (o *object) list(name string) (items []any, path string, ok bool) {
	value, path, ok := o.take(name)
	if !ok {
		return nil, path, false
	}
	items, ok = value.([]any)
	if !ok {
		o.form.Add(path, keyArray)
	}
	return items, path, ok
}

// texts reads an array of strings. The answer is nil for none.
func (o *object) texts(name string) *[]string {
	items, path, ok := o.list(name)
	if !ok {
		return nil
	}
	return o.checkTexts(path, items)
}

// checkTexts keeps the place of an item that is none, so that the list's length is
// still right for the rules that look at it.
func (r *reading) checkTexts(path string, items []any) *[]string {
	var list []string // nil when empty, as in every App
	for i, item := range items {
		s, ok := item.(string)
		switch {
		case !ok:
			r.form.Add(at(path, i), keyString)
		case r.hasNUL(s):
			r.rules.Add(at(path, i), messageNUL)
		}
		list = append(list, s)
	}
	return &list
}

// textMap reads an object whose values are strings. other, when not nil, is
// asked about a value that is none and tells whether it has dealt with it.
func (o *object) textMap(name string, other func(path string, value any) bool) *map[string]string {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	fields, ok := value.(map[string]any)
	if !ok {
		o.form.Add(path, keyObject)
		return nil
	}
	var texts map[string]string // nil when empty, as in every App
	if len(fields) > 0 {
		texts = make(map[string]string, len(fields))
	}
	for i, key := range sortedKeys(fields) {
		if o.hasNUL(key) {
			o.rules.Add(at(path+"/keys", i), messageNUL)
		}
		s, ok := fields[key].(string)
		switch {
		case !ok && (other == nil || !other(path+"/"+key, fields[key])):
			o.form.Add(path+"/"+key, keyString)
		case o.hasNUL(s):
			o.rules.Add(path+"/"+key, messageNUL)
		}
		texts[key] = s
	}
	return &texts
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// at is the path of an array's item.
func at(path string, i int) string {
	return path + "(" + strconv.Itoa(i) + ")"
}
