package jsonvalue_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pacer-run/pacer/sdk/jsonvalue"
)

// FuzzParse holds the package to encoding/json: the same texts are JSON, the same byte is
// wrong in those that are not, and the same is in them.
func FuzzParse(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Text)
	}
	app, err := os.ReadFile("../../examples/apps/web.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(app)
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := jsonvalue.Parse(text)
		var want any
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		wantErr := json.Unmarshal(text, new(json.RawMessage))
		switch bad := (*jsonvalue.SyntaxError)(nil); {
		case !errors.As(err, &bad):
			if wantErr != nil || !utf8.Valid(text) {
				t.Fatalf("taken; encoding/json says %v", wantErr)
			}
			if err := dec.Decode(&want); err != nil {
				t.Fatal(err)
			}
			if got := built(t, v); !reflect.DeepEqual(got, want) { // cmp takes forever over deep ones
				t.Errorf("%v, want %v", got, want)
			}
			amend(t, v, want)
		case bad.Cause == "nested deeper than 1024", bad.Cause == "not UTF-8":
			// which encoding/json takes
		case wantErr == nil:
			t.Errorf("%v; encoding/json takes it", err)
		default:
			sameByte(t, text, bad, wantErr)
		}
	})
}

// sameByte compares the place of an error: encoding/json counts the byte that is wrong,
// and stops at the end of the text.
func sameByte(t *testing.T, text []byte, bad *jsonvalue.SyntaxError, wantErr error) {
	t.Helper()
	var syntax *json.SyntaxError
	if !errors.As(wantErr, &syntax) {
		t.Fatalf("%T: %v", wantErr, wantErr)
	}
	want := int(syntax.Offset) - 1
	atEnd := strings.HasPrefix(syntax.Error(), "unexpected end") ||
		want == len(text)-1 && text[want] != ' ' && strings.HasPrefix(syntax.Error(), "invalid character ' '") // that it thinks is there
	if atEnd {
		want = len(text)
	}
	if bad.Offset != want {
		t.Errorf("%v; encoding/json has byte %d: %v", bad, want, syntax)
	}
}

// built is what encoding/json would make of the value, built from what the package says.
func built(t *testing.T, v jsonvalue.Value) any {
	t.Helper()
	switch v.Kind() {
	case jsonvalue.Object:
		object, last := map[string]any{}, map[string]jsonvalue.Value{}
		for name, value := range v.Members() {
			object[name], last[name] = built(t, value), value
		}
		for name, value := range last {
			if got := v.Get(name); got.Raw() != value.Raw() {
				t.Errorf("%q is %s, not %s", name, got.Raw(), value.Raw())
			}
		}
		return object
	case jsonvalue.Array:
		array := []any{}
		for value := range v.Elements() {
			array = append(array, built(t, value))
		}
		return array
	case jsonvalue.String:
		sameQuoted(t, v.String())
		return v.String()
	case jsonvalue.Number:
		sameNumber(t, v)
		return json.Number(v.Raw())
	case jsonvalue.Bool:
		is, _ := v.Bool()
		return is
	default:
		return nil
	}
}

// sameQuoted sees to it that a text survives being quoted.
func sameQuoted(t *testing.T, text string) {
	t.Helper()
	var again string
	if err := json.Unmarshal(jsonvalue.AppendQuoted(nil, text), &again); err != nil || again != text {
		t.Errorf("%q is quoted as %s: %q, %v", text, jsonvalue.Quote(text), again, err)
	}
}

func sameNumber(t *testing.T, v jsonvalue.Value) {
	t.Helper()
	var whole int64
	wantErr := json.Unmarshal([]byte(v.Raw()), &whole)
	if n, ok := v.Int(); ok != (wantErr == nil) || ok && n != whole {
		t.Errorf("%s is the whole number %d, %t; encoding/json has %d, %v", v.Raw(), n, ok, whole, wantErr)
	}
	float, wantErr := strconv.ParseFloat(v.Raw(), 64)
	if n, ok := v.Float(); ok != (wantErr == nil) || ok && math.Float64bits(n) != math.Float64bits(float) {
		t.Errorf("%s is the number %v, %t; strconv has %v, %v", v.Raw(), n, ok, float, wantErr)
	}
}

// amend puts a value at a path, which encoding/json has to find there.
func amend(t *testing.T, v jsonvalue.Value, was any) {
	t.Helper()
	text, err := v.With(`"put"`, "a", "b\n")
	object, ok := was.(map[string]any)
	inner, innerOK := object["a"].(map[string]any)
	if bad := (*jsonvalue.PathError)(nil); errors.As(err, &bad) {
		if was == nil || ok && (innerOK || object["a"] == nil) {
			t.Errorf("%s: %v", v.Raw(), err)
		}
		return
	}
	if object == nil {
		object = map[string]any{}
	}
	if inner == nil {
		inner = map[string]any{}
	}
	inner["b\n"] = "put"
	object["a"] = inner
	var got any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&got); err != nil {
		t.Fatalf("%s became %s: %v", v.Raw(), text, err)
	}
	if !reflect.DeepEqual(got, any(object)) {
		t.Errorf("%s became %s", v.Raw(), text)
	}
}
