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
			return os.WriteFile(args[1], author.Rewritten(text, steps), 0o644)
		}
		if err := out.print(steps, strings.TrimRight(author.Script(steps), "\n")); err != nil {
			return err
		}
		return exit(exitFailed, author.Differs(steps))
	})
}
