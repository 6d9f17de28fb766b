package spec

import (
	"slices"
	"strings"

	iradix "github.com/hashicorp/go-immutable-radix/v2"
)

// ownVolume is a volume outside Mesos that only one app may use.
type ownVolume struct {
	provider, name string
	place          int
}

// ownVolumes are the app's volumes that are not shared.
func (a *App) ownVolumes() []ownVolume {
	if a == nil || a.Container == nil {
		return nil
	}
	var list []ownVolume
	for i := range a.Container.Volumes {
		if e := a.Container.Volumes[i].External; e != nil && !e.Shared {
			list = append(list, ownVolume{provider: e.Provider, name: e.Name, place: i})
		}
	}
	return list
}

// prefix is what the keys of all users of the volume begin with.
func (v ownVolume) prefix() string { return v.provider + "\x00" + v.name + "\x00" }

// volumeKey is the key of one user of a volume. The index has one entry for each,
// so that it holds, and a change finds, whatever the tree holds.
func volumeKey(v ownVolume, app PathID) []byte { return []byte(v.prefix() + string(app)) }

// indexVolumes returns the index with the change applied.
func (t Tree) indexVolumes(changed map[PathID]*App) *iradix.Tree[PathID] {
	index := t.volumes
	var txn *iradix.Txn[PathID]
	open := func() *iradix.Txn[PathID] {
		if index == nil {
			index = iradix.New[PathID]()
		}
		if txn == nil {
			txn = index.Txn()
		}
		return txn
	}
	for id, after := range changed {
		for _, v := range t.App(id).ownVolumes() {
			open().Delete(volumeKey(v, id))
		}
		for _, v := range after.ownVolumes() {
			open().Insert(volumeKey(v, id), id)
		}
	}
	if txn != nil {
		return txn.Commit()
	}
	return index
}

// otherUsers are the apps that use the volume, but for one, in the order of their ids.
func (t Tree) otherUsers(v ownVolume, but PathID) []string {
	if t.volumes == nil {
		return nil
	}
	var ids []string
	t.volumes.Root().WalkPrefix([]byte(v.prefix()), func(_ []byte, id PathID) bool {
		if id != but {
			ids = append(ids, string(id))
		}
		return false
	})
	return ids
}

// checkVolumeNames looks only at the volumes that the change has brought.
func (t Tree) checkVolumeNames(f *Faults, c TreeChange) {
	var changed []PathID
	for id, a := range c.Apps {
		if len(a.ownVolumes()) > 0 {
			changed = append(changed, id)
		}
	}
	slices.Sort(changed)
	for _, id := range changed {
		for _, v := range c.Apps[id].ownVolumes() {
			if others := t.otherUsers(v, id); len(others) > 0 {
				f.Add(at("/apps/"+string(id)+"/container/volumes", v.place), "Volume name '"+short(v.name)+"' in "+string(id)+
					" conflicts with volume(s) of same name in app(s): "+short(strings.Join(others, ", ")))
			}
		}
	}
}
