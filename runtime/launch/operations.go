package launch

import (
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/placement"
)

// Holding is what belongs to one instance on one agent: reserved shares, and
// reserved disks with their volumes.
type Holding struct {
	Instance string // the instance's id, as the reservation's labels have it
	Shares   []placement.Share
	Disks    []placement.DiskPart
}

// Operations are what an ACCEPT does with its offers, in the order of the fields.
type Operations struct {
	Free    []Holding // volumes are destroyed, then the rest is given back
	Reserve []Holding // all is reserved, then the volumes are made
	Tasks   []Task
}

// None tells whether there is nothing to do.
func (o *Operations) None() bool { return len(o.Free)+len(o.Reserve)+len(o.Tasks) == 0 }

// AppendOperations appends the call that does the operations, with the
// framework's id. Refuse is as with Accept.
func (e *Encoder) AppendOperations(b []byte, framework string, offers []string, o *Operations, refuse time.Duration) []byte {
	b = appendID(b, 1, framework)
	b = appendVarint(b, 2, uint64(scheduler.Call_ACCEPT))
	b, accept := openMessage(b, 4)
	for _, id := range offers {
		b = appendID(b, 1, id)
	}
	for i := range o.Free {
		b = appendHolding(b, &o.Free[i], mesos.Offer_Operation_DESTROY, volumes)
		b = appendHolding(b, &o.Free[i], mesos.Offer_Operation_UNRESERVE, withoutVolumes)
	}
	for i := range o.Reserve {
		b = appendHolding(b, &o.Reserve[i], mesos.Offer_Operation_RESERVE, withoutVolumes)
		b = appendHolding(b, &o.Reserve[i], mesos.Offer_Operation_CREATE, volumes)
	}
	if len(o.Tasks) > 0 || o.None() {
		b = e.appendLaunch(b, o.Tasks)
	}
	return closeMessage(appendFilters(b, 3, refuse), accept)
}

// appendLaunch appends the operation that launches tasks.
func (e *Encoder) appendLaunch(b []byte, tasks []Task) []byte {
	b, operation := openMessage(b, 2)
	b = appendVarint(b, 1, uint64(mesos.Offer_Operation_LAUNCH))
	b, launch := openMessage(b, 2)
	for i := range tasks {
		var info int
		b, info = openMessage(b, 1)
		b = closeMessage(e.appendTask(b, &tasks[i]), info)
	}
	return closeMessage(closeMessage(b, launch), operation)
}

// operationField is the field of an operation that its type goes with.
func operationField(t mesos.Offer_Operation_Type) int {
	switch t {
	case mesos.Offer_Operation_RESERVE:
		return 3
	case mesos.Offer_Operation_UNRESERVE:
		return 4
	case mesos.Offer_Operation_CREATE:
		return 5
	default: // DESTROY
		return 6
	}
}

// appendHolding appends one operation on the resources of a holding that resources
// appends; none when there are none.
func appendHolding(b []byte, h *Holding, t mesos.Offer_Operation_Type, resources func([]byte, *Holding) []byte) []byte {
	begin := len(b)
	b, operation := openMessage(b, 2)
	b = appendVarint(b, 1, uint64(t))
	b, inner := openMessage(b, operationField(t))
	empty := len(b)
	if b = resources(b, h); len(b) == empty {
		return b[:begin]
	}
	return closeMessage(closeMessage(b, inner), operation)
}

// volumes appends the disks of a holding that have volumes, with these.
func volumes(b []byte, h *Holding) []byte {
	for i := range h.Disks {
		if h.Disks[i].Volume.ID != "" {
			b = appendDisk(b, 1, &h.Disks[i])
		}
	}
	return b
}

// withoutVolumes appends all resources of a holding as they are without volumes.
func withoutVolumes(b []byte, h *Holding) []byte {
	for i := range h.Shares {
		b = appendShare(b, 1, &h.Shares[i])
	}
	for _, d := range h.Disks {
		d.Volume = placement.Persistence{}
		b = appendDisk(b, 1, &d)
	}
	return b
}

// appendDisk appends the resource of a disk with a source or a volume.
func appendDisk(b []byte, field int, d *placement.DiskPart) []byte {
	b, resource := openMessage(b, field)
	b = appendText(b, 1, placement.Disk.String())
	b = appendVarint(b, 2, uint64(mesos.SCALAR))
	b, scalar := openMessage(b, 3)
	b = closeMessage(appendDouble(b, 1, d.Size.Float()), scalar)
	b = appendReservation(b, &d.Reservation)
	if d.Source == (placement.DiskSource{}) && d.Volume.ID == "" {
		return closeMessage(b, resource)
	}
	b, info := openMessage(b, 7)
	if d.Volume.ID != "" {
		b = appendPersistence(b, &d.Volume)
	}
	if d.Source != (placement.DiskSource{}) {
		b = appendSource(b, &d.Source)
	}
	return closeMessage(closeMessage(b, info), resource)
}

// appendPersistence appends the fields of a DiskInfo that make it a volume.
func appendPersistence(b []byte, v *placement.Persistence) []byte {
	b, persistence := openMessage(b, 1)
	b = appendText(b, 1, v.ID)
	if v.Principal != "" {
		b = appendText(b, 2, v.Principal)
	}
	b = closeMessage(b, persistence)
	b, volume := openMessage(b, 2)
	b = appendText(b, 1, v.ContainerPath)
	mode := mesos.RW
	if v.ReadOnly {
		mode = mesos.RO
	}
	return closeMessage(appendVarint(b, 3, uint64(mode)), volume)
}

// appendSource appends the field of a DiskInfo that says where the disk lies.
func appendSource(b []byte, s *placement.DiskSource) []byte {
	kind, field := mesos.Resource_DiskInfo_Source_PATH, 2
	if s.Kind == placement.MountDisk {
		kind, field = mesos.Resource_DiskInfo_Source_MOUNT, 3
	}
	b, source := openMessage(b, 3)
	b = appendVarint(b, 1, uint64(kind))
	b, root := openMessage(b, field)
	b = closeMessage(appendText(b, 1, s.Root), root)
	for _, text := range []struct {
		field int
		value string
	}{{4, s.ID}, {6, s.Profile}, {7, s.Vendor}} {
		if text.value != "" {
			b = appendText(b, text.field, text.value)
		}
	}
	return closeMessage(b, source)
}
