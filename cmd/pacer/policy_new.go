package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/policy/author"
	"github.com/pacer-run/pacer/sdk/manifest"
)

func policyNewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "new DIR",
		Short: "Begin a policy module",
		Long: `Writes a project into DIR: the source of a small policy that works, its vectors, the
manifest as policy.yaml, and the SDK of the language, so that it builds without a
network. What comes next:

  cd DIR
  pacer policy build
  pacer policy test`,
	}
	lang := cmd.Flags().String("lang", "go", "language: "+strings.Join(author.Languages(), ", "))
	kindName := cmd.Flags().String("kind", "constraint", "kind of policy: constraint, fetch, upgrade, health or admission")
	name := cmd.Flags().String("name", "", "name of the module (default: that of the folder)")
	return shipCommand(cmd, 1, 1, func(_ *cobra.Command, args []string, out *shipOutput) error {
		kind, err := author.KindNamed(*kindName)
		if err != nil {
			return misuse("--kind: %w", err)
		}
		files, err := author.New(author.Scaffold{Dir: args[0], Lang: *lang, Kind: kind, Name: *name})
		if err != nil {
			return newFailed(err)
		}
		return out.print(map[string]any{"dir": args[0], "files": files},
			fmt.Sprintf("%s: %s\nnext: cd %s, then pacer policy build and pacer policy test", args[0], strings.Join(files, " "), author.ShellWord(args[0])))
	})
}

// newFailed gives the reason why a project could not be begun its exit code.
func newFailed(err error) error {
	if errors.Is(err, author.ErrNotEmpty) {
		return exit(shipConflict, err)
	}
	if _, disk := errors.AsType[*fs.PathError](err); disk {
		return err
	}
	return misuse("%w", err)
}

func policyBuildCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Build a policy module",
		Long: `Runs the build line of policy.yaml in DIR (default: here) with a shell, or the one
that goes with the files there, and puts the manifest into the module that it made.
What the tool chain prints goes to the standard error.`,
	}
	return shipCommand(cmd, 0, 1, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		project, err := author.OpenProject(folderOf(args))
		if errors.Is(err, fs.ErrNotExist) {
			return exit(shipNotFound, err)
		}
		if err != nil {
			return exit(shipInvalid, err)
		}
		built, err := project.Make(cmd.Context(), cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		return out.print(built, fmt.Sprintf("%s: %s, sha256 %s", built.File, bytesText(built.Size), built.Digest))
	})
}

// folderOf is the argument, or here.
func folderOf(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

func bytesText(n int) string {
	if n < 10_000 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d bytes (%.1f KiB)", n, float64(n)/1024)
}

func policyInspectCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect [FILE|DIR]",
		Short: "Show what a policy module is, without running it",
		Long: `Shows the manifest of a module, what it imports and exports, which grants it needs,
how large it is, how much memory it may use, and its digest.`,
	}
	return shipCommand(cmd, 0, 1, func(_ *cobra.Command, args []string, out *shipOutput) error {
		source, err := openSource(folderOf(args))
		if err != nil {
			return err
		}
		i, err := source.Inspect()
		if err != nil {
			return exit(shipInvalid, err)
		}
		return out.print(i, inspectionText(i))
	})
}

func inspectionText(i *author.Inspection) string {
	rows := [][]string{{"file", i.File}, {"digest", i.Digest}, {"size", bytesText(i.Size)}}
	if m := i.Manifest; m == nil {
		rows = append(rows, []string{"manifest", "none"})
	} else {
		rows = append(rows, []string{"name", m.Name}, []string{"version", m.Version}, []string{"abi", m.ABI})
		for _, kind := range manifest.Kinds() {
			if names := m.Kinds[kind]; len(names) > 0 {
				rows = append(rows, []string{kind, strings.Join(names, ", ")})
			}
		}
		if m.Description != "" {
			rows = append(rows, []string{"description", m.Description})
		}
		if m.License != "" {
			rows = append(rows, []string{"license", m.License})
		}
		if m.Source != "" {
			rows = append(rows, []string{"source", m.Source})
		}
	}
	grants := strings.Join(i.Grants, ", ")
	if grants == "" {
		grants = "none"
	}
	rows = append(rows, []string{"grants", grants}, []string{"memory", fmt.Sprintf("%d to %d pages of 64 KiB", i.MinPages, i.MaxPages)})
	for _, p := range i.Imports {
		rows = append(rows, []string{"import", p.Name + " " + p.Type})
	}
	for _, p := range i.Exports {
		rows = append(rows, []string{"export", p.Name + " " + p.Type})
	}
	return table(rows)
}

func policyCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [FILE|DIR]",
		Short: "Tell what a host would say of a policy module",
		Long: `Does with a module all that a host does until it is used: reads its manifest, checks
its imports and exports, meters and compiles it, starts it and has it describe
itself. The grants that its manifest lists count as given.`,
	}
	flags := addModuleFlags(cmd)
	return shipCommand(cmd, 0, 1, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		source, err := openSource(folderOf(args))
		if err != nil {
			return err
		}
		o, err := flags.options(cmd)
		if err != nil {
			return err
		}
		checkup := source.Check(cmd.Context(), o)
		rows := [][]string{}
		for _, f := range checkup.Findings {
			mark := "ok"
			if !f.OK {
				mark = "WRONG"
			}
			for line := range strings.Lines(f.Text) {
				rows = append(rows, []string{mark, f.Stage, strings.TrimRight(line, "\n")})
				mark, f.Stage = "", "" // of the first line
			}
		}
		if err := out.print(checkup, table(rows)); err != nil {
			return err
		}
		if !checkup.OK {
			return exit(shipInvalid, fmt.Errorf("%s: a host would refuse it", checkup.File))
		}
		return nil
	})
}
