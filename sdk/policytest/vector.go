// Package policytest checks policies: constraints against vectors in text files, so
// that a policy is shown to answer alike in all its forms, built in, as a WASM
// module, or whatever comes; health rules against what their contract promises.
//
// A vector is one line:
//
//	MAX_PER value 2 placed r1 r2 known r3 quota r1=1 r2=1 r3=2 -=0 flags refill
//	MAX_PER value two invalid "MAX_PER requires an integer value"
//
// It names the operator, then what is known, each part led by its word. Values
// may be quoted as in Go; a bare - is an agent without the field, and a quota of
// * is unlimited. The parts: app (its id, /app if left out), label (KEY=VALUE), value,
// placed (in order, the first one first), known (values of agents), instances, quota,
// flags, invalid.
package policytest

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// Vector is one line of a vector file.
type Vector struct {
	Line    int
	Text    string
	Spec    sdk.ConstraintSpec
	Input   sdk.ConstraintInput
	Quota   map[string]uint32 // by value; slots not named are not checked
	Absent  *uint32           // quota of agents without the field; nil: not checked
	Flags   sdk.AnswerFlags
	Invalid string // the message that Prepare has to give; "" when it has to accept
}

// Read reads a vector file. Empty lines and those that start with # are left out.
func Read(r io.Reader) ([]Vector, error) {
	var vectors []Vector
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		v, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		v.Line = n
		vectors = append(vectors, v)
	}
	return vectors, lines.Err()
}

// word is one token; bare tells - from "-".
type word struct {
	text string
	tail string // what follows "=" or a closing quote
	bare bool
}

func split(line string) ([]word, error) {
	var words []word
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		w := word{bare: true}
		if line[0] == '"' {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, fmt.Errorf("unclosed quote at %s", line)
			}
			w.bare, line = false, line[len(quoted):]
			if w.text, err = strconv.Unquote(quoted); err != nil {
				return nil, err
			}
		}
		end := strings.IndexByte(line+" ", ' ')
		if rest := line[:end]; !w.bare {
			w.tail = strings.TrimPrefix(rest, "=")
		} else {
			w.text, w.tail, _ = strings.Cut(rest, "=")
		}
		words, line = append(words, w), line[end:]
	}
	return words, nil
}

func parse(line string) (Vector, error) {
	v := Vector{Text: line, Quota: map[string]uint32{}}
	v.Input = sdk.ConstraintInput{Values: []string{""}, Placed: []uint32{0}, First: -1}
	words, err := split(line)
	if err != nil {
		return v, err
	}
	v.Spec = sdk.ConstraintSpec{Field: "field", Operator: words[0].text, App: sdk.AppFacts{ID: "/app"}}
	name, args := "", 0
	for _, w := range words[1:] {
		switch {
		case w.bare && isPart(w.text):
			if err := complete(name, args); err != nil {
				return v, err
			}
			name, args = w.text, 0
		case isSingle(name) && args > 0:
			return v, fmt.Errorf("%s: %q is one text too many; one with blanks has to be in quotes", name, w.text)
		default:
			if err := v.add(name, w); err != nil {
				return v, err
			}
			args++
		}
	}
	if err := complete(name, args); err != nil {
		return v, err
	}
	v.Spec.App.Instances = v.Input.Instances
	return v, nil
}

func isPart(text string) bool {
	switch text {
	case "app", "label", "value", "placed", "known", "instances", "quota", "flags", "invalid":
		return true
	}
	return false
}

// isSingle tells parts that take one text.
func isSingle(name string) bool {
	switch name {
	case "app", "value", "instances", "invalid":
		return true
	}
	return false
}

// complete says whether a part with so many texts lacks one.
func complete(name string, args int) error {
	if isSingle(name) && args == 0 {
		return fmt.Errorf("%s: expected something behind it", name)
	}
	return nil
}

func (v *Vector) add(name string, w word) error {
	switch name {
	case "app":
		v.Spec.App.ID = w.full()
	case "label":
		if v.Spec.App.Labels == nil {
			v.Spec.App.Labels = map[string]string{}
		}
		return part{name: name, arg: w}.label(v.Spec.App.Labels)
	case "value":
		v.Spec.Value, v.Spec.HasValue = w.full(), true
	case "placed":
		slot := v.slot(word{text: w.full(), bare: w.bare})
		v.Input.Placed[slot]++
		if v.Input.First < 0 {
			v.Input.First = slot
		}
	case "known":
		v.slot(word{text: w.full(), bare: w.bare})
	case "instances":
		return part{name: name, arg: w}.number(&v.Input.Instances)
	case "quota":
		return v.addQuota(w)
	case "flags":
		return v.addFlag(w.text)
	case "invalid":
		v.Invalid = w.full()
	default:
		return fmt.Errorf("%q belongs to no part: expected app, label, value, placed, known, instances, quota, flags or invalid first", w.text)
	}
	return nil
}

func (v *Vector) addFlag(name string) error {
	switch name {
	case "exclusive":
		v.Flags |= sdk.Exclusive
	case "volatile":
		v.Flags |= sdk.Volatile
	case "refill":
		v.Flags |= sdk.Refill
	default:
		return fmt.Errorf("flags: %q: expected exclusive, volatile or refill", name)
	}
	return nil
}

func (v *Vector) addQuota(w word) error {
	quota := sdk.Unlimited
	if w.tail != "*" {
		n, err := strconv.ParseUint(w.tail, 10, 32)
		if err != nil {
			return fmt.Errorf("quota of %q: %q: expected VALUE=NUMBER, or VALUE=* for any number", w.text, w.tail)
		}
		quota = uint32(n)
	}
	if w.bare && w.text == "-" {
		v.Absent = &quota
		return nil
	}
	v.slot(w)
	v.Quota[w.text] = quota
	return nil
}

// slot is the place of the value in the dictionary, where it is put if missing.
func (v *Vector) slot(w word) int {
	if w.bare && w.text == "-" {
		return sdk.AbsentSlot
	}
	for i := 1; i < len(v.Input.Values); i++ {
		if v.Input.Values[i] == w.text {
			return i
		}
	}
	v.Input.Values = append(v.Input.Values, w.text)
	v.Input.Placed = append(v.Input.Placed, 0)
	return len(v.Input.Values) - 1
}
