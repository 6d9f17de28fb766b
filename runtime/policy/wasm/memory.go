package wasm

// heapMemory is the memory of an instance in Go's heap, where the system has nothing better.
type heapMemory struct{ b []byte }

// Reallocate implements experimental.LinearMemory.
func (m *heapMemory) Reallocate(size uint64) []byte {
	if more := int(size) - len(m.b); more > 0 {
		m.b = append(m.b, make([]byte, more)...)
	}
	return m.b
}

// Free implements experimental.LinearMemory.
func (m *heapMemory) Free() { m.b = nil }
