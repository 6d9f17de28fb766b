// Package assemblyscript holds the SDK for policy modules in AssemblyScript: a library
// of its compiler. It has no Go code.
package assemblyscript

import (
	"embed"
	"io/fs"
)

//go:embed assembly
var source embed.FS

// Source holds the library: a folder for the compiler's flag --lib.
func Source() fs.FS {
	lib, err := fs.Sub(source, "assembly")
	if err != nil {
		return source // a name that cannot be wrong
	}
	return lib
}
