package cluster

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// mount is a folder that a process task finds in its sandbox. Processes have no file system of their own here, so it is
// a link.
type mount struct {
	from  string // absolute
	to    string // relative to the sandbox
	owned bool   // a persistent volume: it goes to the task's user
}

// mounts are the persistent volumes and the folders of the host that a process task is to find in its sandbox; a fault
// for what a link cannot do.
func (r *run) mounts() ([]mount, *launchFault) {
	var out []mount
	for _, held := range r.resources {
		if held.IsVolume() {
			out = append(out, mount{held.Disk.Folder(r.host.dir, held.Role()), held.Disk.ContainerPath, true})
		}
	}
	for _, v := range r.task.GetContainer().GetVolumes() {
		switch {
		case v.HostPath == nil || v.Image != nil || v.Source != nil:
			return nil, launchFailure(fmt.Errorf("Volume '%s' has no host path: other kinds are not supported by this agent", v.ContainerPath))
		case !path.IsAbs(v.GetHostPath()):
			return nil, launchFailure(fmt.Errorf("Volumes in ContainerInfo is not supported: the host_path '%s' is relative", v.GetHostPath()))
		case v.GetMode() == mesos.RO:
			return nil, launchFailure(fmt.Errorf("Volumes in ContainerInfo is not supported: volume '%s' is to be read-only, which needs a container image", v.ContainerPath))
		}
		out = append(out, mount{v.GetHostPath(), v.ContainerPath, false})
	}
	for _, m := range out {
		if !filepath.IsLocal(m.to) || filepath.Clean(m.to) == "." {
			return nil, launchFailure(fmt.Errorf("Volumes in ContainerInfo is not supported: the container_path '%s' is not a path in the sandbox, which needs a container image", m.to))
		}
	}
	return out, nil
}

// place makes the links of a sandbox.
func (p *launchPlan) place(m mount) error {
	if _, err := os.Stat(m.from); err != nil {
		return fmt.Errorf("Failed to find volume: %w", err)
	}
	if m.owned && p.launch.User != nil {
		if err := os.Chown(m.from, int(p.launch.User.UID), int(p.launch.User.GID)); err != nil {
			return err
		}
	}
	to := filepath.Join(p.sandbox, m.to)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.Symlink(m.from, to)
}

// persistentBinds are the container's persistent volumes; a relative path is one in the sandbox.
func (r *run) persistentBinds() []string {
	var out []string
	for _, held := range r.resources {
		if !held.IsVolume() {
			continue
		}
		inside := held.Disk.ContainerPath
		if !path.IsAbs(inside) {
			inside = path.Join(sandboxInside, inside)
		}
		out = append(out, held.Disk.Folder(r.host.dir, held.Role())+":"+inside)
	}
	return out
}
