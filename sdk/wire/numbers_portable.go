//go:build !wasm && !amd64 && !arm64

package wire

import (
	"encoding/binary"
	"slices"
)

// appendNumbers appends the packed numbers to the list.
func appendNumbers(list []uint32, b []byte) []uint32 {
	list = slices.Grow(list, len(b)/4)
	for ; len(b) >= 4; b = b[4:] {
		list = append(list, binary.LittleEndian.Uint32(b))
	}
	return list
}

// appendPacked appends the numbers as they are packed.
func appendPacked(b []byte, list []uint32) []byte {
	for _, v := range list {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}
