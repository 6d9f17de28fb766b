// Package resource does the arithmetic of Mesos resources: scalars of three decimals, inclusive ranges and sets of items,
// kept apart by name and reservation. The protobuf types are only met at the edge (FromProto, Proto); sums and
// comparisons work on small values of fixed precision, so that nothing drifts over millions of launches.
package resource

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind says which of Mesos' value types a resource has.
type Kind int

// The kinds of resources. TEXT is an attribute's type only.
const (
	Scalar Kind = iota
	Ranges
	Items
)

// String is the name of the kind on the wire.
func (k Kind) String() string { return [...]string{"SCALAR", "RANGES", "SET"}[k] }

// Reservation is one level of a resource's reservation stack.
type Reservation struct {
	Dynamic         bool
	Role, Principal string // Principal is empty when unset
	Labels          Labels
}

func (r Reservation) String() string {
	kind := "STATIC"
	if r.Dynamic {
		kind = "DYNAMIC"
	}
	text := "(" + kind + "," + r.Role
	if r.Principal != "" {
		text += "," + r.Principal
	}
	if r.Labels != "" {
		text += "," + r.Labels.String()
	}
	return text + ")"
}

// Resource is an amount of one thing. Values that differ in name, reservations or other are never added up.
type Resource struct {
	Name         string
	Kind         Kind
	Reservations []Reservation // empty = unreserved; the last one is in force
	Milli        int64         // Scalar: thousandths
	Ranges       []Range       // Ranges: sorted, joined
	Items        []string      // Items: sorted
	Disk         *Disk         // nil = no disk, or the plain one below the agent's work dir

	other string // text of what sets a resource apart besides (revocable, shared, provider)
}

// Role is the role the resource is reserved for, "*" when unreserved.
func (r Resource) Role() string {
	if len(r.Reservations) == 0 {
		return "*"
	}
	return r.Reservations[len(r.Reservations)-1].Role
}

// sameThing tells whether two amounts may be added up.
func (r Resource) sameThing(o Resource) bool {
	return r.Name == o.Name && r.Kind == o.Kind && r.other == o.other && r.Disk.same(o.Disk) &&
		slices.Equal(r.Reservations, o.Reservations)
}

func (r Resource) empty() bool { return r.Milli == 0 && len(r.Ranges) == 0 && len(r.Items) == 0 }

func (r Resource) contains(o Resource) bool {
	if r.Disk.whole() && r.Milli != o.Milli {
		return false
	}
	return r.Milli >= o.Milli && covers(r.Ranges, o.Ranges) && subset(o.Items, r.Items)
}

func (r Resource) plus(o Resource) Resource {
	r.Milli += o.Milli
	r.Ranges = coalesce(append(slices.Clone(r.Ranges), o.Ranges...))
	r.Items = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(r.Items), o.Items...))))
	return r
}

func (r Resource) minus(o Resource) Resource {
	r.Milli = max(0, r.Milli-o.Milli)
	r.Ranges = without(r.Ranges, o.Ranges)
	r.Items = slices.DeleteFunc(slices.Clone(r.Items), func(item string) bool { return slices.Contains(o.Items, item) })
	return r
}

// Text is Mesos' notation of one resource allocated to role; role "" leaves the allocation out.
func (r Resource) Text(role string) string {
	var b strings.Builder
	b.WriteString(r.Name)
	if role != "" {
		b.WriteString("(allocated: " + role + ")")
	}
	if len(r.Reservations) > 0 {
		stack := make([]string, len(r.Reservations))
		for i, res := range r.Reservations {
			stack[i] = res.String()
		}
		b.WriteString("(reservations: [" + strings.Join(stack, ",") + "])")
	}
	b.WriteString(r.Disk.String() + r.other + ":")
	switch r.Kind {
	case Scalar:
		b.WriteString(strconv.FormatFloat(float64(r.Milli)/1000, 'f', -1, 64))
	case Ranges:
		b.WriteString(rangesText(r.Ranges))
	case Items:
		b.WriteString("{" + strings.Join(r.Items, ", ") + "}")
	}
	return b.String()
}

func subset(small, big []string) bool {
	for _, item := range small {
		if !slices.Contains(big, item) {
			return false
		}
	}
	return true
}

// milli turns a scalar of the wire into thousandths, as Mesos rounds it.
func milli(v float64) int64 { return int64(math.Round(v * 1000)) }
