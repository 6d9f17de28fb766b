package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/cluster"
	"github.com/pacer-run/pacer/runtime/election"
	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/store"
)

// devFlags are those of `pacer dev`.
type devFlags struct {
	agents      int
	attributes  []string
	httpAddress string
	httpPort    int
	dataDir     string
	policyDir   string
	policyFile  string
	fetching    string
	admission   string
	drill       drill
	logLevel    string
}

func devCommand(sh shell) *cobra.Command {
	var f devFlags
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine",
		Long: `Runs an embedded cluster, a store and the server in one process. Tasks are
processes of this machine under executors of their own: they run on when this
command ends, in whatever way, and the next one with the same --data-dir takes
them over. To stop a task, scale its app to 0 or delete the app.

Nothing holds a task to its cpus, memory or disk here: they only decide what fits.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return dev(cmd.Context(), sh, f) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.agents, "agents", 3, "number of agents, each a share of this machine with the attribute rack_id:rack-1, rack-2, …")
	flags.StringArrayVar(&f.attributes, "attributes", nil, "attributes as name:value;name:value, once for all agents or once for each")
	flags.StringVar(&f.httpAddress, "http-address", "127.0.0.1", "address of the API; there is no authentication")
	flags.IntVar(&f.httpPort, "http-port", 8080, "port of the API; 0 takes a free one")
	flags.StringVar(&f.dataDir, "data-dir", defaultDataDir(sh.environ, "dev"), "folder of the state and of the sandboxes")
	flags.StringVar(&f.policyFile, "policy-config", "", "file that lists policy modules (policies.yaml)")
	flags.StringVar(&f.policyDir, "policy-dir", "", "folder of policy modules (*.wasm)")
	flags.StringVar(&f.admission, "admission-policies", "", "policies that review changes of apps and groups, in order, as name or name:settings")
	flags.StringVar(&f.fetching, "fetch-policies", defaultFetchPolicies, "policies that decide what apps fetch, in order, as name or name:settings")
	f.drill.register(flags)
	flags.StringVar(&f.logLevel, "log-level", "warn", levelNames)
	return cmd
}

// allocation is how soon the embedded cluster offers what has become free. Mesos
// takes a second; on one machine nothing is won by waiting.
const allocation = 100 * time.Millisecond

// devPrincipal is who reserves resources on the embedded cluster, which asks
// nobody for a secret.
const devPrincipal = "pacer"

// dev runs until ctx ends.
func dev(ctx context.Context, sh shell, f devFlags) error {
	levels, err := newLevels(sh.stderr, f.logLevel)
	if err != nil {
		return err
	}
	log := levels.logger(logRoot)
	dataDir, err := ensureDir("data-dir", f.dataDir)
	if err != nil {
		return err
	}
	agents, err := agentConfigs(f.agents, dataDir, f.attributes)
	if err != nil {
		return err
	}
	bolt, err := store.OpenBolt(filepath.Join(dataDir, stateFile))
	if err != nil {
		return err
	}
	defer bolt.Close()
	listener, err := listen("--http-port", f.httpAddress, f.httpPort)
	if err != nil {
		return err
	}
	defer listener.Close()
	policies, err := loadPolicies(ctx, policyConfig{
		dir: f.policyDir, file: f.policyFile, cacheDir: filepath.Join(dataDir, "policy-cache"), fetching: f.fetching, admission: f.admission,
		enforced: true,
	}, levels.logger(logPolicy))
	if err != nil {
		return err
	}
	defer policies.close()
	c, err := cluster.Start(ctx, cluster.Config{
		WorkDir: filepath.Join(dataDir, "agents"), Agents: agents, ExecutorCommand: executor(),
		AllocationInterval: allocation, AgentPingTimeout: f.drill.pingTimeout, Fetch: fetching(sh.environ), Log: log,
	})
	if err != nil {
		return err
	}
	defer c.Close()
	end, err := f.drill.serve(sh.stdout, c)
	if err != nil {
		return err
	}
	defer end()

	cfg := devNode(f, listener, c.Addr())
	cfg.log, cfg.levels, cfg.store, cfg.policies = log, levels, bolt, policies
	address := advertised(cfg.hostname, listener)
	var once sync.Once
	cfg.registered = func() { once.Do(func() { greet(sh, f, address, dataDir, policies) }) }
	return newNode(cfg, election.NewAlways(address)).run(ctx)
}

// devNode is the server of one machine, beside the master at that address. What
// dev has no flag for is as the options of `pacer serve` have it by default.
func devNode(f devFlags, listener net.Listener, masterAddress string) nodeConfig {
	defaults := defaultOptions()
	core := coreOf(defaults)
	core.ReviveInterval, core.Principal = devRevive, devPrincipal
	cfg := nodeConfig{
		detector: master.Fixed(masterAddress),
		framework: master.Framework{
			Name: "pacer", User: currentUser(), Hostname: f.httpAddress, WebUIURL: "http://" + advertised(f.httpAddress, listener),
			Principal: devPrincipal, Roles: []string{"*"}, Checkpoint: true, FailoverTimeout: 7 * 24 * time.Hour,
		},
		core:         core,
		matcher:      placement.Matcher{Spread: true},
		matchTimeout: defaults.millis("offer_matching_timeout"),
		listener:     listener,
		hostname:     f.httpAddress,
		http:         api.HTTPOptions{Compress: true},
	}
	cfg.info = devInfo(cfg, masterAddress)
	cfg.options = cfg.info.Marathon
	return cfg
}

// devInfo is what /v2/info shows of the settings of `pacer dev`. Those that it
// does not have, such as a limit of instances per offer, show as null.
func devInfo(cfg nodeConfig, masterAddress string) api.Info {
	millis := func(d time.Duration) int { return int(d.Milliseconds()) }
	info := baseInfo("marathon")
	info.Marathon = map[string]any{
		"checkpoint": cfg.framework.Checkpoint, "executor": "//cmd", "failover_timeout": int(cfg.framework.FailoverTimeout.Seconds()),
		"features": []string{}, "framework_name": cfg.framework.Name, "ha": false, "hostname": cfg.hostname,
		"master": masterAddress, "mesos_role": cfg.framework.Roles[0], "mesos_user": cfg.framework.User,
		"webui_url": cfg.framework.WebUIURL, "maintenance_mode": true,
		"decline_offer_duration":       millis(cfg.core.DeclineFor),
		"local_port_min":               cfg.core.FirstPort,
		"local_port_max":               cfg.core.LastPort,
		"min_revive_offers_interval":   millis(cfg.core.ReviveInterval),
		"offer_matching_timeout":       millis(cfg.matchTimeout),
		"reconciliation_initial_delay": millis(cfg.core.ReconcileRound),
		"reconciliation_interval":      millis(cfg.core.ReconcileEvery),
		"task_launch_confirm_timeout":  millis(cfg.core.ConfirmTimeout),
		"task_launch_timeout":          millis(cfg.core.LaunchTimeout),
	}
	info.HTTP = map[string]any{"http_port": cfg.listener.Addr().(*net.TCPAddr).Port}
	return info
}

// devRevive is how often offers may be asked for at the most: the master is a
// part of this process.
const devRevive = 200 * time.Millisecond

// greet says where to look, and what to try.
func greet(sh shell, f devFlags, address, dataDir string, p *policies) {
	fmt.Fprintf(sh.stdout, `Pacer %s is ready.
  API        http://%s/v2/apps
  agents     %d, shares of this machine
  data       %s
  policies   %s
Try it:
  curl -X POST http://%s/v2/apps -H 'Content-type: application/json' -d '{"id": "/hello", "cmd": "while true; do echo hello; sleep 5; done", "cpus": 0.1, "mem": 32, "instances": 1}'
Ctrl-C stops Pacer. Tasks run on; the next start takes them over.
`, version, address, f.agents, dataDir, p.summary(), address)
}
