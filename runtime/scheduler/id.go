package scheduler

import "encoding/binary"

// ids draws UUIDs from a seed. Two cores with different seeds never draw the
// same one in practice: the whole 128 bits of the seed go into each.
type ids struct {
	a, b uint64
	n    uint64
}

func newIDs(seed [16]byte) ids {
	return ids{a: binary.LittleEndian.Uint64(seed[:8]), b: binary.LittleEndian.Uint64(seed[8:])}
}

// next returns a UUID of version 4.
func (i *ids) next() UUID {
	i.n++
	var u UUID
	binary.BigEndian.PutUint64(u[:8], mix(i.a^mix(i.n)))
	binary.BigEndian.PutUint64(u[8:], mix(i.b+mix(i.n^0x5851f42d4c957f2d)))
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

// next64 returns 64 bits for a seed.
func (i *ids) next64() uint64 {
	i.n++
	return mix(i.a + i.b ^ mix(i.n))
}

// mix is the finaliser of splitmix64 (Steele, Lea, Flood: Fast splittable
// pseudorandom number generators, 2014): a bijection that scatters counters.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
