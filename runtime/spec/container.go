package spec

// ExecutorResources are what a custom executor takes beside its task.
type ExecutorResources struct{ CPUs, Mem, Disk float64 } // cores, MiB, MiB

// ResourceLimits are what a task may take beyond what it asks for.
type ResourceLimits struct{ CPUs, Mem *Limit } // nil: as asked for

// Limit is a number (cores or MiB), or none at all.
type Limit struct {
	Unlimited bool
	Value     float64 // 0 when Unlimited
}

// Artifact is a URI that is fetched into the sandbox before a task starts.
type Artifact struct {
	URI        string
	Extract    bool
	Executable bool
	Cache      bool
	DestPath   string // "" means the last part of the URI's path
}

// NetworkMode is how a task sees the network.
type NetworkMode uint8

const (
	HostNetwork      NetworkMode = iota // the host's
	BridgeNetwork                       // a bridge of the host
	ContainerNetwork                    // a named network of its own
)

// String returns the name of the API.
func (m NetworkMode) String() string {
	return [...]string{"host", "container/bridge", "container"}[m]
}

// Network is one network of an app.
type Network struct {
	Mode   NetworkMode
	Name   string // of a ContainerNetwork
	Labels map[string]string
}

// ContainerType is the containerizer of a container.
type ContainerType uint8

const (
	DockerContainer ContainerType = iota
	MesosContainer
)

// String returns the name of the API.
func (t ContainerType) String() string { return [...]string{"DOCKER", "MESOS"}[t] }

// Container is what a task runs in.
type Container struct {
	Type         ContainerType
	Docker       *DockerImage // nil: no image
	Volumes      []Volume
	PortMappings []PortMapping // nil on the host's network
	LinuxInfo    *LinuxInfo
}

// DockerImage is an image and how it is run.
type DockerImage struct {
	Image          string
	ForcePullImage bool
	Privileged     bool
	Parameters     []Parameter
	PullConfig     string // name of a secret; "" for none
}

// Parameter is one option of the docker command line.
type Parameter struct{ Key, Value string }

// PortMapping is one port of a container.
type PortMapping struct {
	ContainerPort int
	HostPort      *int // nil: not reachable by a port of the host; 0: any
	ServicePort   int
	Protocol      string // "tcp", "udp" or "udp,tcp"
	Name          string
	Labels        map[string]string
	NetworkNames  []string
}

// Volume is one of four kinds: exactly one of Host, Persistent, External and
// Secret is set.
type Volume struct {
	ContainerPath string
	ReadOnly      bool
	Host          *string // path on the agent
	Persistent    *PersistentVolume
	External      *ExternalVolume
	Secret        *string // name of a secret
}

// PersistentVolume is disk that stays with an instance. Size is in MiB.
type PersistentVolume struct {
	Type        string // "root", "path" or "mount"
	Size        int64
	MaxSize     *int64
	ProfileName string
	Constraints []Constraint
}

// ExternalVolume is storage that a provider outside Mesos mounts.
type ExternalVolume struct {
	Name     string
	Provider string            // "dvdi" or "csi"
	Size     *int              // GiB
	Options  map[string]string // of dvdi
	Shared   bool
	CSI      *CSIOptions
}

// CSIOptions are the options of a volume of provider "csi".
type CSIOptions struct {
	PluginName        string
	AccessMode        string
	AccessType        string // "block" or "mount"
	FSType            string
	MountFlags        []string
	NodeStageSecret   map[string]string
	NodePublishSecret map[string]string
	VolumeContext     map[string]string
}

// LinuxInfo is how the kernel isolates a container.
type LinuxInfo struct {
	Seccomp *Seccomp
	IPC     *IPCInfo
}

// Seccomp is a profile, or its absence.
type Seccomp struct {
	ProfileName string
	Unconfined  bool
}

// IPCInfo says which IPC namespace a container has. ShmSize is in MiB.
type IPCInfo struct {
	Mode    string // "PRIVATE" or "SHARE_PARENT"
	ShmSize *int
}

// Residency is kept for clients that send it; it has no effect.
type Residency struct {
	RelaunchEscalationTimeoutSeconds int64
	TaskLostBehavior                 string
}

// BoundToVolumes tells whether instances keep volumes, on their agent or outside
// Mesos: another instance cannot run beside one that it is to replace.
func (a *App) BoundToVolumes() bool { return a.Resident() || len(a.externalVolumes()) > 0 }

// Resident tells whether instances keep volumes: they return to their agent.
func (a *App) Resident() bool {
	if a.Container == nil {
		return false
	}
	for i := range a.Container.Volumes {
		if a.Container.Volumes[i].Persistent != nil {
			return true
		}
	}
	return false
}
