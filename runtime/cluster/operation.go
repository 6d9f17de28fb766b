package cluster

import (
	"fmt"
	"slices"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// convert carries out an operation that makes other resources of those at hand. It takes effect at once, in the pool as on
// the agent; what the agent has to say of it is told after the whole ACCEPT, as if it had to come over a network first.
func (x *acceptance) convert(op *mesos.Offer_Operation) {
	list, why := conversionOf(op)
	var steps []resource.Conversion
	if why == "" {
		steps, why = x.validateOperation(op, list)
	}
	if why != "" {
		x.m.failOperation(x.f, op, fmt.Sprintf("%s; on agent %s at %s (%s)", why, x.a.id, x.a.pid, x.a.spec.hostname))
		return
	}
	after, missing := x.pool.Convert(steps)
	if missing != nil {
		x.m.failOperation(x.f, op, after.Text(x.role)+" does not contain "+missing.Text(x.role))
		return
	}
	state, text := mesos.OPERATION_FINISHED, (*string)(nil)
	if err := x.a.host.convert(op.Type, steps); err != nil {
		message := err.Error()
		state, text = mesos.OPERATION_FAILED, &message
	} else {
		x.pool, x.a.total = after, x.a.host.total
	}
	if op.ID == nil {
		return
	}
	x.told = append(x.told, &operation{framework: x.f.id, status: &mesos.OperationStatus{
		OperationID: op.ID, State: state, Message: text, UUID: &mesos.UUID{Value: newUUID()}, AgentID: &mesos.AgentID{Value: x.a.id},
	}})
}

// conversionOf is what the operation is about.
func conversionOf(op *mesos.Offer_Operation) ([]mesos.Resource, string) {
	switch {
	case op.Type == mesos.Offer_Operation_RESERVE && op.Reserve != nil:
		return op.Reserve.Resources, ""
	case op.Type == mesos.Offer_Operation_UNRESERVE && op.Unreserve != nil:
		return op.Unreserve.Resources, ""
	case op.Type == mesos.Offer_Operation_CREATE && op.Create != nil:
		return op.Create.Volumes, ""
	case op.Type == mesos.Offer_Operation_DESTROY && op.Destroy != nil:
		return op.Destroy.Volumes, ""
	default:
		return nil, fmt.Sprintf("%s operations are not supported by this cluster", op.Type)
	}
}

// validateOperation judges an operation by what it says; whether the resources are there is seen when it is carried out.
func (x *acceptance) validateOperation(op *mesos.Offer_Operation, list []mesos.Resource) ([]resource.Conversion, string) {
	var steps []resource.Conversion
	var earlier []resource.Resource
	for i := range list {
		r, why := readResource(&list[i])
		if why != "" {
			return nil, "Invalid resources: " + why
		}
		var step resource.Conversion
		switch op.Type {
		case mesos.Offer_Operation_RESERVE:
			step, why = resource.Reserve(r), x.checkReserve(r, &list[i])
		case mesos.Offer_Operation_UNRESERVE:
			step, why = resource.Unreserve(r), x.checkUnreserve(r)
		case mesos.Offer_Operation_CREATE:
			step, why = resource.Create(r), x.checkCreate(r, earlier)
		default:
			step, why = resource.Destroy(r), x.checkDestroy(r)
		}
		if why != "" {
			return nil, why
		}
		steps, earlier = append(steps, step), append(earlier, r)
	}
	return steps, ""
}

// readResource reads one resource of an operation and checks what must hold for any.
func readResource(in *mesos.Resource) (resource.Resource, string) {
	s, err := resource.FromProto([]mesos.Resource{*in})
	switch {
	case err != nil:
		return resource.Resource{}, err.Error()
	case len(s) == 0:
		return resource.Resource{}, "Invalid scalar resource: value <= 0"
	}
	if why := checkStack(s[0].Reservations); why != "" {
		return s[0], why
	}
	return s[0], checkDisk(in)
}

// checkStack judges the levels of a reservation.
func checkStack(stack []resource.Reservation) string {
	for i, r := range stack {
		switch {
		case r.Role == "" || r.Role == "*":
			return fmt.Sprintf("Invalid reservation: role \"%s\" cannot be reserved", r.Role)
		case checkRole(r.Role) != "":
			return "Invalid reservation role: " + checkRole(r.Role)
		case i == 0:
		case !r.Dynamic:
			return "Invalid refined reservation: A refined reservation cannot be STATIC"
		case !isBelow(r.Role, stack[i-1].Role):
			return fmt.Sprintf("Invalid refined reservation: role '%s' is not a refinement of '%s'", r.Role, stack[i-1].Role)
		}
	}
	return ""
}

// checkDisk judges what is said of a disk.
func checkDisk(in *mesos.Resource) string {
	d := in.Disk
	switch {
	case d == nil:
		return ""
	case d.Persistence == nil && d.Volume != nil:
		return "Non-persistent volume not supported"
	case d.Persistence == nil && d.Source == nil:
		return "DiskInfo is set but empty"
	case d.Persistence == nil:
		return ""
	case len(in.Reservations) == 0 && (in.Role == nil || *in.Role == "*"):
		return "Persistent volumes cannot be created from unreserved resources"
	case d.Volume == nil:
		return "Expecting 'volume' to be set for persistent volume"
	case d.Volume.GetMode() == mesos.RO:
		return "Read-only persistent volume not supported"
	case d.Volume.HostPath != nil:
		return "Expecting 'host_path' to be unset for persistent volume"
	case checkID(d.Persistence.ID) != "":
		return "Invalid persistence ID for persistent volume: " + checkID(d.Persistence.ID)
	}
	return ""
}

func (x *acceptance) checkReserve(r resource.Resource, in *mesos.Resource) string {
	text := r.Text(x.role)
	if !r.IsDynamic() {
		return "Resource " + text + " is not dynamically reserved"
	}
	last, principal := r.Reservations[len(r.Reservations)-1], x.f.info.GetPrincipal()
	allocated := in.GetAllocationInfo().GetRole()
	if allocated == "" {
		allocated = x.role
	}
	switch {
	case principal != "" && last.Principal == "":
		return fmt.Sprintf("A reserve operation was attempted by principal '%s', but there is a reserved resource in the request"+
			" with no principal set", principal)
	case principal != "" && last.Principal != principal:
		return fmt.Sprintf("A reserve operation was attempted by authenticated principal '%s', which does not match a reserved"+
			" resource in the request with principal '%s'", principal, last.Principal)
	case last.Role != allocated:
		return fmt.Sprintf("A reserve operation was attempted for a resource with role '%s', but the resource was allocated to"+
			" role '%s'", last.Role, allocated)
	case !slices.Contains(x.f.roles, allocated):
		return fmt.Sprintf("A reserve operation was attempted for a resource allocated to role '%s', but the framework only has"+
			" roles '%s'", allocated, rolesText(x.f.roles))
	case r.IsVolume():
		return "A persistent volume " + text + " must already be reserved"
	}
	return ""
}

func (x *acceptance) checkUnreserve(r resource.Resource) string {
	switch {
	case !r.IsDynamic():
		return "Resource " + r.Text(x.role) + " is not dynamically reserved"
	case r.IsVolume():
		return "A dynamically reserved persistent volume " + r.Text(x.role) + " cannot be unreserved directly. Please destroy" +
			" the persistent volume first then unreserve the resource"
	}
	return ""
}

// checkVolume says what keeps a resource from being a volume.
func (x *acceptance) checkVolume(r resource.Resource) string {
	switch {
	case r.Disk == nil:
		return "Not a persistent volume: Resource " + r.Text(x.role) + " does not have DiskInfo"
	case !r.IsVolume():
		return "Not a persistent volume: 'persistence' is not set in DiskInfo"
	}
	return ""
}

func (x *acceptance) checkCreate(r resource.Resource, earlier []resource.Resource) string {
	if why := x.checkVolume(r); why != "" {
		return why
	}
	sameID := func(o resource.Resource) bool {
		return o.IsVolume() && o.Disk.Persistence == r.Disk.Persistence && o.Role() == r.Role()
	}
	principal := x.f.info.GetPrincipal()
	switch {
	case slices.ContainsFunc(x.a.total, sameID), slices.ContainsFunc(earlier, sameID):
		return fmt.Sprintf("Persistence ID '%s' is not unique", r.Disk.Persistence)
	case principal != "" && r.Disk.Principal == "":
		return fmt.Sprintf("Create volume operation attempted by principal '%s', but there is a volume in the operation with no"+
			" principal set in 'disk.persistence'", principal)
	case principal != "" && r.Disk.Principal != principal:
		return fmt.Sprintf("Create volume operation attempted by authenticated principal '%s', which does not match a volume in"+
			" the operation with principal '%s' set in 'disk.persistence'", principal, r.Disk.Principal)
	}
	return ""
}

func (x *acceptance) checkDestroy(r resource.Resource) string {
	if why := x.checkVolume(r); why != "" {
		return why
	}
	if !x.a.total.Contains(resource.Set{r}) {
		return "Persistent volumes not found"
	}
	for _, t := range x.a.tasks {
		if !t.released && t.resources.Contains(resource.Set{r}) {
			return "Persistent volumes in use"
		}
	}
	return ""
}
