package wasm

import (
	"strings"
	"testing"
)

// patched is the good fixture with one part replaced.
func patched(t *testing.T, from, to string) []byte {
	t.Helper()
	code := string(fixture(t, "good"))
	if strings.Count(code, from) != 1 {
		t.Fatalf("%q is not once in the fixture", from)
	}
	return []byte(strings.Replace(code, from, to, 1))
}

// What a module exports has to be there, of the right kind and type, and what it
// says of itself has to make sense. In the fixture function 1 is policy_buffer.
func TestRefusedExports(t *testing.T) {
	tests := []struct{ name, from, to, cause string }{
		{
			"type of evaluate", "constraint_evaluate\x00\x05", "constraint_evaluate\x00\x01",
			"its export constraint_evaluate has the type (i32) -> (i32), want (i32, i32) -> (i64)",
		},
		{
			"type of describe", "policy_describe\x00\x02", "policy_describe\x00\x01",
			"its export policy_describe has the type (i32) -> (i32), want () -> (i64)",
		},
		{
			"a part of a kind", "constraint_evaluate", "constraint_evolvate",
			"it does not export the function constraint_evaluate",
		},
		{"no release", "constraint_release", "constraint_forgets", "it does not export the function constraint_release"},
		{
			"a memory for a function", "constraint_release\x00\x06", "constraint_release\x02\x00",
			"it does not export the function constraint_release",
		},
		{"no memory", "memory\x02", "moment\x02", `it does not export its memory as "memory"`},
		{"a function for the memory", "memory\x02\x00", "memory\x00\x00", `it does not export its memory as "memory"`},
		{"another version", "policy_abi_v1", "policy_abi_v2", "it speaks version 2 of the policy ABI; this host speaks 1"},
		{"no version", "policy_abi_v1", "policy_abi_xx", "it is not a policy module: it does not export policy_abi_v1"},
		{"name", "\x12\x03bad", "\x12\x03Bad", `policy_describe: name "Bad": lower-case letters, digits and dashes expected`},
		{"version", "\x1a\x011", "\x1a\x01 ", `policy_describe: version " ": letters, digits`},
		{"operator", "\x22\x03BAD", "\x22\x03bad", `policy_describe: operator "bad": upper-case letters`},
		{"no name", "\x22\x03BAD", "\x4a\x03BAD", "policy_describe: it offers nothing: at least one name of a policy expected"},
		{"name of another kind", "\x22\x03BAD", "\x2a\x03BAD", `policy_describe: fetch policy "BAD": lower-case letters`},
		{
			"name without functions", "\x22\x03BAD", "\x42\x03bad",
			"policy_describe: it names the admission policy bad, but does not export the function admission_review",
		},
		{
			"later minor version", "\x12\x03bad\x1a\x011", "\x08\x07\x12\x01b\x1a\x011",
			"policy_describe: the module needs version 1.7 of the ABI; this host speaks 1.1",
		},
		{
			"answer outside of the memory", "\x8d\x80\x80\x80\x80\x02", "\x8d\x80\x80\x80\xf0\x7f",
			"policy_describe: the answer lies outside of the memory",
		},
		{"answer that is too long", "\x8d\x80\x80\x80\x80\x02", "\x8d\x80\x80\x80\x81\x02", ""},
		// The same bytes are an Error whose reason is "bad".
		{"refusal of the start", "\x8d\x80\x80\x80\x80\x02", "\x8d\x80\x80\x80\x88\x02", "policy_describe: bad"},
	}
	for _, test := range tests {
		_, err := load(t, patched(t, test.from, test.to), tight())
		if err == nil || !strings.Contains(err.Error(), test.cause) {
			t.Errorf("%s: error %v, want %q in it", test.name, err, test.cause)
		}
	}
}

// A module may say that it could use more memory than it is given.
func TestDeclaredMemoryIsCut(t *testing.T) {
	const onePage, upTo4GiB = "\x05\x03\x01\x00\x01", "\x05\x06\x01\x01\x01\x80\x80\x04"
	m, err := load(t, patched(t, onePage, upTo4GiB), tight())
	if err != nil {
		t.Fatal(err)
	}
	err = m.pool.with(t.Context(), func(in *instance) error {
		if pages, ok := in.memory.Grow(2000); ok {
			t.Errorf("%d pages could grow by 2000, %d are allowed", pages, m.limits.MemoryPages)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A module of no kind is refused before anything of it is compiled.
func TestNoKind(t *testing.T) {
	code := strings.ReplaceAll(string(fixture(t, "good")), "constraint_", "contrarian_")
	_, err := load(t, []byte(code), tight())
	if err == nil || !strings.Contains(err.Error(), "it exports the functions of no kind of policy") {
		t.Errorf("error %v", err)
	}
}
