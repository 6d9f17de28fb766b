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
			if err := noArgs(cmd, args); err != nil {
				return err
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(authorCommands()...)
	cmd.AddCommand(policyKeygenCommand(), policySignCommand(), policyVerifyCommand(), policyPushCommand(), policyPullCommand())
	return cmd
}
