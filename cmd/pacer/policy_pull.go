package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/roster"
	"github.com/pacer-run/pacer/runtime/policy/trust"
)

func policyPullCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pull [REF…]",
		Short: "Fetch policy modules and note their digests in the lock file",
		Long: `Finds out what references stand for, fetches the modules and verifies them. What it
found is noted in the lock file, and Pacer loads that: it resolves no tags itself.

With --config and no REF it takes all modules that policies.yaml lists, including
those to roll back to; the lock file then has no others. Those have to have signed
them who must by its trust block. --out writes the one module that is pulled, and
its signatures, to FILE and FILE.sig, and the files of a process beside it. Paths in references start from the folder of
--config. Nothing is written unless all went well.`,
	}
	config := cmd.Flags().String("config", "", "policies.yaml")
	lock := cmd.Flags().String("lock", "", "lock file to write (default: policies.lock beside --config)")
	file := cmd.Flags().String("out", "", "file to write the module to; takes one REF")
	store := storeFlags(cmd)
	return shipCommand(cmd, 0, 1000, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		p, err := newPull(*config, *lock, *file, args)
		if err != nil {
			return err
		}
		p.store = store()
		p.store.Dir = p.config.dir
		return p.run(cmd, out)
	})
}

// pull is one run of the command.
type pull struct {
	store    *artifact.Store
	config   *pullConfig
	entries  []pullEntry
	all      bool // that the configuration lists
	lockFile string
	lock     *trust.Lock
	noted    map[string]map[string]string // digests of files, by the reference and their names
	file     string
}

// newPull finds out what to do.
func newPull(config, lock, file string, refs []string) (*pull, error) {
	switch {
	case len(refs) == 0 && config == "":
		return nil, misuse("expected REF or --config")
	case config == "" && lock == "" && file == "":
		return nil, misuse("expected --config, --lock or --out: there is nowhere to write to")
	case file != "" && len(refs) != 1:
		return nil, misuse("--out: expected one REF, got %d", len(refs))
	}
	c, err := readPullConfig(config)
	if err != nil {
		return nil, err
	}
	p := &pull{config: c, all: len(refs) == 0, lockFile: lock, lock: &trust.Lock{}, file: file}
	if p.lockFile == "" && config != "" {
		p.lockFile = filepath.Join(c.dir, trust.LockFile)
	}
	for _, text := range refs {
		ref, err := artifact.ParseRef(text)
		if err != nil {
			return nil, exit(shipUsage, err)
		}
		entry, err := c.entry(ref, c.dir)
		if err != nil {
			return nil, err
		}
		if entry.ref == "" {
			entry.ref = text
		}
		p.entries = append(p.entries, entry)
	}
	if p.all {
		p.entries = c.entries
	}
	if p.lockFile == "" {
		return p, nil
	}
	if p.lock, err = trust.ReadLock(p.lockFile); errors.Is(err, fs.ErrNotExist) {
		p.lock, err = &trust.Lock{}, nil
	}
	return p, err
}

// run pulls all modules, and only then writes.
func (p *pull) run(cmd *cobra.Command, out *shipOutput) error {
	list, lines := []shipped{}, []string{}
	var last *artifact.Module
	for _, e := range p.entries {
		m, s, err := p.one(cmd, e)
		if err != nil {
			return err
		}
		last = m
		if err := p.note(trust.Locked{
			Ref: s.Ref, Resolved: s.Resolved, Digest: s.Digest, Files: s.Files, Name: s.Name, Version: s.Version, Signers: s.Signers,
		}); err != nil {
			return err
		}
		list, lines = append(list, s), append(lines, fmt.Sprintf("%s: %s %s", s.Ref, s.title(), s.by()))
	}
	if p.file != "" {
		if err := artifact.WriteFile(p.file, last); err != nil {
			return err
		}
	}
	if p.lockFile != "" {
		if p.all {
			p.lock.Keep(refsOf(p.entries))
		}
		if err := p.lock.Write(p.lockFile); err != nil {
			return err
		}
		lines = append(lines, p.lockFile+" is written")
	}
	return out.print(list, strings.Join(lines, "\n"))
}

// note puts a module into the lock. One that is there already may have other files
// beside it here, as the same executable may in two modules of the list.
func (p *pull) note(m trust.Locked) error {
	if p.noted == nil {
		p.noted = map[string]map[string]string{}
	}
	files := p.noted[m.Ref]
	if files == nil {
		files = map[string]string{}
	}
	for name, digest := range m.Files {
		if other, ok := files[name]; ok && other != digest {
			return exit(shipConflict, fmt.Errorf("%s: two modules of that reference have different files %s", m.Ref, name))
		}
		files[name] = digest
	}
	p.noted[m.Ref], m.Files = files, files
	p.lock.Put(m)
	return nil
}

// one resolves, fetches and verifies a module.
func (p *pull) one(cmd *cobra.Command, e pullEntry) (*artifact.Module, shipped, error) {
	ref, err := artifact.ParseRef(e.ref)
	if err != nil {
		return nil, shipped{}, exit(shipInvalid, err)
	}
	resolved, err := p.store.Resolve(cmd.Context(), ref)
	if err != nil {
		return nil, shipped{}, err
	}
	m, err := p.config.verifier.Load(cmd.Context(), p.store, nil, trust.Wanted{Name: e.name, Ref: resolved.String(), Digest: e.digest, Files: e.files}, time.Now())
	if err != nil {
		return nil, shipped{}, err
	}
	s := newShipped(m.Module, m.Signers)
	s.Ref, s.Resolved, s.File = e.ref, resolved.String(), p.file
	return m.Module, s, nil
}

// pullConfig is what matters here of policies.yaml.
type pullConfig struct {
	dir      string // that relative paths start from; "" is the working one
	verifier *trust.Verifier
	entries  []pullEntry
}

// pullEntry is a module there, or what to go back to from one.
type pullEntry struct {
	name, ref, digest string
	files             []artifact.AttachmentRef
	dir               string // from which the files' paths start
}

// besideFrom are the files, as they are seen from the working folder.
func (e pullEntry) besideFrom() []artifact.AttachmentRef {
	files := slices.Clone(e.files)
	for i, f := range files {
		if !filepath.IsAbs(f.Path) {
			files[i].Path = filepath.Join(e.dir, f.Path)
		}
	}
	return files
}

// readPullConfig reads policies.yaml; "" is a configuration without anything.
func readPullConfig(path string) (*pullConfig, error) {
	list := &roster.Roster{}
	if path != "" {
		var err error
		if list, err = roster.Read(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("--config: %w", err)
		} else if err != nil {
			return nil, exit(shipInvalid, fmt.Errorf("--config: %w", err))
		}
	}
	c := &pullConfig{dir: list.Dir}
	for _, m := range list.Modules {
		c.entries = append(c.entries, pullEntry{m.Name, m.Ref.Ref, m.Digest, m.Files, c.dir})
		if m.Rollback.Ref != "" {
			c.entries = append(c.entries, pullEntry{m.Name, m.Rollback.Ref, m.Rollback.Digest, nil, c.dir})
		}
	}
	var err error
	if c.verifier, err = list.Trust.Compile(c.dir); err != nil {
		return nil, exit(shipInvalid, fmt.Errorf("--config: %s: %w", path, err))
	}
	return c, nil
}

// entry is what the configuration says of a reference, whose path starts from dir;
// the zero value for nothing.
func (c *pullConfig) entry(ref artifact.Ref, dir string) (pullEntry, error) {
	place, err := ref.In(dir)
	if err != nil {
		return pullEntry{}, err
	}
	for _, e := range c.entries {
		listed, err := artifact.ParseRef(e.ref)
		if err != nil {
			return pullEntry{}, exit(shipInvalid, err)
		}
		if listed, err = listed.In(c.dir); err != nil {
			return pullEntry{}, err
		} else if listed == place {
			return e, nil
		}
	}
	return pullEntry{}, nil
}

func refsOf(entries []pullEntry) []string {
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.ref
	}
	return list
}
