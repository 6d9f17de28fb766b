package resource

import (
	"math"
	"slices"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// Shape is the form in which a framework wants to see resources; it follows from its capabilities.
type Shape struct {
	Allocation bool // MULTI_ROLE: every resource says which role it is allocated to
	Refinement bool // RESERVATION_REFINEMENT: reservations[], instead of role and reservation
}

// Fault says in Mesos' own words what is wrong with a resource of the wire; it becomes part of a task status.
type Fault string

func (f Fault) Error() string { return string(f) }

// FromProto sums up resources of the wire, in either form; allocation_info is left out of account. The
// error is a Fault.
func FromProto(in []mesos.Resource) (Set, error) {
	var out Set
	for i := range in {
		r, err := fromProto(&in[i])
		if err != nil {
			return nil, err
		}
		out = out.Plus(Set{r})
	}
	return out, nil
}

func fromProto(in *mesos.Resource) (Resource, error) {
	out := Resource{Name: in.Name, Reservations: reservations(in), Disk: diskOf(in.Disk), other: otherText(in)}
	if in.Name == "" {
		return out, Fault("Empty resource name")
	}
	switch in.GetType() {
	case mesos.SCALAR:
		v := in.GetScalar().GetValue()
		if in.Scalar == nil || math.IsNaN(v) || math.IsInf(v, 0) || v < 0 || v > math.MaxInt64/2000 {
			return out, Fault("Invalid scalar resource: value < 0")
		}
		out.Milli = milli(v)
		if in.Name == "gpus" && v != math.Trunc(v) {
			return out, Fault("Invalid 'gpus' resource: The 'gpus' resource must be an unsigned integer")
		}
	case mesos.RANGES:
		out.Kind = Ranges
		for _, r := range in.GetRanges().GetRange() {
			if r.Begin > r.End {
				return out, Fault("Invalid ranges resource: begin > end")
			}
			out.Ranges = append(out.Ranges, Range{r.Begin, r.End})
		}
		out.Ranges = coalesce(out.Ranges)
	case mesos.SET:
		out.Kind = Items
		out.Items = slices.Compact(slices.Sorted(slices.Values(in.GetSet().GetItem())))
	default:
		return out, Fault("Unsupported resource type")
	}
	return out, nil
}

// reservations reads both the old form (role, reservation) and the new one.
func reservations(in *mesos.Resource) []Reservation {
	var out []Reservation
	for i := range in.Reservations {
		r := &in.Reservations[i]
		out = append(out, Reservation{
			Dynamic: r.GetType() == mesos.Resource_ReservationInfo_DYNAMIC, Role: r.GetRole(),
			Principal: r.GetPrincipal(), Labels: labelsOf(r.Labels),
		})
	}
	if role := in.GetRole(); len(out) == 0 && in.Role != nil && role != "*" {
		r := Reservation{Role: role}
		if in.Reservation != nil {
			r.Dynamic, r.Principal, r.Labels = true, in.Reservation.GetPrincipal(), labelsOf(in.Reservation.Labels)
		}
		out = append(out, r)
	}
	return out
}

// otherText sets apart what this cluster never offers; such resources are then not contained in any offer.
func otherText(in *mesos.Resource) string {
	var text string
	if in.Revocable != nil {
		text += "{REV}"
	}
	if in.Shared != nil {
		text += "<SHARED>"
	}
	if in.ProviderID != nil {
		text += "(provider: " + in.ProviderID.Value + ")"
	}
	return text
}

// Proto is the set on the wire, allocated to role, in the shape the framework understands. Role "" leaves the allocation
// out.
func (s Set) Proto(role string, shape Shape) []mesos.Resource {
	out := make([]mesos.Resource, len(s))
	for i, r := range s {
		out[i] = r.proto()
		if shape.Allocation && role != "" {
			out[i].AllocationInfo = &mesos.Resource_AllocationInfo{Role: &role}
		}
		if shape.Refinement {
			out[i].Reservations = r.reservationsProto()
		} else {
			r.oldForm(&out[i])
		}
	}
	return out
}

// BothForms is the set as a master's own endpoints show it: each reservation in the new form, and as far as the old one
// can say it, in that as well.
func (s Set) BothForms() []mesos.Resource {
	out := make([]mesos.Resource, len(s))
	for i, r := range s {
		out[i] = r.proto()
		out[i].Reservations = r.reservationsProto()
		if len(r.Reservations) < 2 {
			r.oldForm(&out[i])
		}
	}
	return out
}

func (r Resource) proto() mesos.Resource {
	out := mesos.Resource{Name: r.Name, Disk: r.Disk.proto()}
	switch r.Kind {
	case Scalar:
		out.Type = mesos.SCALAR.Enum()
		out.Scalar = &mesos.Value_Scalar{Value: float64(r.Milli) / 1000}
	case Ranges:
		out.Type = mesos.RANGES.Enum()
		out.Ranges = &mesos.Value_Ranges{Range: make([]mesos.Value_Range, len(r.Ranges))}
		for i, x := range r.Ranges {
			out.Ranges.Range[i] = mesos.Value_Range{Begin: x.Begin, End: x.End}
		}
	case Items:
		out.Type = mesos.SET.Enum()
		out.Set = &mesos.Value_Set{Item: slices.Clone(r.Items)}
	}
	return out
}

// reservationsProto is the stack in the new form.
func (r Resource) reservationsProto() []mesos.Resource_ReservationInfo {
	var out []mesos.Resource_ReservationInfo
	for _, res := range r.Reservations {
		kind := mesos.Resource_ReservationInfo_STATIC
		if res.Dynamic {
			kind = mesos.Resource_ReservationInfo_DYNAMIC
		}
		out = append(out, mesos.Resource_ReservationInfo{
			Type: &kind, Role: &res.Role, Principal: res.principal(), Labels: res.Labels.proto(),
		})
	}
	return out
}

// oldForm writes the reservation in force as role, and as reservation if it is a dynamic one.
func (r Resource) oldForm(out *mesos.Resource) {
	role := r.Role()
	out.Role = &role
	if !r.IsDynamic() {
		return
	}
	last := r.Reservations[len(r.Reservations)-1]
	out.Reservation = &mesos.Resource_ReservationInfo{Principal: last.principal(), Labels: last.Labels.proto()}
}

// principal is nil when unset.
func (r Reservation) principal() *string {
	if r.Principal == "" {
		return nil
	}
	return &r.Principal
}
