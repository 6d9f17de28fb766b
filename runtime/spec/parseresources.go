package spec

import (
	"math"
	"strings"
)

// readResources bounds the amounts: those beyond cannot be counted exactly in
// thousandths, and no instance of such a size would ever find a place.
func (u *Update) readResources(o *object) {
	u.Instances = o.integer("instances", maxInstances)
	u.CPUs = o.number("cpus", 0.001, maxScalar)
	u.Mem = o.number("mem", 0, maxScalar)
	u.Disk = o.number("disk", 0, maxScalar)
	u.GPUs = o.integer("gpus", math.MaxInt32)
	o.inner("executorResources", func(r *object) {
		u.ExecutorResources = &ExecutorResources{
			CPUs: orElse(r.number("cpus", 0.1, maxScalar), 0.1),
			Mem:  orElse(r.number("mem", 32, maxScalar), 32),
			Disk: orElse(r.number("disk", 10, maxScalar), 10),
		}
	})
	o.inner("resourceLimits", func(r *object) {
		u.ResourceLimits = &ResourceLimits{CPUs: r.limit("cpus"), Mem: r.limit("mem")}
	})
}

// limit reads a number or the word for none.
func (o *object) limit(name string) *Limit {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	text, ok := value.(string)
	switch {
	case !ok:
		return &Limit{Value: orElse(o.number(name, 0, maxScalar), 0)}
	case !strings.EqualFold(text, unlimited):
		o.rules.Add(path, "'"+short(text)+"' is an invalid resource limit. It must be 'unlimited' or a number")
	}
	return &Limit{Unlimited: true}
}

const unlimited = "unlimited"
