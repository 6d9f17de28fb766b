//go:build !wasm

package wire

// numbers are the packed numbers, in the room of kept where there is enough. The second
// result is kept for the next call.
func numbers(b []byte, kept []uint32) (list, keep []uint32) {
	kept = appendNumbers(kept[:0], b)
	return kept, kept
}

// same tells whether the text is these bytes.
func same(text string, b []byte) bool { return text == string(b) }
