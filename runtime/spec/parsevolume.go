package spec

import (
	"slices"
	"strings"
)

// The providers of external volumes.
const (
	providerDVDI = "dvdi"
	providerCSI  = "csi"
)

// volume reads one of the four kinds. The kind's own field tells which it is; a
// volume without any is taken for one of the host's. A volume whose form fits
// none is reported as the host's too, as Marathon does, besides the cause.
func (o *object) volume() Volume {
	before := len(o.form.Details)
	v := o.someVolume()
	if v.Host == nil && len(o.form.Details) > before {
		o.need("hostPath")
	}
	return v
}

func (o *object) someVolume() Volume {
	o.need("containerPath")
	v := Volume{ContainerPath: orElse(o.text("containerPath", 1), "")}
	switch {
	case o.inner("persistent", func(p *object) { v.Persistent = p.persistentVolume() }):
	case o.inner("external", func(e *object) { v.External = e.externalVolume() }):
	case o.fields["secret"] != nil:
		v.Secret = new(orElse(o.text("secret", 0), ""))
		return v
	default:
		o.need("hostPath")
		v.Host = new(orElse(o.text("hostPath", 1), ""))
	}
	o.need("mode")
	v.ReadOnly = orElse(o.enum("mode", "RO", "RW"), "") == "RO"
	return v
}

func (o *object) persistentVolume() *PersistentVolume {
	o.need("size")
	p := &PersistentVolume{
		Size:        orElse(o.mebibytes("size"), 0),
		MaxSize:     o.mebibytes("maxSize"),
		ProfileName: orElse(o.text("profileName", 0), ""),
	}
	fallback := "root"
	if p.ProfileName != "" {
		fallback = "mount"
	}
	p.Type = orElse(o.enum("type", "root", "path", "mount"), fallback)
	p.Constraints = o.volumeConstraints("constraints")
	return p
}

// volumeConstraints reads constraints of disks, which know one field only.
func (o *object) volumeConstraints(name string) []Constraint {
	items, path, _ := o.list(name)
	var list []Constraint
	for i, item := range items {
		parts, ok := item.([]any)
		if !ok {
			o.form.Add(at(path, i), keyArray)
			continue
		}
		texts := *o.checkTexts(at(path, i), parts)
		switch {
		case len(texts) == 0:
			o.rules.Add(at(path, i), "Missing field and operator")
			list = append(list, placeOf(i))
		case len(texts) != 3 || texts[0] != "path":
			o.rules.Add(at(path, i), "Unsupported constraint "+short(strings.Join(texts, ",")))
			list = append(list, placeOf(i))
		default:
			operator := strings.ToUpper(strings.TrimSpace(texts[1]))
			list = append(list, Constraint{Field: texts[0], Operator: operator, Value: texts[2], HasValue: true})
		}
	}
	return unique(list)
}

func (o *object) externalVolume() *ExternalVolume {
	e := &ExternalVolume{
		Name:     orElse(o.text("name", 0), ""),
		Provider: orElse(o.text("provider", 0), ""),
	}
	if e.Provider == providerCSI {
		o.need("options")
		e.CSI = &CSIOptions{}
		o.inner("options", func(c *object) { c.csi(e.CSI) })
		return e
	}
	if size := o.mebibytes("size"); size != nil {
		e.Size = new(int(*size))
	}
	e.Shared = orElse(o.boolean("shared"), false)
	e.Options = orElse(o.textMap("options", nil), nil)
	return e
}

func (o *object) csi(options *CSIOptions) {
	o.need("pluginName", "capability")
	options.PluginName = orElse(o.text("pluginName", 1), "")
	o.inner("capability", func(c *object) {
		c.need("accessMode", "accessType")
		options.AccessMode = orElse(c.enum("accessMode", accessModes()...), "")
		options.AccessType = orElse(c.enum("accessType", "block", "mount"), "")
		options.FSType = orElse(c.text("fsType", 0), "")
		options.MountFlags = orElse(c.texts("mountFlags"), nil)
	})
	options.NodeStageSecret = orElse(o.textMap("nodeStageSecret", nil), nil)
	options.NodePublishSecret = orElse(o.textMap("nodePublishSecret", nil), nil)
	options.VolumeContext = orElse(o.textMap("volumeContext", nil), nil)
}

const (
	singleWriter   = "SINGLE_NODE_WRITER"
	singleReader   = "SINGLE_NODE_READER_ONLY"
	multiReader    = "MULTI_NODE_READER_ONLY"
	oneOfMany      = "MULTI_NODE_SINGLE_WRITER"
	multipleWriter = "MULTI_NODE_MULTI_WRITER"
)

func accessModes() []string {
	return []string{singleWriter, singleReader, multiReader, oneOfMany, multipleWriter}
}

// shareable tells whether several instances may use the volume at a time.
func (c *CSIOptions) shareable() bool {
	return slices.Contains([]string{multiReader, oneOfMany, multipleWriter}, c.AccessMode)
}

// readOnly tells whether the access mode permits no writing at all.
func (c *CSIOptions) readOnly() bool {
	return c.AccessMode == singleReader || c.AccessMode == multiReader
}
