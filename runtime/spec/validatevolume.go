package spec

import (
	"fmt"
	"regexp"
	"strings"
)

// checkVolumes checks each volume by its kind, and the names of all.
func (a *App) checkVolumes(f *Faults, r Rules) {
	if repeated(a.externalVolumes(), func(e *ExternalVolume) (string, bool) { return e.Name, e.Name != "" }) {
		f.Add("/container/volumes", "Volume names must be unique")
	}
	for i := range a.Container.Volumes {
		v, path := &a.Container.Volumes[i], at("/container/volumes", i)
		switch {
		case v.Persistent != nil:
			v.checkPersistent(f, path)
		case v.External != nil:
			if !r.enabled(FeatureExternalVolumes) {
				f.Add(path, featureOff(FeatureExternalVolumes))
			}
			v.checkExternal(f, path, a.Container.Type)
		case v.Secret != nil:
			if _, ok := a.Secrets[*v.Secret]; !ok {
				f.Add(path, "volume.secret must refer to an existing secret")
			}
			if !r.enabled(FeatureSecrets) {
				f.Add("/container/volumes", featureOff(FeatureSecrets))
			}
		}
	}
	a.checkExternalApp(f)
}

// checkPersistent checks a volume in the sandbox, which is one directory in it.
func (v *Volume) checkPersistent(f *Faults, path string) {
	v.checkDots(f, path)
	if strings.Contains(v.ContainerPath, "/") {
		f.Add(path+"/containerPath", `value must not contain "/"`)
	}
	v.checkWritable(f, path)
	p := v.Persistent
	if path += "/persistent"; p.Size <= 0 {
		f.Add(path+"/size", fmt.Sprintf("got %d, expected more than 0", p.Size))
	}
	if p.Type == "root" && len(p.Constraints) > 0 {
		f.Add(path, "Constraints on root volumes are not supported")
	}
	if p.MaxSize != nil {
		if p.Type != "mount" {
			f.Add(path, "Only mount volumes can have maxSize")
		}
		if *p.MaxSize <= p.Size {
			f.Add(path, "Max size must be larger than size")
		}
	}
	for i, c := range p.Constraints {
		if c.Field == "" { // told when it was read
			continue
		}
		if message := diskConstraintFault(c); message != "" {
			f.Add(at(path+"/constraints", i), message)
		}
	}
}

func (v *Volume) checkDots(f *Faults, path string) {
	if v.ContainerPath == "." || v.ContainerPath == ".." {
		f.Add(path+"/containerPath", "can not be one of (.,..)")
	}
}

func (v *Volume) checkWritable(f *Faults, path string) {
	if v.ReadOnly {
		f.Add(path+"/mode", "does not equal RW")
	}
}

// diskConstraintFault says what is wrong with a constraint of a disk's path.
func diskConstraintFault(c Constraint) string {
	switch c.Operator {
	case "LIKE", "UNLIKE":
		if _, err := regexp.Compile(c.Value); err != nil {
			return "Invalid regular expression: " + short(err.Error())
		}
		return ""
	case "UNIQUE", "CLUSTER", "GROUP_BY", "MAX_PER", "IS":
		return "Operator must be one of LIKE, UNLIKE"
	default:
		return "unknown constraint operator " + short(c.Operator)
	}
}

func (v *Volume) checkExternal(f *Faults, path string, engine ContainerType) {
	e := v.External
	if e.Name == "" {
		f.Add(path+"/external/name", messageUndefined)
	}
	switch e.Provider {
	case "":
		f.Add(path+"/external/provider", messageUndefined)
	case providerDVDI:
		v.checkDVDI(f, path, engine)
	case providerCSI:
		if e.CSI != nil && e.CSI.readOnly() && !v.ReadOnly {
			f.Add(path, "CSI volume must be mounted readonly with a read-only access mode")
		}
	default:
		f.Add(path+"/external/provider", "is unknown provider")
	}
}

// driverOption names the driver of a volume of provider "dvdi".
const driverOption = "dvdi/driver"

// checkDVDI checks a volume that a Docker volume driver mounts. Docker itself
// can be told the driver's name and nothing else.
func (v *Volume) checkDVDI(f *Faults, path string, engine ContainerType) {
	e := v.External
	v.checkDots(f, path)
	if e.Options[driverOption] == "" {
		f.Add(path+`/external/options("`+driverOption+`")`, messageUndefined)
	}
	if engine == MesosContainer {
		v.checkWritable(f, path)
		return
	}
	if e.Size != nil {
		f.Add(path+"/external/size", "must be undefined for Docker containers")
	}
	for name := range e.Options {
		if name != driverOption {
			f.Add(path+"/external/options", "must only contain "+driverOption)
		}
	}
}

// checkExternalApp keeps instances from using one volume at a time.
func (a *App) checkExternalApp(f *Faults) {
	names := map[string]bool{}
	for i := range a.Container.Volumes {
		v := &a.Container.Volumes[i]
		switch e := v.External; {
		case e == nil:
		case e.Provider == providerDVDI:
			if a.Instances > 1 {
				f.Add("/", "Number of instances is limited to 1 when declaring DVDI volumes in app ["+string(a.ID)+"]")
			}
			if names[e.Name] && !e.Shared {
				f.Add("/", "Requested DVDI volume '"+short(e.Name)+"' is declared more than once within app "+string(a.ID))
			}
			names[e.Name] = names[e.Name] || !e.Shared
		case e.CSI == nil || a.Instances <= 1:
		case !e.CSI.shareable():
			f.Add("/instances", fmt.Sprintf("got %d, expected 1 while non-shareable CSI volumes are defined", a.Instances))
		case e.CSI.AccessMode == oneOfMany && !v.ReadOnly:
			f.Add("/instances", fmt.Sprintf(
				"got %d, expected 1 while a multi-node single-writer volume is defined mounted as read/write", a.Instances))
		}
	}
}
