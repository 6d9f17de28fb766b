package placement

// DiskKind is what a disk lies on.
type DiskKind uint8

const (
	RootDisk  DiskKind = iota // the agent's own file system, divided as wanted
	PathDisk                  // a directory of its own, divided as wanted
	MountDisk                 // a file system of its own, never divided
)

// DiskSource tells disks of an agent apart. The zero value is the root disk.
type DiskSource struct {
	Kind    DiskKind
	Root    string // path on the agent
	ID      string // these three may be ""
	Profile string
	Vendor  string
}

// Persistence is a volume on a disk. It outlives the tasks that use it.
type Persistence struct {
	ID            string // "" for a disk without a volume
	Principal     string // who made it; may be ""
	ContainerPath string
	ReadOnly      bool
}

// DiskPart is disk of an offer that is not part of a Share: it has a source of its
// own, or holds a volume, or both.
type DiskPart struct {
	Reservation Reservation
	Size        Milli // MiB
	Source      DiskSource
	Volume      Persistence
}

// Keys of the labels that tie a reservation to one instance.
const (
	frameworkLabel = "marathon_framework_id"
	instanceLabel  = "marathon_task_id"
)

// Owner is whose a reservation is: an instance's of a framework.
type Owner struct{ Framework, Instance string }

// Labels returns the text of the labels that say so.
func (o Owner) Labels() string {
	return CanonicalLabels([]Label{
		{Key: frameworkLabel, Value: o.Framework, HasValue: true},
		{Key: instanceLabel, Value: o.Instance, HasValue: true},
	})
}

// Owner returns whose the reservation is. ok is false when its labels do not
// name both a framework and an instance.
func (r *Reservation) Owner() (o Owner, ok bool) {
	if !r.owned() {
		return Owner{}, false
	}
	labels, err := ParseLabels(r.Labels)
	if err != nil {
		return Owner{}, false
	}
	for _, l := range labels {
		switch l.Key {
		case frameworkLabel:
			o.Framework = l.Value
		case instanceLabel:
			o.Instance = l.Value
		}
	}
	return o, o.Framework != "" && o.Instance != ""
}

// Held is what an instance has reserved: it goes there, and nowhere else.
type Held struct {
	Owner   Owner
	AgentID string
	Volumes []string // ids of its persistent volumes; never empty
}
