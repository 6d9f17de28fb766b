// Package rust holds the SDK for policy modules in Rust: a crate without dependencies.
// It has no Go code.
package rust

import (
	"embed"
	"io/fs"
)

//go:embed Cargo.toml src
var source embed.FS

// Source holds the crate's files.
func Source() fs.FS { return source }
