package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/cluster"
	"github.com/pacer-run/pacer/runtime/zookeeper"
)

// clusterFlags are those of `pacer cluster`.
type clusterFlags struct {
	agents     int
	attributes []string
	listen     string
	hostname   string
	zk         string
	dataDir    string
	drill      drill
	logLevel   string
}

func clusterCommand(sh shell) *cobra.Command {
	var f clusterFlags
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Run the embedded cluster as a process of its own",
		Long: `Runs a Mesos-compatible master with agents that are shares of this machine. With
--zk it announces itself there as a Mesos master does, so that any framework
finds it. Tasks run under executors of their own: they outlive this process, and
the next one with the same --data-dir takes them over.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCluster(cmd.Context(), sh, f) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.agents, "agents", 3, "number of agents")
	flags.StringArrayVar(&f.attributes, "attributes", nil, "attributes as name:value;name:value, once for all agents or once for each")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:5050", "address of the master; port 0 takes a free one")
	flags.StringVar(&f.hostname, "hostname", "", "name of the master as announced; default: its address")
	flags.StringVar(&f.zk, "zk", "", "where to announce the master: zk://host1:port1,host2:port2/mesos; default: nowhere")
	flags.StringVar(&f.dataDir, "data-dir", defaultDataDir(sh.environ, "cluster"), "folder of sandboxes and of what agents remember")
	f.drill.register(flags)
	flags.StringVar(&f.logLevel, "log-level", "info", levelNames)
	return cmd
}

// runCluster runs until ctx ends.
func runCluster(ctx context.Context, sh shell, f clusterFlags) error {
	log, err := newLog(sh.stderr, f.logLevel)
	if err != nil {
		return err
	}
	workDir, err := ensureDir("data-dir", f.dataDir)
	if err != nil {
		return err
	}
	agents, err := agentConfigs(f.agents, workDir, f.attributes)
	if err != nil {
		return err
	}
	if host, _, err := net.SplitHostPort(f.listen); err != nil || !net.ParseIP(host).IsLoopback() {
		for i := range agents {
			agents[i].Hostname = "" // the master's: loopback names mean nothing to other machines
		}
	}
	cfg := cluster.Config{
		Listen: f.listen, Hostname: f.hostname, WorkDir: filepath.Join(workDir, "agents"), Agents: agents,
		ExecutorCommand: executor(), Fetch: fetching(sh.environ), AgentPingTimeout: f.drill.pingTimeout, Log: log,
	}
	if f.zk != "" {
		conn, path, err := dialZooKeeper("zk", f.zk, zookeeper.Options{Log: log})
		if err != nil {
			return err
		}
		defer conn.Close()
		registration := zookeeper.NewRegistration(conn, path, log)
		defer registration.Close()
		cfg.Register = registration
	}
	c, err := cluster.Start(ctx, cfg)
	if err != nil {
		return err
	}
	defer c.Close()
	end, err := f.drill.serve(sh.stdout, c)
	if err != nil {
		return err
	}
	defer end()
	fmt.Fprintf(sh.stdout, "The cluster is ready: master %s, %d agents, data in %s\n", c.Addr(), f.agents, workDir)
	if f.zk != "" {
		fmt.Fprintf(sh.stdout, "Announced in ZooKeeper; use it with  pacer serve --master %s\n", maskedURL(f.zk))
	}
	<-ctx.Done()
	log.Info("stopping; tasks run on")
	return nil
}

// dialZooKeeper connects to the servers of a URL and returns its path. Nothing
// has been reached yet when it returns.
func dialZooKeeper(flag, text string, o zookeeper.Options) (*zookeeper.Conn, string, error) {
	url, err := zookeeper.ParseURL(text)
	if err != nil {
		return nil, "", badFlag("--%s: %w", flag, err)
	}
	conn, err := zookeeper.Dial(url, o)
	if err != nil {
		return nil, "", exit(exitZooKeeper, err)
	}
	return conn, url.Path(), nil
}

// maskedURL is a zk:// URL without its password.
func maskedURL(text string) string {
	url, err := zookeeper.ParseURL(text)
	if err != nil {
		return "zk://…"
	}
	return url.String()
}
