package wasm

import (
	"maps"
	"sync"
)

const (
	// storeQuota is how much a module may keep, in bytes.
	storeQuota = 64 << 10
	// entrySize is what an entry counts besides its key and value: a store must not
	// hold any number of empty keys.
	entrySize = 32
)

// store is what the instances of one module keep together, as long as the module is
// loaded. Its map is never changed: a change makes another one.
type store struct {
	mu    sync.Mutex
	known map[string]string
}

func (s *store) snapshot() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known
}

// apply makes the changes; of two calls at the same time the one that ends last has
// its way. It tells whether there was room: if not, nothing is changed.
func (s *store) apply(changes map[string]string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := maps.Clone(s.known)
	if known == nil {
		known = map[string]string{}
	}
	for key, value := range changes {
		if value == "" {
			delete(known, key)
		} else {
			known[key] = value
		}
	}
	if sizeOf(known) > storeQuota {
		return false
	}
	s.known = known
	return true
}

func sizeOf(entries map[string]string) int {
	size := 0
	for key, value := range entries {
		size += len(key) + len(value) + entrySize
	}
	return size
}

// draft is the store as one call sees it: as it was when the call first looked, with
// the call's own changes. An empty value is an entry that goes.
type draft struct {
	opened  bool
	known   map[string]string
	changes map[string]string
	size    int
}

func (d *draft) open(s *store) {
	if !d.opened {
		d.opened, d.known = true, s.snapshot()
		d.size = sizeOf(d.known)
	}
}

func (d *draft) get(key string) string {
	if value, ok := d.changes[key]; ok {
		return value
	}
	return d.known[key]
}

// put tells whether there is room for the value.
func (d *draft) put(key, value string) bool {
	size := d.size
	if old := d.get(key); old != "" {
		size -= len(key) + len(old) + entrySize
	}
	if value != "" {
		size += len(key) + len(value) + entrySize
	}
	if size > storeQuota {
		return false
	}
	d.size = size
	if _, ok := d.known[key]; value == "" && !ok {
		delete(d.changes, key) // or keys of nothing would pile up, which have no quota
		return true
	}
	if d.changes == nil {
		d.changes = map[string]string{}
	}
	d.changes[key] = value
	return true
}

// commit makes the changes of a call that succeeded.
func (in *instance) commit() {
	if len(in.moment.store.changes) > 0 && !in.module.store.apply(in.moment.store.changes) {
		in.journal.write(levelOf(2), "what it wanted to keep is lost: other calls have used up the room")
	}
}

// kvGet of (key, len, into, cap) answers the length of the value and writes it if it
// fits; -1 when there is none.
func kvGet(c *call, args []uint64) uint64 {
	c.pay(storePrice + uint64(uint32(args[1]))*bytePrice)
	d := &c.moment().store
	d.open(&c.in.module.store)
	value := d.get(string(c.read("kv_get: the key", args[0], args[1])))
	if value == "" {
		return uint64(^uint32(0))
	}
	if len(value) <= int(uint32(args[3])) {
		c.pay(uint64(len(value)) * bytePrice)
		copy(c.read("kv_get: the room for the value", args[2], uint64(len(value))), value)
	}
	return uint64(len(value))
}

// kvPut of (key, len, value, len) answers 0, or -1 when there is no room. An empty
// value removes the key.
func kvPut(c *call, args []uint64) uint64 {
	c.pay(putPrice + (uint64(uint32(args[1]))+uint64(uint32(args[3])))*bytePrice)
	key, value := c.read("kv_put: the key", args[0], args[1]), c.read("kv_put: the value", args[2], args[3])
	if len(key)+len(value) > storeQuota {
		return uint64(^uint32(0))
	}
	d := &c.moment().store
	d.open(&c.in.module.store)
	if !d.put(string(key), string(value)) {
		return uint64(^uint32(0))
	}
	return 0
}
