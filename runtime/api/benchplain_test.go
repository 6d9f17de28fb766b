package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
)

// plainHandler answers every path with what a program would that keeps its state
// in structs and encodes them for each request: chi and encoding/json, no cache. Its
// answer is text, and the newline that json.Encoder puts after it.
func plainHandler(tb testing.TB, text []byte) http.Handler {
	value := structured(tb, text)
	mux := chi.NewMux()
	mux.Get("/*", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(value) // the bytes are compared
	})
	return mux
}

// structured turns JSON into structs that encode to the same text. Strings stay
// strings, so that it does not pay for the text of times.
func structured(tb testing.TB, text []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	n, err := readNode(decoder)
	if err != nil {
		tb.Fatal(err)
	}
	value := reflect.New(n.goType()).Elem()
	n.fill(value)
	return value.Interface()
}

// node is a JSON value that keeps the order of its members.
type node struct {
	object  bool
	array   bool
	names   []string
	members []node
	scalar  any
}

func readNode(d *json.Decoder) (node, error) {
	token, err := d.Token()
	if err != nil {
		return node{}, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return node{scalar: token}, nil
	}
	n := node{object: delim == '{', array: delim == '['}
	for d.More() {
		if n.object {
			name, err := d.Token()
			if err != nil {
				return n, err
			}
			n.names = append(n.names, name.(string))
		}
		member, err := readNode(d)
		if err != nil {
			return n, err
		}
		n.members = append(n.members, member)
	}
	_, err = d.Token()
	return n, err
}

// goType takes the elements of an array to be alike.
func (n node) goType() reflect.Type {
	switch {
	case n.object:
		fields := make([]reflect.StructField, len(n.names))
		for i, name := range n.names {
			fields[i] = reflect.StructField{
				Name: fmt.Sprintf("F%d", i), Type: n.members[i].goType(), Tag: reflect.StructTag(`json:"` + name + `"`),
			}
		}
		return reflect.StructOf(fields)
	case n.array && len(n.members) == 0:
		return reflect.TypeFor[[]string]()
	case n.array:
		return reflect.SliceOf(n.members[0].goType())
	case n.scalar == nil:
		return reflect.TypeFor[*string]()
	}
	if number, ok := n.scalar.(json.Number); ok {
		if _, err := number.Int64(); err == nil {
			return reflect.TypeFor[int64]()
		}
		if strings.HasSuffix(number.String(), ".0") { // encoding/json would leave that out
			return reflect.TypeFor[json.Number]()
		}
		return reflect.TypeFor[float64]()
	}
	return reflect.TypeOf(n.scalar)
}

func (n node) fill(v reflect.Value) {
	switch {
	case n.object:
		for i, m := range n.members {
			m.fill(v.Field(i))
		}
	case n.array:
		v.Set(reflect.MakeSlice(v.Type(), len(n.members), len(n.members)))
		for i, m := range n.members {
			m.fill(v.Index(i))
		}
	case n.scalar == nil:
	case v.Kind() == reflect.Int64:
		whole, _ := n.scalar.(json.Number).Int64()
		v.SetInt(whole)
	case v.Kind() == reflect.Float64:
		float, _ := n.scalar.(json.Number).Float64()
		v.SetFloat(float)
	default:
		v.Set(reflect.ValueOf(n.scalar))
	}
}
