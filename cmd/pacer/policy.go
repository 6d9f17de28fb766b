package main

import (
	"github.com/spf13/cobra"
)

// policyCommand holds the tools for those who write and ship policy modules.
func policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Work with policy modules",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return misuse("%s: there is no command %q (%s --help shows what there is)", cmd.CommandPath(), args[0], cmd.CommandPath())
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(authorCommands()...)
	cmd.AddCommand(policyKeygenCommand(), policySignCommand(), policyVerifyCommand(), policyPushCommand(), policyPullCommand())
	return cmd
}
