package spec

import "slices"

// ValidateChange checks the rules of changes, which concern apps that hold
// reservations: what an agent keeps for them cannot change. before is the app as
// it is now. The error is *Faults; a deployment of several apps names the first.
func (a *App) ValidateChange(before *App) error {
	const path = "/app(0)"
	f := &Faults{Message: MessageInvalidObject}
	if !a.Resident() && !before.Resident() {
		return nil
	}
	if !sameList(before.persistentVolumes(), a.persistentVolumes(), appendVolume) {
		f.Add(path, "Persistent volumes can not be changed!")
	}
	if !sameHostPorts(before, a) {
		f.Add(path, residentChange("host ports"))
	}
	for _, field := range []struct {
		name    string
		changed bool
	}{
		{"cpus", a.CPUs != before.CPUs},
		{"mem", a.Mem != before.Mem},
		{"disk", a.Disk != before.Disk},
		{"gpus", a.GPUs != before.GPUs},
		{"requirePorts", a.RequirePorts != before.RequirePorts},
	} {
		if field.changed {
			f.Add(path+"/"+field.name, residentChange("resource requirements"))
		}
	}
	return f.Err()
}

func residentChange(what string) string {
	return "Services with persistent volumes configured may not change " + what +
		". If you need to make this change, please create a new service."
}

func (a *App) persistentVolumes() []Volume {
	if a.Container == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(a.Container.Volumes), func(v Volume) bool { return v.Persistent == nil })
}

// sameHostPorts tells whether two definitions need the same ports of the host.
// A required port that is not assigned yet gets the number that it had.
func sameHostPorts(before, after *App) bool {
	required := after.hostNetworked() && after.RequirePorts && before.hostNetworked() && before.RequirePorts
	return slices.EqualFunc(before.hostPorts(), after.hostPorts(), func(b, a int) bool {
		return a == b || required && a == 0
	})
}

// hostPorts are the ports of the host that the app needs: 0 for one that is
// chosen at launch, -1 for none.
func (a *App) hostPorts() []int {
	switch {
	case a.hostNetworked() && a.RequirePorts:
		return a.ServicePorts()
	case a.hostNetworked():
		return make([]int, len(a.PortDefinitions))
	case a.Container == nil:
		return nil
	}
	ports := make([]int, len(a.Container.PortMappings))
	for i, m := range a.Container.PortMappings {
		ports[i] = orElse(m.HostPort, -1)
	}
	return ports
}
