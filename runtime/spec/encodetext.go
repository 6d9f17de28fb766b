package spec

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// AppendText appends s as a JSON string.
func AppendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return appendEscaped(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendEscaped is the way for the rare text with something to escape.
func appendEscaped(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // no string makes it fail
		return append(b, `""`...)
	}
	return append(b, text...)
}

// AppendTexts appends a JSON array of strings.
func AppendTexts(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendText(b, s)
	}
	return append(b, ']')
}

// appendTextMap sorts the keys: equal apps have equal bytes.
func appendTextMap(b []byte, m map[string]string) []byte {
	b = append(b, '{')
	for i, key := range sortedKeys(m) {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendText(append(AppendText(b, key), ':'), m[key])
	}
	return append(b, '}')
}

func appendTime(b []byte, t Timestamp) []byte {
	if t == 0 {
		return append(b, `""`...)
	}
	return append(t.Time().AppendFormat(append(b, '"'), timestampLayout), '"')
}

func appendSeconds(b []byte, d time.Duration) []byte {
	return strconv.AppendInt(b, int64(d/time.Second), 10)
}

// decimal prints a double so that it is seen to be one: "1.0".
func decimal(f float64) string { return string(appendNumber(nil, f)) }

func appendNumber(b []byte, f float64) []byte {
	if math.Abs(f) >= 1e15 || f != 0 && math.Abs(f) < 1e-9 {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	if bytes.IndexByte(b[start:], '.') < 0 {
		b = append(b, ".0"...)
	}
	return b
}

// pick returns what goes before the first item of a list, or the others.
func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// appendOptional appends a member whose text is not empty. name has the comma
// and the colon.
func appendOptional(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return AppendText(append(b, name...), text)
}

// appendList appends a member that is a list, left out when empty.
func appendList[T any](b []byte, name string, items []T, item func([]byte, *T) []byte) []byte {
	if len(items) == 0 {
		return b
	}
	return appendItems(append(b, name...), items, item)
}

// appendItems appends a list.
func appendItems[T any](b []byte, items []T, item func([]byte, *T) []byte) []byte {
	b = append(b, '[')
	for i := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = item(b, &items[i])
	}
	return append(b, ']')
}

// appendInt appends a member that may be unset.
func appendInt[T int | int64](b []byte, name string, n *T) []byte {
	if n == nil {
		return b
	}
	return strconv.AppendInt(append(b, name...), int64(*n), 10)
}

func appendBool(b []byte, name string, value bool) []byte {
	return strconv.AppendBool(append(b, name...), value)
}

func appendDecimal(b []byte, name string, value float64) []byte {
	return appendNumber(append(b, name...), value)
}
