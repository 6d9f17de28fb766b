package spec

import (
	"math"
	"slices"
	"strings"
	"time"
)

func (u *Update) readTiming(o *object) {
	u.Backoff = o.seconds("backoffSeconds")
	u.BackoffFactor = o.number("backoffFactor", 1, maxScalar)
	u.MaxLaunchDelay = o.seconds("maxLaunchDelaySeconds")
	u.TaskKillGracePeriod = o.seconds("taskKillGracePeriodSeconds")
	u.UpgradeStrategy = o.upgradeStrategy("upgradeStrategy")
	u.UnreachableStrategy = o.unreachableStrategy("unreachableStrategy")
}

// seconds reads a whole, non-negative number of seconds.
func (o *object) seconds(name string) *time.Duration {
	n := o.integer(name, math.MaxInt32)
	if n == nil {
		return nil
	}
	return new(time.Duration(*n) * time.Second)
}

// upgradeStrategy reads both bounds; an empty object is as good as none.
func (o *object) upgradeStrategy(name string) *UpgradeStrategy {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	s := o.object(path, value)
	if len(s.fields) == 0 {
		return nil
	}
	minimum, maximum := s.number("minimumHealthCapacity", 0, 1), s.number("maximumOverCapacity", 0, 1)
	s.need("minimumHealthCapacity", "maximumOverCapacity")
	s.finish()
	if minimum == nil || maximum == nil {
		return nil
	}
	return &UpgradeStrategy{MinimumHealthCapacity: *minimum, MaximumOverCapacity: *maximum}
}

// unreachableStrategy reads "disabled" or the two delays, 0 when absent. An empty
// object is as good as none.
func (o *object) unreachableStrategy(name string) *UnreachableStrategy {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	if text, ok := value.(string); ok {
		if !strings.EqualFold(text, "disabled") {
			o.form.Add(path, keyEnum)
		}
		return &UnreachableStrategy{Disabled: true}
	}
	s := o.object(path, value)
	if len(s.fields) == 0 {
		return nil
	}
	strategy := &UnreachableStrategy{}
	replace(&strategy.InactiveAfter, s.seconds("inactiveAfterSeconds"))
	replace(&strategy.ExpungeAfter, s.seconds("expungeAfterSeconds"))
	s.finish()
	return strategy
}

// readVersion reads the time stamps. They matter in a rollback and in the
// stored form only.
func (u *Update) readVersion(o *object) {
	u.Version = o.timestamp("version")
	if value, path, ok := o.take("versionInfo"); ok {
		info := o.object(path, value)
		u.VersionInfo = &VersionInfo{}
		replace(&u.VersionInfo.LastScalingAt, info.timestamp("lastScalingAt"))
		replace(&u.VersionInfo.LastConfigChangeAt, info.timestamp("lastConfigChangeAt"))
	}
}

// readRollback makes a partial update with a version a rollback. Fields that
// have no effect may stand beside it.
func (u *Update) readRollback(o *object, form Form) {
	if form == Whole || u.Version == nil {
		return
	}
	u.Rollback = true
	for name, value := range o.fields {
		idle := !o.known[name] || slices.Contains(readOnlyFields(), name)
		if name != "id" && name != "version" && value != nil && !idle {
			o.rules.Add(orRoot(o.path), "The 'version' field may only be combined with the 'id' field.")
		}
	}
}

func (o *object) timestamp(name string) *Timestamp {
	s := o.text(name, 0)
	if s == nil {
		return nil
	}
	t, err := ParseTimestamp(*s)
	if err != nil {
		o.form.Add(o.path+"/"+name, keyDate)
		return nil
	}
	return &t
}
