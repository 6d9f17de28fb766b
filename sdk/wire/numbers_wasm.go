package wire

import "unsafe"

// numbers are the packed numbers, in place. The second result is kept for the next call.
func numbers(b []byte, kept []uint32) (list, keep []uint32) {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4), kept
}

// same tells whether the text is these bytes. Go's own comparison of strings takes them
// one by one in a guest.
func same(text string, b []byte) bool {
	if len(text) != len(b) {
		return false
	}
	const step = 64
	p, q := unsafe.Pointer(unsafe.StringData(text)), unsafe.Pointer(unsafe.SliceData(b))
	at := 0
	for ; at+step <= len(b); at += step {
		x, y := (*[step / 8]uint64)(unsafe.Add(p, at)), (*[step / 8]uint64)(unsafe.Add(q, at))
		if x[0]^y[0]|x[1]^y[1]|x[2]^y[2]|x[3]^y[3]|x[4]^y[4]|x[5]^y[5]|x[6]^y[6]|x[7]^y[7] != 0 {
			return false
		}
	}
	return text[at:] == string(b[at:])
}
