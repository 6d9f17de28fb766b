//go:build wasm || amd64 || arm64

package wire

import (
	"slices"
	"unsafe"
)

// On these machines numbers are in memory as they are on the wire, and need not be
// copied one by one. That counts most in guests, where a loop costs several times what
// it does natively.

// appendNumbers appends the packed numbers to the list.
func appendNumbers(list []uint32, b []byte) []uint32 {
	at, n := len(list), len(b)/4
	list = slices.Grow(list, n)[:at+n]
	copy(bytesOf(list[at:]), b)
	return list
}

// appendPacked appends the numbers as they are packed.
func appendPacked(b []byte, list []uint32) []byte { return append(b, bytesOf(list)...) }

func bytesOf(list []uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(list))), 4*len(list))
}
