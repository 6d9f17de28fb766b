package wasm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// assemble makes a module of its text.
func assemble(t *testing.T, text string) []byte {
	t.Helper()
	in, out := filepath.Join(t.TempDir(), "guest.wat"), filepath.Join(t.TempDir(), "guest.wasm")
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if message, err := exec.CommandContext(t.Context(), "wat2wasm", in, "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("assembling, which needs wabt (make needs): %v\n%s", err, message)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// deepGuest calls itself 15,000 times to evaluate, with 200 values at hand in each call.
func deepGuest() string {
	var load, sum strings.Builder
	for i := range 200 {
		fmt.Fprintf(&load, "(i64.load offset=%d (i32.const 0))\n", 2048+8*i)
		sum.WriteString("i64.add\n")
	}
	return `(module (memory (export "memory") 1)
		(data (i32.const 16) "\12\04deep\1a\011\22\04DEEP")
		(data (i32.const 48) "\10\02")
		(data (i32.const 64) "\0a\08\00\00\00\00\00\00\00\00")
		(func (export "policy_abi_v1"))
		(func (export "policy_buffer") (param i32) (result i32) (i32.const 1024))
		(func (export "policy_describe") (result i64) (i64.const 0x100000000f))
		(func (export "policy_configure") (param i32) (result i64) (i64.const 0))
		(func (export "constraint_release") (param i32))
		(func (export "constraint_prepare") (param i32) (result i64) (i64.const 0x3000000002))
		(func (export "constraint_evaluate") (param i32 i32) (result i64)
			(i64.store (i32.const 8) (call $deep (i32.const 15000)))
			(i64.const 0x400000000a))
		(func $deep (param i32) (result i64)
			(if (i32.eqz (local.get 0)) (then (return (i64.const 0))))
			` + load.String() + `(call $deep (i32.sub (local.get 0) (i32.const 1)))` + sum.String() + `))`
}

// What the engine's stack grew to in a call is not kept for the next: it is as large as the
// guest's memory may be, and there is one for each function of each instance.
func TestDeepStackIsNotKept(t *testing.T) {
	m, err := load(t, assemble(t, deepGuest()), tight())
	if err != nil {
		t.Fatal(err)
	}
	p := prepare(t, m, "DEEP", "")
	defer p.Close()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	if _, err := p.Evaluate(t.Context(), two()); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	if most := after.TotalAlloc - before.TotalAlloc; most < 16<<20 {
		t.Errorf("the stack had %d bytes only", most)
	}
	if grown > 4<<20 {
		t.Errorf("%d bytes are kept", grown)
	}
}
