package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// bareOPA is a module by OPA in the engine, with what it imports and nothing else: no
// functions of the host, no interrupt, no limit.
type bareOPA struct {
	engine wazero.Runtime
	module api.Module
	memory api.Memory
	data   uint64 // the empty document
	heap   uint64 // where memory is free
}

// newBareOPA compiles the policy and starts it.
func newBareOPA(ctx context.Context) (*bareOPA, error) {
	c := compile.New().WithTarget(compile.TargetWasm).WithEntrypoints("peers/fits").WithFS(policies).WithPaths("like.rego")
	if err := c.Build(ctx); err != nil {
		return nil, err
	}
	modules := c.Bundle().WasmModules
	if len(modules) != 1 {
		return nil, fmt.Errorf("it made %d modules, expected one", len(modules))
	}
	o := &bareOPA{engine: wazero.NewRuntime(ctx)}
	if err := o.start(ctx, modules[0].Raw); err != nil {
		return nil, errors.Join(err, o.engine.Close(ctx))
	}
	return o, nil
}

// imported are the functions that a module by OPA imports, and their types: so many
// numbers, and an answer but for the first two. None of them is called by this policy.
func imported() []string {
	return []string{"opa_abort", "opa_println", "opa_builtin0", "opa_builtin1", "opa_builtin2", "opa_builtin3", "opa_builtin4"}
}

func (o *bareOPA) start(ctx context.Context, code []byte) error {
	host := o.engine.NewHostModuleBuilder("host")
	for i, name := range imported() {
		unexpected := api.GoFunc(func(context.Context, []uint64) { panic(name + " was called") })
		params, results := []api.ValueType{api.ValueTypeI32}, []api.ValueType(nil)
		if i > 1 {
			params, results = bytes.Repeat(params, i), params
		}
		host.NewFunctionBuilder().WithGoFunction(unexpected, params, results).Export(name)
	}
	if _, err := host.Instantiate(ctx); err != nil {
		return err
	}
	env, err := o.engine.InstantiateWithConfig(ctx, envModule(), wazero.NewModuleConfig().WithName("env"))
	if err != nil {
		return err
	}
	if o.module, err = o.engine.Instantiate(ctx, code); err != nil {
		return err
	}
	o.memory = env.Memory()
	at, err := o.call(ctx, "opa_malloc", 2)
	if err == nil {
		err = o.write(at, []byte("{}"))
	}
	if err == nil {
		o.data, err = o.call(ctx, "opa_json_parse", at, 2)
	}
	if err == nil {
		o.heap, err = o.call(ctx, "opa_heap_ptr_get")
	}
	return err
}

// envModule is a module that has what a module by OPA imports: functions of the host, and
// a memory, which a module of the host cannot have.
func envModule() []byte {
	names := imported()
	vector := func(items ...[]byte) []byte { return append([]byte{byte(len(items))}, bytes.Join(items, nil)...) }
	name := func(text string) []byte { return append([]byte{byte(len(text))}, text...) }
	types, imports := [][]byte{}, [][]byte{}
	exports := [][]byte{append(name("memory"), 2, 0)}
	for i, n := range names {
		count, results := 1, []byte{0}
		if i > 1 {
			count, results = i, []byte{1, api.ValueTypeI32}
		}
		params := append([]byte{byte(count)}, bytes.Repeat([]byte{api.ValueTypeI32}, count)...)
		types = append(types, append(append([]byte{0x60}, params...), results...))
		imports = append(imports, append(append(name("host"), name(n)...), 0, byte(i)))
		exports = append(exports, append(name(n), 0, byte(i)))
	}
	module := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, content []byte) {
		module = append(append(module, id, byte(len(content)&0x7f|0x80), byte(len(content)>>7)), content...)
	}
	section(1, vector(types...))
	section(2, vector(imports...))
	section(5, vector([]byte{0, 16}))
	section(7, vector(exports...))
	return module
}

func (o *bareOPA) call(ctx context.Context, name string, args ...uint64) (uint64, error) {
	results, err := o.module.ExportedFunction(name).Call(ctx, args...)
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0], nil
}

// write writes to the memory, which grows when it is too small.
func (o *bareOPA) write(at uint64, text []byte) error {
	if end := uint32(at) + uint32(len(text)); end > o.memory.Size() {
		o.memory.Grow((end-o.memory.Size())>>16 + 1)
	}
	if !o.memory.Write(uint32(at), text) {
		return errors.New("the memory is too small")
	}
	return nil
}

// ask is a question about offers, from these to the verdicts.
func (o *bareOPA) ask(ctx context.Context, input map[string]any) ([]bool, error) {
	text, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	if err := o.write(o.heap, text); err != nil {
		return nil, err
	}
	size := uint64(len(text))
	const asJSON = 0
	at, err := o.call(ctx, "opa_eval", 0, 0, o.data, o.heap, size, (o.heap+size+7)&^7, asJSON)
	if err != nil {
		return nil, err
	}
	text, _ = o.memory.Read(uint32(at), o.memory.Size()-uint32(at))
	text, _, _ = bytes.Cut(text, []byte{0})
	var results []struct {
		Result []bool `json:"result"`
	}
	if err := json.Unmarshal(text, &results); err != nil {
		return nil, err
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("%d results, expected one", len(results))
	}
	return results[0].Result, nil
}
