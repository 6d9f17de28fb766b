// Package c holds the SDK for policy modules in C: two headers. It has no Go code.
package c

import (
	"embed"
	"io/fs"
)

//go:embed pacer_policy.h pacer_json.h
var source embed.FS

// Source holds the headers.
func Source() fs.FS { return source }
