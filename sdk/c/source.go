// Package c holds the SDK for policy modules in C: one header. It has no Go code.
package c

import (
	"embed"
	"io/fs"
)

//go:embed pacer_policy.h
var source embed.FS

// Source holds pacer_policy.h.
func Source() fs.FS { return source }
