package wasm

import (
	"crypto/sha256"
	"encoding/binary"
)

// Prices of host functions, in fuel.
const (
	factPrice  = 1 << 10 // a small fact
	seedPrice  = 8 << 10 // the first random number of a call, besides what is asked by length
	storePrice = 1 << 10 // a look into the store, besides the bytes by length
	putPrice   = 64 << 10
	bytePrice  = 4
)

// moment is what a guest learns and changes in one call: the time, random numbers
// and the store. The same call meets the same numbers, so that it can be asked
// again.
type moment struct {
	name        string // of the function
	spec, input []byte // what it is asked

	now    int64 // milliseconds since 1970; 0: not asked for yet
	random uint64
	seeded bool
	store  draft
}

func nowMillis(c *call, _ []uint64) uint64 {
	c.pay(factPrice)
	m := c.moment()
	if m.now == 0 {
		m.now = c.in.module.options.Now().UnixMilli()
	}
	return uint64(m.now)
}

func randU64(c *call, _ []uint64) uint64 {
	c.pay(factPrice)
	m := c.moment()
	if !m.seeded {
		c.pay(seedPrice + uint64(len(m.spec)+len(m.input))*bytePrice)
		m.seed()
	}
	return splitMix(&m.random)
}

// seed derives the first state from what is asked, so that it depends neither on
// the instance nor on earlier calls.
func (m *moment) seed() {
	hash := sha256.New()
	for _, part := range [][]byte{[]byte(m.name), m.spec, m.input} {
		var size [8]byte
		binary.LittleEndian.PutUint64(size[:], uint64(len(part)))
		hash.Write(size[:])
		hash.Write(part)
	}
	m.random, m.seeded = binary.LittleEndian.Uint64(hash.Sum(nil)), true
}

// splitMix is the next number of a generator (SplitMix64).
func splitMix(state *uint64) uint64 {
	*state += 0x9e3779b97f4a7c15
	z := *state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
