package policy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/process"
)

// startProcess starts the very bytes that were verified.
func (b *Backends) startProcess(ctx context.Context, m ModuleConfig, loaded Loaded, found *artifact.Module) (Loaded, error) {
	if found.IsWASM() {
		return loaded, errors.New("it is a WASM module and no executable file; it needs backend: wasm")
	}
	if err := artifact.CheckPlatform(found.Bytes, runtime.GOOS+"/"+runtime.GOARCH); err != nil {
		return loaded, err
	}
	config := process.Config{
		Command: append([]string{m.Name}, m.Args...), Program: found.Bytes, SHA256: loaded.Digest, Settings: string(m.Settings), Log: b.log.With("name", m.Name),
	}
	if found.Ref.Place == artifact.File {
		config.Command[0] = filepath.Base(found.Ref.Path)
	}
	for _, f := range found.Files {
		config.Files = append(config.Files, process.File{Name: filepath.FromSlash(f.Name), Bytes: f.Bytes})
	}
	var err error
	if config.Env, err = environment(m.Env); err != nil {
		return loaded, err
	}
	module, err := process.Start(ctx, config)
	if err != nil {
		return loaded, err
	}
	loaded.Module = module
	return loaded, nil
}

// environment is what the operator grants, with values of Pacer's own where they are
// to be inherited.
func environment(list []Variable) ([]string, error) {
	var env []string
	for _, v := range list {
		if v.Inherit {
			own, ok := os.LookupEnv(v.Name)
			if !ok {
				return nil, fmt.Errorf("env.%s: it has no value, and Pacer's own environment has no such variable", v.Name)
			}
			v.Value = own
		}
		env = append(env, v.Name+"="+v.Value)
	}
	return env, nil
}
