package author

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/runtime/policy/settings"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
	"github.com/pacer-run/pacer/sdk/manifest"
)

// Source is a module's file.
type Source struct {
	Path     string
	Code     []byte
	Digest   string             // sha256 of the code, in hexadecimal
	Manifest *manifest.Manifest // nil when it has none
	Dir      string             // the folder of the project; "" for a bare file
}

// ErrNotBuilt is that of a project whose module is not there yet.
var ErrNotBuilt = errors.New("not built yet: run pacer policy build")

// Open reads a module: a .wasm file, or the folder of a project, whose module has
// been built.
func Open(path string) (*Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	s := &Source{Path: path}
	if info.IsDir() {
		project, err := OpenProject(path)
		if err != nil {
			return nil, err
		}
		s.Dir, s.Path = path, project.OutputPath()
	}
	s.Code, err = os.ReadFile(s.Path)
	if errors.Is(err, fs.ErrNotExist) && s.Dir != "" {
		return nil, fmt.Errorf("%s: %w", s.Path, ErrNotBuilt)
	}
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(s.Code)
	s.Digest = hex.EncodeToString(sum[:])
	if s.Manifest, err = manifest.Extract(s.Code); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path, err)
	}
	return s, nil
}

// LoadOptions say how a module is loaded.
type LoadOptions struct {
	Settings  string       // an object in JSON, over the manifest's defaults; "" for these alone
	Log       *slog.Logger // what the module prints; nil for nowhere
	CacheDir  string       // for what was compiled; "" for none
	Instances int          // that work at the same time; 0 for one
}

// settings are what a host hands to the module: those that are set, over the defaults
// of the manifest. What does not fit the schema is an error, as with a host.
func (s *Source) settings(set string) (string, error) {
	set = strings.TrimSpace(set)
	if err := CheckSettings(set); err != nil {
		return "", fmt.Errorf("settings: %w", err)
	}
	if s.Manifest == nil || s.Manifest.Settings == nil {
		return set, nil
	}
	merged, err := settings.Merge(s.Manifest.Settings.Defaults, json.RawMessage(set))
	if err != nil {
		return "", err
	}
	return string(merged), settings.Check(s.Manifest.Settings.Schema, merged)
}

// CheckSettings says why a text cannot be settings; nil when it can, and for "". Hosts
// have names and values in policies.yaml, and nothing else becomes JSON there.
func CheckSettings(text string) error {
	var object map[string]json.RawMessage
	if text == "" || json.Unmarshal([]byte(text), &object) == nil && object != nil {
		return nil
	}
	return errors.New(`expected an object in JSON, such as {"per": 2}`)
}

// Load starts the module with the limits of its manifest. The second result ends it.
func (s *Source) Load(ctx context.Context, o LoadOptions) (remote.Module, func(), error) {
	set, err := s.settings(o.Settings)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Base(s.Path), err)
	}
	limits := wasm.DefaultLimits()
	limits.Instances = max(1, o.Instances)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	loader, err := wasm.NewLoader(limits, o.CacheDir, o.Log)
	if err != nil {
		return nil, nil, err
	}
	options := wasm.Options{Settings: set}
	if s.Manifest != nil {
		options.Grants = s.Manifest.Imports // what a host would give is for its operator to say
	}
	ending := context.WithoutCancel(ctx)
	module, err := loader.Load(ctx, s.Code, options)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", filepath.Base(s.Path), err), loader.Close(ending))
	}
	return module, func() {
		_ = module.Close(ending) // nothing can be done about it, and nothing depends on it
		_ = loader.Close(ending)
	}, nil
}
