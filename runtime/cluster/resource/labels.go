package resource

import (
	"strings"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// Labels are the labels of a reservation in a form that can be compared: their binary form. Their order counts, as in
// Mesos. Empty = unset.
type Labels string

// labelsOf keeps no labels at all apart from a list without any.
func labelsOf(in *mesos.Labels) Labels {
	if in == nil || len(in.Labels) == 0 {
		return ""
	}
	text, err := in.Marshal()
	if err != nil {
		return "" // the bindings only fail where a required field is absent, and Go has none such
	}
	return Labels(text)
}

func (l Labels) proto() *mesos.Labels {
	if l == "" {
		return nil
	}
	out := &mesos.Labels{}
	if out.Unmarshal([]byte(l)) != nil {
		return nil
	}
	return out
}

// String is Mesos' notation, as {key: value, other: value}.
func (l Labels) String() string {
	in := l.proto()
	if in == nil {
		return ""
	}
	parts := make([]string, len(in.Labels))
	for i, one := range in.Labels {
		parts[i] = one.Key
		if one.Value != nil {
			parts[i] += ": " + *one.Value
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
