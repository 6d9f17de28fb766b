//go:build !wasip1

package sdk

import (
	"embed"
	"io/fs"
)

// The SDK's own files, from which a new project gets its copy. They are no part of a
// WASM module.
//
//go:embed *.go guest/*.go guest/host/*.go wire/*.go jsonvalue/*.go manifest/*.go policytest/*.go
var source embed.FS

// Source holds the Go files of the SDK for modules, tests included, by their paths
// below the folder of this package.
func Source() fs.FS { return source }
