package resource

import (
	"path"
	"strings"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// Disk is what sets a disk apart from others. It is never changed once made; nil is the plain disk below the agent's work
// dir, without a volume.
type Disk struct {
	Persistence   string // id of the persistent volume; empty = none
	Principal     string // who made the volume; empty = unset
	ContainerPath string // where the volume's tasks find it; not part of what the volume is
	ReadOnly      bool   // as above

	Source SourceKind
	Root   string // folder of a PATH or MOUNT disk on the agent; a relative one is below the agent's work dir

	volume *mesos.Volume // as it came
	source *mesos.Resource_DiskInfo_Source
}

// SourceKind says what a disk is made of.
type SourceKind int

// The kinds of disks. BLOCK and RAW ones are those of resource providers, which this cluster has none of.
const (
	RootDisk  SourceKind = iota // the work dir's own file system
	PathDisk                    // a folder, shared out in parts
	MountDisk                   // a file system of its own, only to be had as a whole
	OtherDisk
)

func diskOf(in *mesos.Resource_DiskInfo) *Disk {
	if in == nil {
		return nil
	}
	d := &Disk{
		Persistence: in.Persistence.GetID(), Principal: in.Persistence.GetPrincipal(),
		ContainerPath: in.Volume.GetContainerPath(), volume: in.Volume, source: in.Source,
	}
	d.ReadOnly = in.Volume != nil && in.Volume.GetMode() == mesos.RO
	switch {
	case in.Source == nil:
	case in.Source.Type == mesos.Resource_DiskInfo_Source_PATH:
		d.Source, d.Root = PathDisk, in.Source.GetPath().GetRoot()
	case in.Source.Type == mesos.Resource_DiskInfo_Source_MOUNT:
		d.Source, d.Root = MountDisk, in.Source.GetMount().GetRoot()
	default:
		d.Source = OtherDisk
	}
	return d
}

// same leaves the container's path out of account: it says how the volume is used, not what it is.
func (d *Disk) same(o *Disk) bool {
	if d == nil || o == nil {
		return d == o
	}
	return d.Persistence == o.Persistence && d.Source == o.Source && d.Root == o.Root && d.source.Equal(o.source)
}

// whole tells whether the disk cannot be had in parts.
func (d *Disk) whole() bool { return d != nil && (d.Persistence != "" || d.Source == MountDisk) }

// plain is the disk without its volume.
func (d *Disk) plain() *Disk {
	if d == nil || d.source == nil {
		return nil
	}
	return &Disk{Source: d.Source, Root: d.Root, source: d.source}
}

// Folder is where the volume of role is kept, for an agent with that work dir. A slash in a role becomes a blank, as Mesos
// has it: a folder per part could be mistaken for a volume of the role above.
func (d *Disk) Folder(workDir, role string) string {
	root := d.RootFolder(workDir)
	if d.Source == MountDisk {
		return root
	}
	return path.Join(root, "volumes", "roles", strings.ReplaceAll(role, "/", " "), d.Persistence)
}

// RootFolder is the folder that the disk is, for an agent with that work dir.
func (d *Disk) RootFolder(workDir string) string {
	if path.IsAbs(d.Root) {
		return d.Root
	}
	return path.Join(workDir, d.Root)
}

func (d *Disk) proto() *mesos.Resource_DiskInfo {
	if d == nil {
		return nil
	}
	out := &mesos.Resource_DiskInfo{Volume: d.volume, Source: d.source}
	if d.Persistence != "" {
		out.Persistence = &mesos.Resource_DiskInfo_Persistence{ID: d.Persistence}
		if d.Principal != "" {
			out.Persistence.Principal = &d.Principal
		}
	}
	return out
}

// String is Mesos' notation, as [id:path].
func (d *Disk) String() string {
	if d == nil {
		return ""
	}
	var parts []string
	switch d.Source {
	case PathDisk:
		parts = append(parts, strings.TrimSuffix("PATH:"+d.Root, ":"))
	case MountDisk:
		parts = append(parts, strings.TrimSuffix("MOUNT:"+d.Root, ":"))
	case OtherDisk:
		parts = append(parts, d.source.Type.String())
	case RootDisk:
	}
	if d.Persistence != "" {
		parts = append(parts, d.Persistence)
	}
	text := strings.Join(parts, ",")
	if d.volume != nil {
		text += ":" + d.volumeText()
	}
	return "[" + text + "]"
}

func (d *Disk) volumeText() string {
	if d.volume.HostPath == nil {
		return d.ContainerPath
	}
	text := d.volume.GetHostPath() + ":" + d.ContainerPath
	if d.ReadOnly {
		return text + ":ro"
	}
	return text + ":rw"
}
