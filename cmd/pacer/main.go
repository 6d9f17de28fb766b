// Command pacer is the whole of Pacer: the server, a cluster for one machine, and
// the tools around them.
//
//	pacer dev      everything on this machine, in one process
//	pacer serve    the server, beside a Mesos cluster and ZooKeeper
//	pacer cluster  the embedded cluster as a process of its own
//	pacer store    looks into the stored state
//	pacer policy   ships policy modules
//
// This package is the wiring: which part gets which other is code here, and
// nothing else is.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/cluster"
)

func main() {
	// The executor of a task is this binary, too. It must not load anything: there
	// is one such process per task, and it outlives the server.
	if len(os.Args) > 1 && os.Args[1] == executorCommand {
		os.Exit(cluster.ExecutorMain(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, shell{os.Args[1:], os.Environ(), os.Stdout, os.Stderr}))
}

// executorCommand is the hidden subcommand that runs one task.
const executorCommand = "executor"

// shell is what surrounds a command.
type shell struct {
	args           []string
	environ        []string
	stdout, stderr io.Writer
}

// run carries out a command line until it is done or ctx ends, and returns the
// exit code.
func run(ctx context.Context, sh shell) int {
	root := &cobra.Command{
		Use:           "pacer",
		Short:         "Pacer keeps services running on a Mesos cluster",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetArgs(sh.args)
	root.SetOut(sh.stdout)
	root.SetErr(sh.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return badFlag("%w (%s --help shows what there is)", err, cmd.CommandPath())
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(devCommand(sh), serveCommand(sh), clusterCommand(sh), storeCommand(sh), policyCommand(), versionCommand(sh))
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintf(sh.stderr, "pacer: %v\n", err)
	}
	return codeOf(err)
}

// noArgs refuses words after the flags.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return badFlag("%s: unexpected argument %q", cmd.CommandPath(), args[0])
	}
	return nil
}
