package jsonvalue_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk/jsonvalue"
)

// vector is a text and what is in it. The SDKs of other languages are held to the same
// ones: runtime/policy/wasm asks them.
type vector struct {
	Text   []byte
	Path   []string
	Set    *string // what is put there
	Want   string  // what is there, as shown has it; with Set, the text that it became
	Error  string
	Base64 []byte
}

func vectors(t testing.TB) []vector {
	t.Helper()
	file, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	type plain vector
	var raw []struct {
		plain
		Text string
	}
	if err := json.Unmarshal(file, &raw); err != nil {
		t.Fatal(err)
	}
	list := make([]vector, len(raw))
	for i, r := range raw {
		list[i] = vector(r.plain)
		list[i].Text = append([]byte(r.Text), r.Base64...)
	}
	return list
}

func TestVectors(t *testing.T) {
	list := vectors(t)
	if len(list) < 250 {
		t.Errorf("%d vectors", len(list))
	}
	for i, v := range list {
		got, err := answer(v)
		if got != v.Want || (err != nil || v.Error != "") && (err == nil || err.Error() != v.Error) {
			t.Errorf("%d: %.200q at %q: %.200s, %v; want %.200s, %s", i, v.Text, v.Path, got, err, v.Want, v.Error)
		}
	}
}

func answer(v vector) (string, error) {
	value, err := jsonvalue.Parse(v.Text)
	if err != nil {
		return "", err
	}
	if v.Set != nil {
		text, err := value.With(*v.Set, v.Path...)
		return string(text), err
	}
	return string(shown(nil, value.Get(v.Path...), 0)), nil
}

// shown is a value as the vectors have it: a number as a whole one and as the bits of a
// float64, "-" for what it is not; a text quoted anew; and what is very deep as it is.
func shown(b []byte, v jsonvalue.Value, depth int) []byte {
	switch kind := v.Kind(); {
	case kind == jsonvalue.Absent:
		return append(b, "absent"...)
	case depth > 20:
		return append(b, v.Raw()...)
	case kind == jsonvalue.Bool:
		is, _ := v.Bool()
		return strconv.AppendBool(b, is)
	case kind == jsonvalue.String:
		return jsonvalue.AppendQuoted(b, v.String())
	case kind == jsonvalue.Array:
		b = append(b, '[')
		for e := range v.Elements() {
			b = append(shown(b, e, depth+1), ',')
		}
		return ended(b, ']')
	case kind == jsonvalue.Object:
		b = append(b, '{')
		for name, m := range v.Members() {
			b = append(jsonvalue.AppendQuoted(b, name), ':')
			b = append(shown(b, m, depth+1), ',')
		}
		return ended(b, '}')
	case kind == jsonvalue.Number:
		return shownNumber(b, v)
	default:
		return append(b, kind.String()...)
	}
}

// ended puts a bracket in the place of the last comma.
func ended(b []byte, bracket byte) []byte {
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, bracket)
}

func shownNumber(b []byte, v jsonvalue.Value) []byte {
	if n, ok := v.Int(); ok {
		b = strconv.AppendInt(b, n, 10)
	} else {
		b = append(b, '-')
	}
	n, ok := v.Float()
	if !ok {
		return append(b, " -"...)
	}
	bits := strconv.FormatUint(math.Float64bits(n), 16)
	b = append(b, " 0000000000000000"[:17-len(bits)]...)
	return append(b, bits...)
}

// Of a value that is not there nothing is known, and it may be asked all the same.
func TestAbsent(t *testing.T) {
	var v jsonvalue.Value
	_, isText := v.Text()
	_, isBool := v.Bool()
	_, isInt := v.Int()
	_, isFloat := v.Float()
	if v.Exists() || v.Kind() != jsonvalue.Absent || v.Raw() != "" || v.String() != "" || isText || isBool || isInt || isFloat {
		t.Errorf("%v %q", v.Kind(), v.Raw())
	}
	for range v.Members() {
		t.Error("it has a member")
	}
	for range v.Elements() {
		t.Error("it has an element")
	}
	if v.Get("a", "b").Exists() || v.Get().Exists() {
		t.Error("there is something in it")
	}
	if text, err := v.With("1", "a"); string(text) != `{"a":1}` || err != nil {
		t.Errorf("%s, %v", text, err)
	}
}

// A value is of the kind that it is, and of no other.
func TestKinds(t *testing.T) {
	for text, want := range map[string]string{
		"null": "null", "true": "bool", "-1": "number", `""`: "string", "[]": "array", "{}": "object",
	} {
		v, err := jsonvalue.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		_, isText := v.Text()
		_, isBool := v.Bool()
		_, isInt := v.Int()
		_, isFloat := v.Float()
		if kind := v.Kind(); kind.String() != want || isText != (want == "string") || isBool != (want == "bool") ||
			isInt != (want == "number") || isFloat != (want == "number") {
			t.Errorf("%s is %v: text %t, bool %t, int %t, float %t", text, kind, isText, isBool, isInt, isFloat)
		}
	}
}

// Bytes may change after they were parsed, and loops may be left early.
func TestKept(t *testing.T) {
	text := []byte(`{"a":["b","c"],"d":1}`)
	v, err := jsonvalue.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	clear(text)
	for name, value := range v.Members() {
		for e := range value.Elements() {
			if name != "a" || e.String() != "b" {
				t.Errorf("%q %q", name, e)
			}
			break
		}
		break
	}
}

// An object with more members than an index has is searched.
func TestManyMembers(t *testing.T) {
	for _, n := range []int{1, 31, 32, 33, 63, 64, 65, 66, 1000} {
		text := []byte(" {")
		for i := range n {
			text = append(jsonvalue.AppendQuoted(text, "\\"+strconv.Itoa(i)), ": {\"x\": "+strconv.Itoa(i)+" } ,"...)
		}
		text = append(text, ` "last": "z", "\\0": true}`...)
		v, err := jsonvalue.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < n; i++ {
			if x, ok := v.Get("\\"+strconv.Itoa(i), "x").Int(); !ok || x != int64(i) {
				t.Errorf("%d of %d is %d, %t", i, n, x, ok)
			}
		}
		if is, _ := v.Get("\\0").Bool(); !is || v.Get("last").String() != "z" || v.Get("first").Exists() {
			t.Errorf("%d members: %s %s", n, v.Get("\\0").Raw(), v.Get("last"))
		}
		if amended, err := v.With("1", "last"); err != nil || string(amended) != strings.Replace(v.Raw(), `"z"`, "1", 1) {
			t.Errorf("%d members: %.100s, %v", n, amended, err)
		}
	}
}

// What is no UTF-8 is quoted so that it becomes JSON.
func TestQuoteNoUTF8(t *testing.T) {
	if got := jsonvalue.Quote("a\xffb\xe2\x82"); got != "\"a\ufffdb\ufffd\ufffd\"" {
		t.Errorf("%s", got)
	}
}

// Reading takes no memory, but for the copy of bytes and an index of the outermost object.
func TestReadingTakesLittleMemory(t *testing.T) {
	text := `{"container": {"docker": {"image": "redis"}}, "env": {"A": "1", "B": "2"}, "cpus": 0.5, "instances": 3}`
	taken := testing.AllocsPerRun(10, func() {
		v, err := jsonvalue.Parse(text)
		if err != nil || v.Get("container", "docker", "image").String() != "redis" {
			t.Error(v, err)
		}
		n := 0
		for name, value := range v.Get("env").Members() {
			n += len(name) + len(value.String())
		}
		cpus, ok := v.Get("cpus").Float()
		if n != 4 || !ok || cpus != 0.5 {
			t.Error(n, cpus)
		}
	})
	if taken > 2 {
		t.Errorf("%v allocations", taken)
	}
}

func TestErrors(t *testing.T) {
	_, err := jsonvalue.Parse("{")
	if bad := (*jsonvalue.SyntaxError)(nil); !errors.As(err, &bad) || bad.Offset != 1 || bad.Cause != "cut short" {
		t.Errorf("%v", err)
	}
}
