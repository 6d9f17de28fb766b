package docker

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// runOptions is what parameters change.
type runOptions struct {
	config *container.Config
	host   *container.HostConfig
	ends   *network.NetworkingConfig
}

// setter applies the value of one option of "docker run".
type setter func(o *runOptions, value string) error

// apply carries one parameter out. An option that is not known is refused: a container without it would not be the one
// that was asked for.
func (o *runOptions) apply(p Parameter) error {
	known := setters()
	set := known[p.Key]
	if set == nil {
		return fmt.Errorf("parameter '%s' is not supported by this agent, which knows %s",
			p.Key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	if err := set(o, p.Value); err != nil {
		return fmt.Errorf("parameter '%s': %w", p.Key, err)
	}
	return nil
}

// setters are the options of "docker run" that can be given.
func setters() map[string]setter {
	all := map[string]setter{}
	maps.Copy(all, textSetters())
	maps.Copy(all, listSetters())
	maps.Copy(all, flagSetters())
	maps.Copy(all, sizeSetters())
	all["net"], all["e"], all["l"], all["v"], all["u"], all["w"] = all["network"], all["env"], all["label"], all["volume"], all["user"], all["workdir"]
	return all
}

// textSetters are those whose value is taken as it is.
func textSetters() map[string]setter {
	return map[string]setter{
		"hostname":    func(o *runOptions, v string) error { o.config.Hostname = v; return nil },
		"domainname":  func(o *runOptions, v string) error { o.config.Domainname = v; return nil },
		"user":        func(o *runOptions, v string) error { o.config.User = v; return nil },
		"workdir":     func(o *runOptions, v string) error { o.config.WorkingDir = v; return nil },
		"entrypoint":  func(o *runOptions, v string) error { o.config.Entrypoint = []string{v}; return nil },
		"stop-signal": func(o *runOptions, v string) error { o.config.StopSignal = v; return nil },
		"network":     func(o *runOptions, v string) error { o.host.NetworkMode = container.NetworkMode(v); return nil },
		"ipc":         func(o *runOptions, v string) error { o.host.IpcMode = container.IpcMode(v); return nil },
		"pid":         func(o *runOptions, v string) error { o.host.PidMode = container.PidMode(v); return nil },
		"uts":         func(o *runOptions, v string) error { o.host.UTSMode = container.UTSMode(v); return nil },
		"userns":      func(o *runOptions, v string) error { o.host.UsernsMode = container.UsernsMode(v); return nil },
		"runtime":     func(o *runOptions, v string) error { o.host.Runtime = v; return nil },
		"cpuset-cpus": func(o *runOptions, v string) error { o.host.CpusetCpus = v; return nil },
		"cpuset-mems": func(o *runOptions, v string) error { o.host.CpusetMems = v; return nil },
		"volume-driver": func(o *runOptions, v string) error {
			o.host.VolumeDriver = v
			return nil
		},
		"log-driver": func(o *runOptions, v string) error { // the options that were set are the default driver's
			o.host.LogConfig = container.LogConfig{Type: v, Config: map[string]string{}}
			return nil
		},
	}
}

// listSetters are those that may be given several times.
func listSetters() map[string]setter {
	return map[string]setter{
		"env":          func(o *runOptions, v string) error { o.config.Env = append(o.config.Env, v); return nil },
		"cap-add":      func(o *runOptions, v string) error { o.host.CapAdd = append(o.host.CapAdd, v); return nil },
		"cap-drop":     func(o *runOptions, v string) error { o.host.CapDrop = append(o.host.CapDrop, v); return nil },
		"add-host":     func(o *runOptions, v string) error { o.host.ExtraHosts = append(o.host.ExtraHosts, v); return nil },
		"group-add":    func(o *runOptions, v string) error { o.host.GroupAdd = append(o.host.GroupAdd, v); return nil },
		"security-opt": func(o *runOptions, v string) error { o.host.SecurityOpt = append(o.host.SecurityOpt, v); return nil },
		"volume":       func(o *runOptions, v string) error { o.host.Binds = append(o.host.Binds, v); return nil },
		"volumes-from": func(o *runOptions, v string) error { o.host.VolumesFrom = append(o.host.VolumesFrom, v); return nil },
		"dns-search":   func(o *runOptions, v string) error { o.host.DNSSearch = append(o.host.DNSSearch, v); return nil },
		"dns-opt":      func(o *runOptions, v string) error { o.host.DNSOptions = append(o.host.DNSOptions, v); return nil },
		"dns": func(o *runOptions, v string) (err error) {
			o.host.DNS, err = addresses(o.host.DNS, v)
			return err
		},
		"label":   func(o *runOptions, v string) error { return pair(&o.config.Labels, v) },
		"sysctl":  func(o *runOptions, v string) error { return pair(&o.host.Sysctls, v) },
		"log-opt": func(o *runOptions, v string) error { return pair(&o.host.LogConfig.Config, v) },
		"tmpfs": func(o *runOptions, v string) error {
			target, options, _ := strings.Cut(v, ":")
			if o.host.Tmpfs == nil {
				o.host.Tmpfs = map[string]string{}
			}
			o.host.Tmpfs[target] = options
			return nil
		},
		"ulimit": func(o *runOptions, v string) error {
			limit, err := units.ParseUlimit(v)
			if err != nil {
				return err
			}
			o.host.Ulimits = append(o.host.Ulimits, limit)
			return nil
		},
		"device": setDevice,
		"network-alias": func(o *runOptions, v string) error {
			name := string(o.host.NetworkMode)
			if o.ends.EndpointsConfig == nil {
				o.ends.EndpointsConfig = map[string]*network.EndpointSettings{}
			}
			if o.ends.EndpointsConfig[name] == nil {
				o.ends.EndpointsConfig[name] = &network.EndpointSettings{}
			}
			o.ends.EndpointsConfig[name].Aliases = append(o.ends.EndpointsConfig[name].Aliases, v)
			return nil
		},
	}
}

// flagSetters are switches; no value means on.
func flagSetters() map[string]setter {
	on := func(set func(o *runOptions, on bool)) setter {
		return func(o *runOptions, v string) error {
			if v == "" {
				v = "true"
			}
			b, err := strconv.ParseBool(v)
			if err != nil {
				return fmt.Errorf("got '%s', expected true or false", v)
			}
			set(o, b)
			return nil
		}
	}
	return map[string]setter{
		"privileged": on(func(o *runOptions, b bool) { o.host.Privileged = b }),
		"read-only":  on(func(o *runOptions, b bool) { o.host.ReadonlyRootfs = b }),
		"init":       on(func(o *runOptions, b bool) { o.host.Init = &b }),
		"tty":        on(func(o *runOptions, b bool) { o.config.Tty = b }),
		"interactive": on(func(o *runOptions, b bool) {
			o.config.OpenStdin = b
		}),
		"oom-kill-disable": on(func(o *runOptions, b bool) { o.host.OomKillDisable = &b }),
		"publish-all":      on(func(o *runOptions, b bool) { o.host.PublishAllPorts = b }),
	}
}

// sizeSetters are numbers, in bytes with the usual suffixes where they are sizes.
func sizeSetters() map[string]setter {
	size := func(set func(o *runOptions, bytes int64)) setter {
		return func(o *runOptions, v string) error {
			n, err := units.RAMInBytes(v)
			if err != nil {
				return fmt.Errorf("got '%s', expected a size such as 64m", v)
			}
			set(o, n)
			return nil
		}
	}
	number := func(set func(o *runOptions, n int64)) setter {
		return func(o *runOptions, v string) error {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return fmt.Errorf("got '%s', expected a number", v)
			}
			set(o, n)
			return nil
		}
	}
	return map[string]setter{
		"memory":             size(func(o *runOptions, n int64) { o.host.Memory = n }),
		"memory-reservation": size(func(o *runOptions, n int64) { o.host.MemoryReservation = n }),
		"memory-swap": func(o *runOptions, v string) error {
			if v == "-1" {
				o.host.MemorySwap = -1
				return nil
			}
			return size(func(o *runOptions, n int64) { o.host.MemorySwap = n })(o, v)
		},
		"shm-size":      size(func(o *runOptions, n int64) { o.host.ShmSize = n }),
		"cpu-shares":    number(func(o *runOptions, n int64) { o.host.CPUShares = n }),
		"cpu-period":    number(func(o *runOptions, n int64) { o.host.CPUPeriod = n }),
		"cpu-quota":     number(func(o *runOptions, n int64) { o.host.CPUQuota = n }),
		"pids-limit":    number(func(o *runOptions, n int64) { o.host.PidsLimit = &n }),
		"oom-score-adj": number(func(o *runOptions, n int64) { o.host.OomScoreAdj = int(n) }),
		"cpus": func(o *runOptions, v string) error {
			n, err := strconv.ParseFloat(v, 64)
			if err != nil || n <= 0 {
				return fmt.Errorf("got '%s', expected a number above 0", v)
			}
			o.host.NanoCPUs = int64(n * 1e9)
			return nil
		},
	}
}

// pair adds a NAME=value to a map.
func pair(m *map[string]string, v string) error {
	name, value, _ := strings.Cut(v, "=")
	if name == "" {
		return fmt.Errorf("got '%s', expected name=value", v)
	}
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[name] = value
	return nil
}

// setDevice reads host[:container[:permissions]].
func setDevice(o *runOptions, v string) error {
	parts := strings.Split(v, ":")
	d := container.DeviceMapping{PathOnHost: parts[0], PathInContainer: parts[0], CgroupPermissions: "rwm"}
	if len(parts) > 1 {
		d.PathInContainer = parts[1]
	}
	if len(parts) > 2 {
		d.CgroupPermissions = parts[2]
	}
	if parts[0] == "" || len(parts) > 3 {
		return fmt.Errorf("got '%s', expected host[:container[:permissions]]", v)
	}
	o.host.Devices = append(o.host.Devices, d)
	return nil
}
