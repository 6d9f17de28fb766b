// Command compile makes WASM of a Rego policy, with OPA's own compiler as a library:
//
//	go run . ../policy.rego pacer/decision ../compiled.wasm
//
// The digest of the source goes into the custom section rego.source, so that a test can
// tell whether the two belong together. It is a module of its own: nothing else of Pacer
// depends on OPA, which takes minutes to build.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/open-policy-agent/opa/v1/compile"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "compile:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("expected a Rego file, an entry point such as pacer/decision, and the file to write")
	}
	source, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	c := compile.New().WithTarget(compile.TargetWasm).WithEntrypoints(args[1]).WithPaths(args[0])
	if err := c.Build(context.Background()); err != nil {
		return err
	}
	modules := c.Bundle().WasmModules
	if len(modules) != 1 {
		return fmt.Errorf("it made %d modules, expected one", len(modules))
	}
	digest := sha256.Sum256(source)
	return os.WriteFile(args[2], withSection(modules[0].Raw, "rego.source", digest[:]), 0o644)
}

// withSection adds a custom section to the end of a module.
func withSection(code []byte, name string, content []byte) []byte {
	var section bytes.Buffer
	section.Write(binary.AppendUvarint(nil, uint64(len(name))))
	section.WriteString(name)
	section.Write(content)
	code = binary.AppendUvarint(append(code, 0), uint64(section.Len()))
	return append(code, section.Bytes()...)
}
