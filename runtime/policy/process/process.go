// Package process runs policy modules as processes of their own and reaches them by
// gRPC. It is the other host beside package wasm, for modules that need what a WASM
// guest cannot have: the network, files, any library. What it gives is a
// remote.Module; package remote makes policies of it. How a module is written is
// told in package sdk/process.
//
// A process is trusted code: it runs as our user does. What the host does see to is
// that nothing it does by mistake hurts the scheduler:
//
//   - what is started is a private copy of the file whose digest was checked, and so
//     are the files beside it;
//   - it inherits neither environment nor files, and its memory is limited;
//   - each call has a deadline and a bound on its answer;
//   - what it writes is logged in part, and it waits when it writes too much;
//   - when it ends, or answers nobody any more, it is started again, more and more
//     slowly, and what was prepared is prepared anew when it is needed;
//   - when it ends, what it has started ends too, and it ends with Pacer.
package process

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk/process/protocol"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Config says what is run, and how.
type Config struct {
	// Command is the path of an executable file, and its arguments. The module runs
	// in a folder of its own, so the only relative paths that they should name are
	// those of Files.
	Command []string
	// Program is what is run, in place of the file, whose name is then what it is called;
	// nil: the file is read.
	Program []byte
	// SHA256 is the digest that the executable has to have, in hexadecimal; "" for any.
	// Its interpreter, and what it loads besides Files, are not covered.
	SHA256   string
	Files    []File       // what else is in the module's folder
	Settings string       // of the module: JSON; "" for none
	Env      []string     // NAME=value, all of the environment but the protocol's own
	Dir      string       // where private folders are made; "" means that of temporary files
	Limits   Limits       // fields that are 0 have the values of DefaultLimits
	Log      *slog.Logger // nil: nothing is logged
}

// File is one that a module finds in the folder it runs in.
type File struct {
	Name  string // a relative path
	Bytes []byte
}

// Start starts a module and sees to it that it stays up until it is closed. The
// error is why it cannot be used; it wraps an *sdk.Invalid for settings that the
// operator has to change. ctx bounds the start, not the module.
func Start(ctx context.Context, config Config) (*Module, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	m, err := newModule(config)
	if err != nil {
		return nil, err
	}
	r, err := m.begin(ctx)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(m.folder))
	}
	m.current = r
	ctx, m.stop = context.WithCancel(context.WithoutCancel(ctx))
	go m.supervise(ctx, r)
	return m, nil
}

// check says which field cannot be.
func (c *Config) check() error {
	if len(c.Command) == 0 || c.Command[0] == "" {
		return errors.New("command: the path of an executable file expected")
	}
	if digest, err := hex.DecodeString(c.SHA256); err != nil || len(digest) != 0 && len(digest) != 32 {
		return fmt.Errorf("sha256 %q: 64 hexadecimal digits expected", c.SHA256)
	}
	for _, variable := range c.Env {
		name, _, ok := strings.Cut(variable, "=")
		if !ok || name == "" {
			return fmt.Errorf("env %q: NAME=value expected", name)
		}
		if strings.ContainsRune(variable, 0) {
			return fmt.Errorf("env %q: a value without a zero byte expected", name) // which may be a secret
		}
		if strings.HasPrefix(name, "PACER_") || strings.HasPrefix(name, "PLUGIN_") {
			return fmt.Errorf("env %s: that name belongs to the protocol", name)
		}
	}
	return nil
}

// maxFolder is how long the path of a module's folder may be: a socket's path has
// at most 107 bytes, and go-plugin's part of it takes up to 48.
const maxFolder = 107 - 48

// newModule makes the folder and the copy of the file in it.
func newModule(config Config) (*Module, error) {
	folder, err := os.MkdirTemp(config.Dir, "pacer-") // with mode 0700
	if err != nil {
		return nil, err
	}
	if folder, err = filepath.Abs(folder); err == nil && len(folder) > maxFolder {
		err = fmt.Errorf("dir %s: the path is too long for sockets below it", filepath.Dir(folder))
	}
	var files []*private
	if err == nil {
		files, err = copyAll(&config, folder)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	log := config.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	m := &Module{
		limits: config.Limits.withDefaults(), command: config.Command, settings: config.Settings, env: config.Env,
		folder: folder, files: files, journal: &journal{log: log},
		changed: make(chan struct{}), over: make(chan struct{}),
	}
	m.description.Name = filepath.Base(config.Command[0]) // until it says itself
	return m, nil
}

// begin starts the first process and learns what the module is.
func (m *Module) begin(ctx context.Context) (*run, error) {
	r, err := m.launch(ctx)
	if err != nil {
		return nil, err
	}
	d, err := m.greet(ctx, r)
	if err != nil {
		r.end()
		return nil, err
	}
	m.description = d
	m.journal.name(m.label())
	return r, nil
}

// greet asks the process what it is and gives it its settings.
func (m *Module) greet(ctx context.Context, r *run) (wire.Description, error) {
	b, err := m.hello(ctx, r, protocol.Describe, nil)
	if err != nil {
		return wire.Description{}, err
	}
	d, err := remote.DecodeDescription(b)
	if err != nil {
		return d, fmt.Errorf("%s: %w", protocol.Describe, err)
	}
	_, err = m.hello(ctx, r, protocol.Configure, wire.AppendHostInfo(nil, wire.HostInfo{Minor: wire.Minor, Settings: m.settings}))
	return d, err
}

// hello is one call of the handshake.
func (m *Module) hello(ctx context.Context, r *run, method string, in []byte) ([]byte, error) {
	deadline := until(ctx, m.limits.Configure)
	answer, err := r.call(ctx, deadline, method, in, m.limits.ReplyBytes)
	if method == protocol.Describe && !r.single && status.Code(err) == codes.Unimplemented {
		// It has no streams of calls, or else does not know this method either way.
		r.single = true
		answer, err = r.call(ctx, deadline, method, in, m.limits.ReplyBytes)
	}
	if err == nil {
		return answer, nil
	}
	return nil, fmt.Errorf("%s: %w", method, m.settle(ctx, deadline, r, err, m.limits.Configure))
}
