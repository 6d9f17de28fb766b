package spec

// checkContainer checks the image, the volumes and the isolation.
func (a *App) checkContainer(f *Faults, r Rules) {
	c := a.Container
	if c == nil {
		return
	}
	switch {
	case c.Docker != nil:
		a.checkDocker(f, r)
	case c.Type == DockerContainer:
		f.Add("/container/docker", messageUndefined)
	}
	if c.LinuxInfo != nil {
		if c.Type == DockerContainer {
			f.Add("/container/linuxInfo", messageEmpty)
		}
		c.LinuxInfo.check(f)
	}
	a.checkVolumes(f, r)
}

const messageUndefined = "not defined"

// checkDocker checks what only one of the containerizers can do.
func (a *App) checkDocker(f *Faults, r Rules) {
	d := a.Container.Docker
	if a.Container.Type == MesosContainer && len(d.Parameters) > 0 {
		f.Add("/container/docker/parameters", messageEmpty)
	}
	const path = "/container/docker/pullConfig"
	switch {
	case d.PullConfig == "":
	case a.Container.Type == DockerContainer:
		f.Add(path, "pullConfig is not supported with Docker containerizer")
	default:
		if _, ok := a.Secrets[d.PullConfig]; !ok {
			f.Add(path, "pullConfig.secret must refer to an existing secret")
		}
		if !r.enabled(FeatureSecrets) {
			f.Add(path, featureOff(FeatureSecrets))
		}
	}
}

func (l *LinuxInfo) check(f *Faults) {
	if s := l.Seccomp; s != nil {
		switch {
		case s.ProfileName != "" && s.Unconfined:
			f.Add("/container/linuxInfo/seccomp", "Seccomp unconfined can NOT be true when Profile is defined")
		case s.ProfileName == "" && !s.Unconfined:
			f.Add("/container/linuxInfo/seccomp", "Seccomp unconfined must be true when Profile is NOT defined")
		}
	}
	if i := l.IPC; i != nil && i.Mode == "SHARE_PARENT" && i.ShmSize != nil {
		f.Add("/container/linuxInfo/ipcInfo", "ipcInfo shmSize can NOT be set when mode is SHARE_PARENT")
	}
}
