package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/plugins/admission"
	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/plugins/fetchers"
	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/author"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// authorCommands are the tools of those who write policy modules.
func authorCommands() []*cobra.Command {
	return []*cobra.Command{
		policyNewCommand(), policyBuildCommand(), policyInspectCommand(), policyCheckCommand(), policyTestCommand(), policyReplayCommand(),
		policyDiffCommand(), policyBenchCommand(), policyFuzzCommand(), policySimCommand(), policyRecordCommand(),
	}
}

// builtin stands for a module with the policies that are part of Pacer.
const builtin = "builtin"

// builtins are the policies that are part of Pacer.
func builtins() author.Builtins {
	return author.Builtins{
		Constraints: constraints.All(), Fetches: fetchers.All(), Upgrades: upgrades.All(), Healths: health.All(), Admissions: admission.All(),
	}
}

// upgradeEnvelope is the rule of the core, for simulations.
func upgradeEnvelope() author.Envelope {
	return author.Envelope{
		Bounds: func(instances int, minimumHealth, maximumOver float64, resident bool) (minHealthy, maxTotal int) {
			app := &spec.App{Instances: instances, UpgradeStrategy: spec.UpgradeStrategy{MinimumHealthCapacity: minimumHealth, MaximumOverCapacity: maximumOver}}
			if resident {
				app.Container = &spec.Container{Volumes: []spec.Volume{{Persistent: &spec.PersistentVolume{}}}}
			}
			e := deployment.EnvelopeOf(app)
			return e.MinHealthy, e.MaxTotal
		},
		Cut: func(s *sdk.UpgradeState, step *sdk.UpgradeStep) author.Allowed {
			return author.Allowed(deployment.Cut(s, step))
		},
		Excess: deployment.Excess,
	}
}

// moduleFlags are those of commands that run a module.
type moduleFlags struct {
	settings string
	verbose  bool
}

func addModuleFlags(cmd *cobra.Command) *moduleFlags {
	f := &moduleFlags{}
	cmd.Flags().StringVar(&f.settings, "settings", "", "settings for the module: JSON, or @FILE (default: those of its manifest)")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show what the module prints")
	return f
}

// options are how the module is loaded.
func (f *moduleFlags) options(cmd *cobra.Command) (author.LoadOptions, error) {
	o := author.LoadOptions{Settings: f.settings}
	if file, ok := strings.CutPrefix(f.settings, "@"); ok {
		text, err := os.ReadFile(file)
		if err != nil {
			return o, fmt.Errorf("--settings: %w", err)
		}
		if o.Settings = strings.TrimSpace(string(text)); author.CheckSettings(o.Settings) != nil {
			return o, exit(shipInvalid, fmt.Errorf("--settings: %s: %w", file, author.CheckSettings(o.Settings)))
		}
	} else if err := author.CheckSettings(f.settings); err != nil {
		return o, misuse("--settings: %w", err)
	}
	if f.verbose {
		o.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	}
	return o, nil
}

// open loads the module at a path. The last result ends it.
func (f *moduleFlags) open(cmd *cobra.Command, path string) (*author.Source, remote.Module, func(), error) {
	o, err := f.options(cmd)
	if err != nil {
		return nil, nil, nil, err
	}
	if path == builtin {
		return &author.Source{Path: path}, builtins().Module(), func() {}, nil
	}
	source, err := openSource(path)
	if err != nil {
		return nil, nil, nil, err
	}
	module, end, err := source.Load(cmd.Context(), o)
	if err != nil {
		return nil, nil, nil, exit(shipInvalid, err)
	}
	return source, module, end, nil
}

// openSource reads a module. What is there and is no good one has a code of its own.
func openSource(path string) (*author.Source, error) {
	source, err := author.Open(path)
	switch {
	case err == nil:
		return source, nil
	case path == builtin && errors.Is(err, fs.ErrNotExist):
		return nil, misuse("%s: expected a file or a folder; what is part of Pacer has none", path)
	case errors.Is(err, fs.ErrNotExist):
		if ref, noRef := artifact.ParseRef(path); noRef == nil && ref.Place != artifact.File {
			err = fmt.Errorf("%s: expected a file or a folder; pacer policy pull %[1]s --out FILE makes a file of it", path)
		}
		return nil, exit(shipNotFound, err)
	case errors.Is(err, author.ErrNotBuilt) && path != ".":
		return nil, exit(shipNotFound, fmt.Errorf("%w %s", err, author.ShellWord(path)))
	case errors.Is(err, author.ErrNotBuilt):
		return nil, exit(shipNotFound, err)
	}
	return nil, exit(shipInvalid, err)
}

// casesOf reads the vectors of a project, or those that are named.
func casesOf(source *author.Source, files []string) ([]author.Case, error) {
	if len(files) == 0 && source.Dir != "" {
		project, err := author.OpenProject(source.Dir)
		if err != nil {
			return nil, exit(shipInvalid, err)
		}
		if files, err = project.VectorFiles(); err != nil {
			return nil, exit(shipInvalid, err)
		}
	}
	var all []author.Case
	for _, file := range files {
		cases, err := author.ReadCases(file, upgradeEnvelope())
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil {
			return nil, exit(shipInvalid, err)
		}
		all = append(all, cases...)
	}
	return all, nil
}

// againstOf reads --against: builtin, or builtin:NAME, or a module, or one with :NAME
// behind it; nil for "".
func (f *moduleFlags) againstOf(cmd *cobra.Command, text string) (*author.Against, func(), error) {
	if text == "" {
		return nil, func() {}, nil
	}
	path, name := text, ""
	if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.ContainsAny(text[i:], `/\`) {
		path, name = text[:i], text[i+1:]
	}
	_, module, end, err := f.open(cmd, path)
	if err != nil {
		return nil, nil, err
	}
	if name != "" {
		for kind := range remote.Kinds {
			if slices.Contains(remote.Names(module, kind), name) {
				return &author.Against{Module: module, Name: name, Label: text}, end, nil
			}
		}
		end()
		return nil, nil, misuse("--against: %s has nothing called %q", path, name)
	}
	return &author.Against{Module: module, Label: text}, end, nil
}

// table is rows in columns; the first is the head.
func table(rows [][]string) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush() // a builder never fails
	return strings.TrimRight(out.String(), "\n")
}

// counted is a number with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
