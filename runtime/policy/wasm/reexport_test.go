package wasm

import (
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// A module whose exports are the host's own functions does no harm: they are called without
// an instance of the guest.
func TestExportsOfTheHost(t *testing.T) {
	const text = `(module
		(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
		(import "policy_v1" "log_enabled" (func $enabled (param i32) (result i32)))
		(memory (export "memory") 1)
		(data (i32.const 16) "\12\04host\1a\011\22\04HOST")
		(data (i32.const 48) "\10\02")
		(func (export "policy_abi_v1"))
		(export "policy_buffer" (func $enabled))
		(export "constraint_release" (func $exit))
		(func (export "policy_describe") (result i64) (i64.const 0x100000000f))
		(func (export "policy_configure") (param i32) (result i64) (i64.const 0))
		(func (export "constraint_prepare") (param i32) (result i64) (i64.const 0x3000000002))
		(func (export "constraint_evaluate") (param i32 i32) (result i64) (i64.const 0x400000000a)))`
	m, err := load(t, assemble(t, text), tight())
	if err != nil {
		t.Fatal(err)
	}
	prepare(t, m, "HOST", "").Close()
	_, err = m.Prepare(t.Context(), remote.KindConstraint, nil) // releases the one before
	wantFault(t, err, "exited with code")
	wantTrap(t, err, true)
	prepare(t, m, "HOST", "").Close()
}
