package launch

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/spec"
)

// appendVolume appends ContainerInfo.volumes. Persistent volumes are none: they
// are resources.
func appendVolume(b []byte, app *spec.App, v *spec.Volume) []byte {
	if v.Persistent != nil {
		return b
	}
	b, volume := openMessage(b, 2)
	b = appendText(b, 1, v.ContainerPath)
	mode := mesos.RW
	if v.ReadOnly {
		mode = mesos.RO
	}
	switch {
	case v.Host != nil:
		b = appendText(b, 2, *v.Host)
	case v.Secret != nil:
		var source int
		b, source = openMessage(b, 5)
		b = appendVarint(b, 1, uint64(mesos.Volume_Source_SECRET))
		b = closeMessage(appendSecret(b, 4, sourceOf(app, *v.Secret)), source)
	case v.External != nil && v.External.CSI != nil:
		b = appendCSI(b, app, v)
	case v.External != nil:
		b = appendDriverVolume(b, v.External)
	}
	return closeMessage(appendVarint(b, 3, uint64(mode)), volume)
}

// dvdi starts the names of the options that are for the volume driver.
const dvdi = "dvdi/"

// appendDriverVolume appends the source of a volume that a driver of Docker
// mounts. A size of the volume counts more than one among the options.
func appendDriverVolume(b []byte, e *spec.ExternalVolume) []byte {
	options := map[string]string{}
	for name, value := range e.Options {
		if option, ok := strings.CutPrefix(name, dvdi); ok && option != "driver" {
			options[option] = strings.TrimSpace(value)
		}
	}
	if e.Size != nil {
		options["size"] = strconv.Itoa(*e.Size)
	}
	b, source := openMessage(b, 5)
	b = appendVarint(b, 1, uint64(mesos.Volume_Source_DOCKER_VOLUME))
	b, volume := openMessage(b, 2)
	b = appendText(b, 1, e.Options[dvdi+"driver"])
	b = appendText(b, 2, e.Name)
	if len(options) > 0 {
		var list int
		b, list = openMessage(b, 3)
		for _, name := range slices.Sorted(maps.Keys(options)) {
			b = appendPair(b, 1, name, options[name])
		}
		b = closeMessage(b, list)
	}
	return closeMessage(closeMessage(b, volume), source)
}

// csiVolume is Volume.Source.CSI_VOLUME, which mesos-go does not know yet. The
// numbers of the fields below are those of Mesos 1.11.
const csiVolume = 5

// accessMode is the number of a mode in Mesos' enum; 0 for one it does not have.
func accessMode(name string) uint64 {
	switch name {
	case "SINGLE_NODE_WRITER":
		return 1
	case "SINGLE_NODE_READER_ONLY":
		return 2
	case "MULTI_NODE_READER_ONLY":
		return 3
	case "MULTI_NODE_SINGLE_WRITER":
		return 4
	case "MULTI_NODE_MULTI_WRITER":
		return 5
	}
	return 0
}

// appendCSI appends the source of a volume that a CSI plugin mounts.
func appendCSI(b []byte, app *spec.App, v *spec.Volume) []byte {
	o := v.External.CSI
	b, source := openMessage(b, 5)
	b = appendVarint(b, 1, csiVolume)
	b, volume := openMessage(b, 6)
	b = appendText(b, 1, o.PluginName)
	b, static := openMessage(b, 2)
	b = appendText(b, 1, v.External.Name)
	b = appendCapability(b, o)
	if v.ReadOnly {
		b = appendTruth(b, 3, true)
	}
	b = appendSecrets(b, 4, app, o.NodeStageSecret)
	b = appendSecrets(b, 5, app, o.NodePublishSecret)
	for _, key := range slices.Sorted(maps.Keys(o.VolumeContext)) {
		b = appendPair(b, 6, key, o.VolumeContext[key])
	}
	return closeMessage(closeMessage(closeMessage(b, static), volume), source)
}

// appendCapability appends how the volume is accessed.
func appendCapability(b []byte, o *spec.CSIOptions) []byte {
	b, capability := openMessage(b, 2)
	if o.AccessType == "block" {
		b = appendText(b, 1, "")
	} else {
		var mount int
		b, mount = openMessage(b, 2)
		if o.FSType != "" {
			b = appendText(b, 1, o.FSType)
		}
		for _, flag := range o.MountFlags {
			b = appendText(b, 2, flag)
		}
		b = closeMessage(b, mount)
	}
	b, mode := openMessage(b, 3)
	b = appendVarint(b, 1, accessMode(o.AccessMode))
	return closeMessage(closeMessage(b, mode), capability)
}

// appendSecrets appends a map of secrets.
func appendSecrets(b []byte, field int, app *spec.App, secrets map[string]string) []byte {
	for _, key := range slices.Sorted(maps.Keys(secrets)) {
		var entry int
		b, entry = openMessage(b, field)
		b = appendText(b, 1, key)
		b = closeMessage(appendSecret(b, 2, sourceOf(app, secrets[key])), entry)
	}
	return b
}
