// Command json-go reads JSON as policy modules in Go do: its policy show is asked for what
// is in any text, and review looks at an app as policies of admission do.
package main

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
	"github.com/pacer-run/pacer/sdk/jsonvalue"
)

var _ = guest.Register(guest.Module{Name: "json", Version: "1.0.0", Admission: reader{}})

func main() {}

type reader struct{}

func (reader) Policies() []string { return []string{"show", "review"} }

func (reader) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	v, err := jsonvalue.Parse(r.New)
	if err != nil {
		return sdk.AdmissionReview{}, &sdk.Invalid{Message: err.Error()}
	}
	if r.Policy == "review" {
		return review(v)
	}
	settings, err := jsonvalue.Parse(r.Settings)
	if err != nil {
		return sdk.AdmissionReview{}, err
	}
	var path []string
	for name := range settings.Get("path").Elements() {
		path = append(path, name.String())
	}
	amended := shown(nil, v.Get(path...), 0)
	if set, ok := settings.Get("set").Text(); ok {
		if amended, err = v.With(set, path...); err != nil {
			return sdk.AdmissionReview{}, &sdk.Invalid{Message: err.Error()}
		}
	}
	return sdk.AdmissionReview{Amended: amended}, nil
}

// review takes an app whose image is the mirror's and points that of another there. The
// app has to have a team, and no password among its environment.
func review(app jsonvalue.Value) (sdk.AdmissionReview, error) {
	if app.Get("labels", "team").String() == "" {
		return sdk.DenyAdmission("/labels/team", "an app needs a team"), nil
	}
	for name := range app.Get("env").Members() {
		if name == "PASSWORD" {
			return sdk.DenyAdmission("/env/PASSWORD", "passwords are secrets"), nil
		}
	}
	image := app.Get("container", "docker", "image").String()
	if image == "" || strings.HasPrefix(image, "mirror.example/") {
		return sdk.AllowAdmission(), nil
	}
	amended, err := app.With(jsonvalue.Quote("mirror.example/"+image), "container", "docker", "image")
	return sdk.AdmissionReview{Amended: amended}, err
}

// shown is a value as sdk/jsonvalue/testdata/vectors.json has it.
func shown(b []byte, v jsonvalue.Value, depth int) []byte {
	kind := v.Kind()
	switch {
	case kind == jsonvalue.Absent:
		return append(b, "absent"...)
	case depth > 20:
		return append(b, v.Raw()...)
	}
	switch kind {
	case jsonvalue.Bool:
		is, _ := v.Bool()
		return strconv.AppendBool(b, is)
	case jsonvalue.Number:
		return shownNumber(b, v)
	case jsonvalue.String:
		return jsonvalue.AppendQuoted(b, v.String())
	case jsonvalue.Array:
		b = append(b, '[')
		for e := range v.Elements() {
			b = append(shown(b, e, depth+1), ',')
		}
		return ended(b, ']')
	case jsonvalue.Object:
		b = append(b, '{')
		for name, m := range v.Members() {
			b = append(jsonvalue.AppendQuoted(b, name), ':')
			b = append(shown(b, m, depth+1), ',')
		}
		return ended(b, '}')
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
