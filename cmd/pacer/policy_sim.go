package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/policy/author"
)

func policySimCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sim MODULE SCRIPT",
		Short: "Simulate whole upgrades",
		Long: `Runs the upgrades of a script with a strategy of a module, or of Pacer itself: MODULE
is a file, a folder, or builtin. There is no clock in it: the same script gives the
same course. A script is commands, each with what is expected to come of it below a
line of dashes, or none:

  upgrade n=4 min=0.5 over=0.25 strategy=rolling PACER_LABEL=value
  ----
  at least 2 healthy, at most 5 in all
  K2 L1

  deaths 2

run instead of upgrade goes on to the end, as rest does. The events: deaths, healthy,
warms, readies, sickens, fails, falters, recovers, dies, each with a number; promote,
after 10m, at 2026-01-31T09:00:00Z. K is for kills, L for launches. The exit code is 1
when something else came than what is expected.`,
	}
	flags := addModuleFlags(cmd)
	update := cmd.Flags().Bool("update", false, "write what came into the script")
	return shipCommand(cmd, 2, 2, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		text, err := os.ReadFile(args[1])
		if err != nil {
			return err
		}
		if err := author.ParseScript(text, upgradeEnvelope()); err != nil {
			return exit(shipInvalid, fmt.Errorf("%s: %w", args[1], err))
		}
		_, module, end, err := flags.open(cmd, args[0])
		if err != nil {
			return err
		}
		defer end()
		steps, err := author.Simulate(cmd.Context(), module, text, upgradeEnvelope())
		if err != nil {
			return exit(exitFailed, fmt.Errorf("%s: %w", args[1], err))
		}
		if *update {
			return updateScript(out, args[1], text, steps)
		}
		if err := out.print(steps, strings.TrimRight(author.Script(steps), "\n")); err != nil {
			return err
		}
		return exit(exitFailed, author.Differs(steps))
	})
}

// updateScript writes what came into the script.
func updateScript(out *shipOutput, path string, text []byte, steps []author.SimStep) error {
	changed := 0
	for _, s := range steps {
		if s.Got != s.Want {
			changed++
		}
	}
	if err := os.WriteFile(path, author.Rewritten(text, steps), 0o644); err != nil {
		return err
	}
	return out.print(map[string]int{"commands": len(steps), "changed": changed}, fmt.Sprintf("%d of %d commands changed", changed, len(steps)))
}
