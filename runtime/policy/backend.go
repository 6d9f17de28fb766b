package policy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/settings"
	"github.com/pacer-run/pacer/runtime/policy/trust"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
)

// Backends loads modules of every backend.
type Backends struct {
	engine *wasm.Loader
	log    *slog.Logger
	cache  string // of what came from registries; "" for none
	from   atomic.Pointer[place]
}

// place is where references are looked up, and who is trusted.
type place struct {
	dir   string
	store *artifact.Store
	trust *trust.Verifier
	// number is another one when whom to trust is.
	number int
}

// NewBackends returns a loader. cacheDir keeps compiled modules between runs, and
// what came from registries; "" keeps none. Until Trust is called, every module is trusted.
func NewBackends(limits wasm.Limits, cacheDir string, log *slog.Logger) (*Backends, error) {
	engine, err := wasm.NewLoader(limits, cacheDir, log)
	if err != nil {
		return nil, err
	}
	b := &Backends{engine: engine, log: log}
	if cacheDir != "" {
		b.cache = filepath.Join(cacheDir, "artifacts")
	}
	return b, b.Trust("", trust.Policy{})
}

// Trust says which modules may be loaded from now on, and the folder from which
// relative paths start and in which the lock file is, if there is one.
func (b *Backends) Trust(dir string, policy trust.Policy) error {
	verifier, err := policy.Compile(dir)
	if err != nil {
		return err
	}
	now := &place{dir: dir, store: &artifact.Store{Dir: dir, Cache: b.cache}, trust: verifier}
	if before := b.from.Load(); before != nil {
		if now.number = before.number; !reflect.DeepEqual(before.trust, verifier) {
			now.number++
		}
	}
	b.from.Store(now)
	return nil
}

// lock reads the lock file; nil when there is none.
func (p *place) lock() (*trust.Lock, error) {
	if p.dir == "" {
		return nil, nil
	}
	lock, err := trust.ReadLock(filepath.Join(p.dir, trust.LockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return lock, err
}

// wanted is a version of the module as package trust knows it. The files are those
// beside the one that the operator's list has, not beside others to go back to.
func (m ModuleConfig) wanted(ref Ref, name string, enforce bool) trust.Wanted {
	w := trust.Wanted{Name: name, Ref: ref.Ref, Digest: ref.Digest, Enforce: enforce}
	if ref == m.Ref {
		w.Files = m.Files
	}
	return w
}

// fetch gets the bytes of a module, verified. Modules of Config.Dir have no digest
// to be pinned to, and no exceptions: whoever puts a file there gives it its name.
func (b *Backends) fetch(ctx context.Context, m ModuleConfig, ref Ref) (*trust.Trusted, error) {
	from := b.from.Load()
	if m.File != "" {
		path := strings.TrimPrefix(ref.Ref, "file:")
		found, err := (&artifact.Store{}).Fetch(ctx, artifact.Ref{Place: artifact.File, Path: path}, "")
		if err != nil {
			return nil, err
		}
		signers, err := from.trust.Verify("", found, time.Now())
		return &trust.Trusted{Module: found, Signers: signers, Seal: trust.SealOf(found)}, err
	}
	lock, err := from.lock()
	if err != nil {
		return nil, err
	}
	return from.trust.Load(ctx, from.store, lock, m.wanted(ref, m.Name, m.Mode == Enforce), time.Now())
}

// vouch tells whether a module that was loaded as m says may be used as another one
// at this moment: trusted as that one has to be, and pinned as it has to be. One of
// Config.Dir is pinned by nothing, and needs to be where its place is not in Config.Dir.
func (b *Backends) vouch(m ModuleConfig, ref Ref, seal trust.Seal, as ModuleConfig) error {
	from := b.from.Load()
	lock, err := from.lock()
	if err != nil {
		return err
	}
	w := m.wanted(ref, as.Name, true)
	if as.File != "" {
		w.Name, w.Enforce = "", false
	}
	if m.File != "" {
		lock = nil
	}
	return from.trust.Admit(lock, w, seal, time.Now())
}

// Load implements Loader. It gives up waiting when ctx ends; the engine may go on for
// a moment.
func (b *Backends) Load(ctx context.Context, m ModuleConfig, ref Ref) (Loaded, error) {
	found, err := b.fetch(ctx, m, ref)
	if err != nil {
		return Loaded{}, err
	}
	seal := found.Seal // without the bytes, which are not to be kept
	vouch := func(as ModuleConfig) error { return b.vouch(m, ref, seal, as) }
	if m.Mode == Shadow {
		if err := vouch(ModuleConfig{Name: m.Of, File: m.OfFile}); err != nil {
			return Loaded{}, fmt.Errorf("as a candidate for %s: %w", m.Of, err)
		}
	}
	loaded := Loaded{
		Digest: strings.TrimPrefix(found.Digest, "sha256:"), Signer: signersOf(found.Signers), Backend: BackendWASM, Vouch: vouch,
		Content: contentOf(found.Module),
	}
	if m.Backend == BackendProcess {
		loaded.Backend = BackendProcess
		return b.startProcess(ctx, m, loaded, found.Module)
	}
	if !found.IsWASM() && m.File == "" {
		return loaded, errors.New("not a WASM module; one that is a process needs backend: process")
	}
	options, err := wasmOptions(m, found)
	if err != nil {
		return loaded, err
	}
	module, err := b.engine.Load(ctx, found.Bytes, options)
	if err != nil {
		return loaded, err
	}
	loaded.Module = module
	return loaded, nil
}

// contentOf is another one when any of the module's bytes are.
func contentOf(m *artifact.Module) string {
	return m.Digest + fmt.Sprint(m.FileDigests()) // maps are printed in order
}

func signersOf(signers []trust.Signer) string {
	names := make([]string, len(signers))
	for i, s := range signers {
		names[i] = s.Name
	}
	return strings.Join(names, ", ")
}

// wasmOptions are what the operator and the manifest say.
func wasmOptions(m ModuleConfig, found *trust.Trusted) (wasm.Options, error) {
	set := m.Settings
	if said := found.Manifest; said != nil && said.Settings != nil {
		merged, err := settings.Merge(said.Settings.Defaults, m.Settings)
		if err != nil {
			return wasm.Options{}, err
		}
		if err := settings.Check(said.Settings.Schema, merged); err != nil {
			return wasm.Options{}, err
		}
		set = merged
	}
	l := m.Limits
	return wasm.Options{
		Settings: string(set), Grants: m.Grants, Fresh: m.Isolation == IsolationFresh,
		Limits: wasm.Limits{
			MemoryPages: l.MemoryPages, StartFuel: l.StartFuel, PrepareFuel: l.PrepareFuel, BaseFuel: l.BaseFuel, ItemFuel: l.ItemFuel,
			CallFuel: l.CallFuel, ReplyBytes: l.ReplyBytes, Instances: m.Instances,
		},
	}, nil
}

// Mark implements Loader. It is another one when whom to trust is, or what the lock file
// has of the module, and of what is a file also when that, what lies beside it or its
// signatures are others: a deployment brings them in any order, and what was refused in
// between is to be tried again.
func (b *Backends) Mark(_ context.Context, m ModuleConfig) (string, error) {
	from := b.from.Load()
	mark := fmt.Sprintf("trust %d", from.number)
	if m.File == "" {
		if lock, err := from.lock(); err == nil {
			if locked, i := lock.Find(m.Ref.Ref); i >= 0 {
				mark += " " + locked.Digest + fmt.Sprint(locked.Files) // maps are printed in order
			}
		}
	}
	ref, err := artifact.ParseRef(m.Ref.Ref)
	if err != nil || ref.Place != artifact.File {
		return mark, err
	}
	for _, file := range append([]artifact.AttachmentRef{{Path: ref.Path}}, m.Files...) {
		path := file.Path
		if m.File == "" && !filepath.IsAbs(path) {
			path = filepath.Join(from.dir, path)
		}
		info, err := os.Stat(path)
		if err != nil {
			return "", err
		}
		mark += markOf(info)
		if info, err := os.Stat(artifact.SignatureFile(path)); err == nil {
			mark += markOf(info)
		}
	}
	return mark, nil
}

// markOf tells a file by its length, time and place on the disk.
func markOf(info fs.FileInfo) string {
	return fmt.Sprintf(" %d %d %v", info.Size(), info.ModTime().UnixNano(), inode(info))
}

// Close implements Loader.
func (b *Backends) Close(ctx context.Context) error { return b.engine.Close(ctx) }
