package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/uuid"
	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// What operations made of an agent's resources is in its folder, and outlives every process.
const (
	holdingsFile = "meta/resources.json"
	trashFolder  = "meta/trash" // volumes that were destroyed and are being removed
)

// holdingsCheckpoint is the content of holdingsFile.
type holdingsCheckpoint struct {
	// Resources are the dynamic reservations and the volumes; all else is as configured. Each a Resource, binary form.
	Resources  [][]byte              `json:"resources"`
	Operations []operationCheckpoint `json:"operations,omitempty"` // carried out, not yet acknowledged
}

type operationCheckpoint struct {
	Framework string `json:"framework"`
	Status    []byte `json:"status"` // OperationStatus, binary form
}

// convert makes other resources of the agent's, with the folders of volumes. An error means that nothing has changed.
func (h *host) convert(kind mesos.Offer_Operation_Type, steps []resource.Conversion) error {
	after, missing := h.total.Convert(steps)
	if missing != nil {
		return fmt.Errorf("agent has no %s", missing.Text(""))
	}
	if h.dir != "" && kind == mesos.Offer_Operation_CREATE {
		for _, step := range steps {
			if err := makeVolume(step.To.Disk.Folder(h.dir, step.To.Role())); err != nil {
				return fmt.Errorf("volume %s: %w", step.To.Disk.Persistence, err)
			}
		}
	}
	before := h.total
	h.total = after
	if err := h.saveHoldings(); err != nil {
		h.total = before
		return err
	}
	if kind == mesos.Offer_Operation_DESTROY {
		for _, step := range steps {
			h.removeVolume(step.From)
		}
	}
	return nil
}

// prepareDisks makes sure that the disks of the configuration are what it says.
func (h *host) prepareDisks() error {
	for _, r := range h.spec.total {
		if r.Disk == nil {
			continue
		}
		root := r.Disk.RootFolder(h.dir)
		if r.Disk.Source == resource.PathDisk {
			if err := os.MkdirAll(root, 0o755); err != nil {
				return fmt.Errorf("disk of type PATH: %w", err)
			}
			continue
		}
		var own, above syscall.Stat_t
		if err := syscall.Stat(root, &own); err != nil {
			return fmt.Errorf("disk of type MOUNT: root %s: %w", root, err)
		}
		if err := syscall.Stat(filepath.Dir(root), &above); err == nil && own.Dev == above.Dev {
			return fmt.Errorf("disk of type MOUNT: root %s: expected a mount point", root)
		}
	}
	return nil
}

// makeVolume makes the folder of a volume, whose users may be anybody.
func makeVolume(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.Chmod(folder, 0o755) // whatever the umask
}

// removeVolume removes what a volume holds. It is moved away at once, so that a new one under the same id begins empty,
// and removed in the background.
func (h *host) removeVolume(r resource.Resource) {
	if h.dir == "" {
		return
	}
	folder := r.Disk.Folder(h.dir, r.Role())
	complain := func(err error) {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			h.cfg.Log.Error("cluster: volume is not removed", "folder", folder, "error", err)
		}
	}
	if r.Disk.Source == resource.MountDisk {
		entries, err := os.ReadDir(folder) // the folder itself is where the disk is mounted
		complain(err)
		for _, e := range entries {
			complain(os.RemoveAll(filepath.Join(folder, e.Name())))
		}
		return
	}
	trash := filepath.Join(h.dir, trashFolder)
	complain(os.MkdirAll(trash, 0o700))
	away := filepath.Join(trash, uuid.NewString())
	if err := os.Rename(folder, away); err != nil {
		complain(os.RemoveAll(folder)) // on another file system, or gone
		return
	}
	h.inBackground(func() { complain(os.RemoveAll(away)) })
}

// keepHoldings is saveHoldings where a failure changes nothing for anybody but a later cluster.
func (h *host) keepHoldings() {
	if err := h.saveHoldings(); err != nil {
		h.cfg.Log.Error("cluster: agent's resources are not kept", "agent", h.id, "error", err)
	}
}

// saveHoldings writes down what a restart cannot know from the configuration.
func (h *host) saveHoldings() error {
	if h.dir == "" {
		return nil
	}
	out := holdingsCheckpoint{Resources: [][]byte{}}
	for _, r := range h.total.Converted().Proto("", resource.Shape{Refinement: true}) {
		text, err := r.Marshal()
		if err != nil {
			return err
		}
		out.Resources = append(out.Resources, text)
	}
	for _, op := range h.operations {
		text, err := op.status.Marshal()
		if err != nil {
			return err
		}
		out.Operations = append(out.Operations, operationCheckpoint{Framework: op.framework, Status: text})
	}
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(h.dir, holdingsFile), text)
}

// recoverHoldings brings the agent's resources to where they were. Those configured must have room for what was made of
// them: an agent that shrank below its reservations does not start, like a real one.
func (h *host) recoverHoldings() error {
	_ = os.RemoveAll(filepath.Join(h.dir, trashFolder)) // what is left is tried again next time
	text, err := os.ReadFile(filepath.Join(h.dir, holdingsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var saved holdingsCheckpoint
	if err := json.Unmarshal(text, &saved); err != nil {
		return fmt.Errorf("%s: %w", holdingsFile, err)
	}
	list := make([]mesos.Resource, len(saved.Resources))
	for i, text := range saved.Resources {
		if err := list[i].Unmarshal(text); err != nil {
			return fmt.Errorf("%s: resource: %w", holdingsFile, err)
		}
	}
	made, err := resource.FromProto(list)
	if err != nil {
		return fmt.Errorf("%s: %w", holdingsFile, err)
	}
	var steps []resource.Conversion
	for _, r := range made {
		steps = append(steps, resource.Conversion{From: r.Stripped(), To: r})
	}
	after, missing := h.spec.total.Convert(steps)
	if missing != nil {
		return fmt.Errorf("resources %s have no room for %s, of which reservations or volumes were made (%s)",
			after, missing.Text(""), made)
	}
	h.total = after
	return h.recoverOperations(saved.Operations)
}

func (h *host) recoverOperations(saved []operationCheckpoint) error {
	for _, one := range saved {
		op := &operation{framework: one.Framework, status: &mesos.OperationStatus{}}
		if err := op.status.Unmarshal(one.Status); err != nil {
			return fmt.Errorf("%s: operation: %w", holdingsFile, err)
		}
		h.operations = append(h.operations, op)
	}
	return nil
}

// clearHoldings makes the agent one that was never used: its reservations and volumes are gone.
func (h *host) clearHoldings() {
	h.dropOperations(func(*operation) bool { return true })
	made := h.total.Converted()
	h.total = h.spec.total
	h.keepHoldings()
	for _, r := range made {
		if r.IsVolume() {
			h.removeVolume(r)
		}
	}
}
