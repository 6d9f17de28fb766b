package wasm

import (
	"runtime"
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// newMemory reserves the addresses of all that a guest may use. Only what it touches takes
// memory, growing copies nothing, and Go's collector has no part in it: in its heap, a guest
// of some megabytes would hold what it had before it grew, too, until the next collection.
func newMemory(_, most uint64) experimental.LinearMemory {
	reserved, err := syscall.Mmap(-1, 0, int(max(most, 1)), syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return &heapMemory{}
	}
	m := &mapped{reserved: reserved}
	// The engine does not free the memory of an instance that failed to start.
	m.lost = runtime.AddCleanup(m, unmap, reserved)
	return m
}

// mapped is the memory of one instance.
type mapped struct {
	reserved []byte
	size     uint64 // that the guest has
	lost     runtime.Cleanup
}

// Reallocate implements experimental.LinearMemory. It is nil when the system is out of
// memory.
func (m *mapped) Reallocate(size uint64) []byte {
	if size > uint64(len(m.reserved)) {
		return nil
	}
	if size > m.size {
		if syscall.Mprotect(m.reserved[m.size:size], syscall.PROT_READ|syscall.PROT_WRITE) != nil {
			return nil
		}
		m.size = size
	}
	return m.reserved[:size:size]
}

// Free implements experimental.LinearMemory.
func (m *mapped) Free() {
	m.lost.Stop()
	unmap(m.reserved)
	m.reserved = nil
}

func unmap(b []byte) { _ = syscall.Munmap(b) } // fails only for what is no mapping
