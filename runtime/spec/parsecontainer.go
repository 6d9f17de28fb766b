package spec

import (
	"math"
	"strings"
)

// readContainer reads the container. network is what it says in the old form
// about the network. An empty object asks for nothing.
func (u *Update) readContainer(o *object) (network *string) {
	value, _, ok := o.take("container")
	if fields, isObject := value.(map[string]any); !ok || isObject && len(fields) == 0 {
		return nil
	}
	u.Container = &Container{}
	o.inner("container", func(c *object) {
		if orElse(c.enum("type", "DOCKER", "MESOS"), "DOCKER") == "MESOS" {
			u.Container.Type = MesosContainer
		}
		u.Container.PortMappings = orElse(c.portMappings("portMappings"), nil)
		c.inner("docker", func(d *object) { network = d.docker(u.Container) })
		c.objects("volumes", func(v *object) { u.Container.Volumes = append(u.Container.Volumes, v.volume()) })
		c.inner("linuxInfo", func(l *object) {
			if len(l.fields) > 0 {
				u.Container.LinuxInfo = l.linuxInfo()
			}
		})
	})
	return network
}

// docker reads an image. Ports in the old form become those of the container.
func (o *object) docker(c *Container) (network *string) {
	o.need("image")
	c.Docker = &DockerImage{
		Image:          orElse(o.text("image", 1), ""),
		ForcePullImage: orElse(o.boolean("forcePullImage"), false),
		Privileged:     orElse(o.boolean("privileged"), false),
	}
	o.objects("parameters", func(p *object) {
		p.need("key", "value")
		c.Docker.Parameters = append(c.Docker.Parameters, Parameter{Key: orElse(p.text("key", 1), ""), Value: orElse(p.text("value", 0), "")})
	})
	o.inner("pullConfig", func(p *object) {
		p.need("secret")
		c.Docker.PullConfig = orElse(p.text("secret", 1), "")
	})
	network = o.enum("network", "BRIDGE", "HOST", "NONE", "USER")
	mappings := orElse(o.portMappings("portMappings"), nil)
	if credential, path, ok := o.take("credential"); ok && !emptyObject(credential) {
		o.rules.Add(path, messageEmpty)
	}
	if c.Type == MesosContainer {
		if network != nil {
			o.rules.Add(o.path+"/network", messageEmpty)
			network = nil
		}
		if len(mappings) > 0 {
			o.rules.Add(o.path+"/portMappings", messageEmpty)
		}
	}
	switch {
	case len(mappings) == 0:
	case len(c.PortMappings) > 0:
		o.rules.Add(strings.TrimSuffix(o.path, "/docker"), "cannot specify both portMappings and docker.portMappings")
	default:
		c.PortMappings = mappings
	}
	return network
}

const messageEmpty = "must be empty"

func emptyObject(value any) bool {
	fields, ok := value.(map[string]any)
	return ok && len(fields) == 0
}

func (o *object) linuxInfo() *LinuxInfo {
	info := &LinuxInfo{}
	o.inner("seccomp", func(s *object) {
		info.Seccomp = &Seccomp{
			ProfileName: orElse(s.text("profileName", 0), ""), Unconfined: orElse(s.boolean("unconfined"), false),
		}
	})
	o.inner("ipcInfo", func(i *object) {
		i.need("mode")
		info.IPC = &IPCInfo{Mode: orElse(i.enum("mode", "PRIVATE", "SHARE_PARENT"), ""), ShmSize: i.integer("shmSize", math.MaxInt32)}
	})
	return info
}
