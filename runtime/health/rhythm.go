package health

import (
	"encoding/binary"
	"hash/fnv"
	"time"
)

// maxLead is the longest time from a target's beginning to its first probe.
const maxLead = 5 * time.Second

// seed is a number that follows from the target's key alone, so that every leader
// gives a target the same place in time.
func (p *probe) seed() uint64 {
	h := fnv.New64a()
	h.Write([]byte(p.Key.Instance))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(p.Key.Check)))
	return mix(h.Sum64())
}

// mix spreads every bit over all others: FNV's bits are not even when its inputs
// differ in their last bytes only, as the ids of instances of one app may do.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// lead is the time from the target's beginning to its first probe: up to the
// interval, and up to maxLead.
func (p *probe) lead() time.Duration {
	return time.Duration(mix(p.seed()) % uint64(min(p.Interval, maxLead)))
}

// slotFrom is the target's first slot from that moment on.
func (p *probe) slotFrom(at time.Time) time.Time {
	interval := int64(p.Interval)
	phase := int64(p.seed() % uint64(interval))
	ahead := (phase - at.UnixNano()%interval) % interval
	if ahead < 0 {
		ahead += interval
	}
	return at.Add(time.Duration(ahead))
}
