package cluster

import (
	"fmt"
	"strings"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// Attribute is one attribute of an agent. Names may repeat; their order is kept.
type Attribute struct {
	Name   string
	Kind   mesos.Value_Type // TEXT, SCALAR or RANGES
	Text   string
	Scalar float64
	Ranges []resource.Range
}

// ParseAttributes reads the text form of an agent's attributes: name:value, separated by semicolons and split at the
// first colon; blanks are removed. A value is ranges as [1-3,5-9], else a finite number of at least 0, else text. Sets
// are refused, as by a real agent. The empty text has no attributes.
func ParseAttributes(text string) ([]Attribute, error) {
	var out []Attribute
	for part := range strings.SplitSeq(strings.ReplaceAll(text, " ", ""), ";") {
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, ":")
		if !ok || name == "" || value == "" {
			return nil, fmt.Errorf("attribute %q: expected name:value", part)
		}
		a := Attribute{Name: name, Kind: mesos.TEXT, Text: value}
		switch parsed, err := resource.ParseValue(value); {
		case strings.HasPrefix(value, "{"):
			return nil, fmt.Errorf("attribute %q: sets are not supported", part)
		case strings.HasPrefix(value, "["):
			if err != nil {
				return nil, fmt.Errorf("attribute %q: %w", part, err)
			}
			a = Attribute{Name: name, Kind: mesos.RANGES, Ranges: parsed.Ranges}
		case err == nil:
			a = Attribute{Name: name, Kind: mesos.SCALAR, Scalar: float64(parsed.Milli) / 1000}
		}
		out = append(out, a)
	}
	return out, nil
}

// attributesProto is the form of attributes in offers.
func attributesProto(in []Attribute) []mesos.Attribute {
	out := make([]mesos.Attribute, len(in))
	for i, a := range in {
		out[i] = mesos.Attribute{Name: a.Name, Type: a.Kind}
		switch a.Kind {
		case mesos.SCALAR:
			out[i].Scalar = &mesos.Value_Scalar{Value: a.Scalar}
		case mesos.RANGES:
			out[i].Ranges = &mesos.Value_Ranges{}
			for _, r := range a.Ranges {
				out[i].Ranges.Range = append(out[i].Ranges.Range, mesos.Value_Range{Begin: r.Begin, End: r.End})
			}
		default:
			out[i].Text = &mesos.Value_Text{Value: a.Text}
		}
	}
	return out
}
