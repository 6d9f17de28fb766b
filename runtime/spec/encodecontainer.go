package spec

import (
	"strconv"
)

func appendArtifact(b []byte, a *Artifact) []byte {
	b = AppendText(append(b, `{"uri":`...), a.URI)
	b = appendBool(b, `,"extract":`, a.Extract)
	b = appendBool(b, `,"executable":`, a.Executable)
	b = appendBool(b, `,"cache":`, a.Cache)
	return append(appendOptional(b, `,"destPath":`, a.DestPath), '}')
}

func appendSecrets(b []byte, secrets map[string]string) []byte {
	if len(secrets) == 0 {
		return b
	}
	b = append(b, `,"secrets":{`...)
	for i, name := range sortedKeys(secrets) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(AppendText(b, name), `:{"source":`...)
		b = append(AppendText(b, secrets[name]), '}')
	}
	return append(b, '}')
}

func appendNetwork(b []byte, n *Network) []byte {
	b = appendOptional(append(b, '{'), `"name":`, n.Name)
	b = AppendText(append(b, pick(n.Name == "", `"mode":`, `,"mode":`)...), n.Mode.String())
	return append(appendLabels(b, n.Labels), '}')
}

// appendLabels leaves out no labels.
func appendLabels(b []byte, labels map[string]string) []byte {
	if len(labels) == 0 {
		return b
	}
	return appendTextMap(append(b, `,"labels":`...), labels)
}

func appendPortDefinition(b []byte, d *PortDefinition) []byte {
	b = strconv.AppendInt(append(b, `{"port":`...), int64(d.Port), 10)
	b = appendOptional(b, `,"name":`, d.Name)
	b = AppendText(append(b, `,"protocol":`...), d.Protocol)
	return append(appendLabels(b, d.Labels), '}')
}

// appendContainer shows mappings when there is a list of them, even an empty one:
// on the host's network there is none.
func appendContainer(b []byte, c *Container) []byte {
	if c == nil {
		return b
	}
	b = AppendText(append(b, `,"container":{"type":`...), c.Type.String())
	if c.Docker != nil {
		b = appendDocker(append(b, `,"docker":`...), c.Docker)
	}
	b = appendItems(append(b, `,"volumes":`...), c.Volumes, appendVolume)
	if c.PortMappings != nil {
		b = appendItems(append(b, `,"portMappings":`...), c.PortMappings, appendPortMapping)
	}
	return append(appendLinuxInfo(b, c.LinuxInfo), '}')
}

func appendDocker(b []byte, d *DockerImage) []byte {
	b = AppendText(append(b, `{"image":`...), d.Image)
	b = appendBool(b, `,"forcePullImage":`, d.ForcePullImage)
	b = appendBool(b, `,"privileged":`, d.Privileged)
	b = appendItems(append(b, `,"parameters":`...), d.Parameters, func(b []byte, p *Parameter) []byte {
		b = AppendText(append(b, `{"key":`...), p.Key)
		return append(AppendText(append(b, `,"value":`...), p.Value), '}')
	})
	if d.PullConfig != "" {
		b = append(AppendText(append(b, `,"pullConfig":{"secret":`...), d.PullConfig), '}')
	}
	return append(b, '}')
}

func appendPortMapping(b []byte, m *PortMapping) []byte {
	b = strconv.AppendInt(append(b, `{"containerPort":`...), int64(m.ContainerPort), 10)
	b = appendInt(b, `,"hostPort":`, m.HostPort)
	b = strconv.AppendInt(append(b, `,"servicePort":`...), int64(m.ServicePort), 10)
	b = AppendText(append(b, `,"protocol":`...), m.Protocol)
	b = appendOptional(b, `,"name":`, m.Name)
	b = appendTextMap(append(b, `,"labels":`...), m.Labels)
	if len(m.NetworkNames) > 0 {
		b = AppendTexts(append(b, `,"networkNames":`...), m.NetworkNames)
	}
	return append(b, '}')
}

func appendVolume(b []byte, v *Volume) []byte {
	b = AppendText(append(b, `{"containerPath":`...), v.ContainerPath)
	switch {
	case v.Secret != nil:
		return append(AppendText(append(b, `,"secret":`...), *v.Secret), '}')
	case v.Persistent != nil:
		b = appendPersistentVolume(b, v.Persistent)
	case v.External != nil:
		b = appendExternalVolume(b, v.External)
	case v.Host != nil:
		b = AppendText(append(b, `,"hostPath":`...), *v.Host)
	}
	return append(AppendText(append(b, `,"mode":`...), pick(v.ReadOnly, "RO", "RW")), '}')
}

func appendPersistentVolume(b []byte, p *PersistentVolume) []byte {
	b = AppendText(append(b, `,"persistent":{"type":`...), p.Type)
	b = strconv.AppendInt(append(b, `,"size":`...), p.Size, 10)
	b = appendInt(b, `,"maxSize":`, p.MaxSize)
	b = appendOptional(b, `,"profileName":`, p.ProfileName)
	return append(appendItems(append(b, `,"constraints":`...), p.Constraints, appendConstraint), '}')
}

func appendExternalVolume(b []byte, e *ExternalVolume) []byte {
	b = AppendText(append(b, `,"external":{"name":`...), e.Name)
	b = AppendText(append(b, `,"provider":`...), e.Provider)
	if e.CSI != nil {
		return append(appendCSI(b, e.CSI), '}')
	}
	b = appendInt(b, `,"size":`, e.Size)
	b = appendTextMap(append(b, `,"options":`...), e.Options)
	return append(appendBool(b, `,"shared":`, e.Shared), '}')
}

func appendCSI(b []byte, c *CSIOptions) []byte {
	b = AppendText(append(b, `,"options":{"pluginName":`...), c.PluginName)
	b = AppendText(append(b, `,"capability":{"accessMode":`...), c.AccessMode)
	b = AppendText(append(b, `,"accessType":`...), c.AccessType)
	b = appendOptional(b, `,"fsType":`, c.FSType)
	b = AppendTexts(append(b, `,"mountFlags":`...), c.MountFlags)
	b = appendTextMap(append(b, `},"nodeStageSecret":`...), c.NodeStageSecret)
	b = appendTextMap(append(b, `,"nodePublishSecret":`...), c.NodePublishSecret)
	return append(appendTextMap(append(b, `,"volumeContext":`...), c.VolumeContext), '}')
}

func appendLinuxInfo(b []byte, l *LinuxInfo) []byte {
	if l == nil {
		return b
	}
	b = append(b, `,"linuxInfo":{`...)
	if s := l.Seccomp; s != nil {
		b = appendOptional(append(b, `"seccomp":{`...), `"profileName":`, s.ProfileName)
		b = append(appendBool(b, pick(s.ProfileName == "", `"unconfined":`, `,"unconfined":`), s.Unconfined), '}')
	}
	if i := l.IPC; i != nil {
		b = AppendText(append(b, pick(l.Seccomp == nil, `"ipcInfo":{"mode":`, `,"ipcInfo":{"mode":`)...), i.Mode)
		b = append(appendInt(b, `,"shmSize":`, i.ShmSize), '}')
	}
	return append(b, '}')
}
