package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/election"
	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/store"
	"github.com/pacer-run/pacer/runtime/zookeeper"
)

func serveCommand(sh shell) *cobra.Command {
	table := serveOptions()
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server beside a Mesos cluster and ZooKeeper",
		Long: `Runs Pacer with the command line of Marathon 1.11. Options are written with
underscores or dashes, or as environment variables PACER_X and MARATHON_X; a flag
wins. Options of Marathon that this version does not support are refused, those
that have nothing to act on are taken with a warning. A leader that loses its
leadership exits with 103: run it under a supervisor, as Marathon.`,
		Args: noArgs,
	}
	addOptions(cmd.Flags(), table)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		v, warnings, err := readOptions(cmd.Flags(), table, sh.environ)
		if err != nil {
			return exit(exitFlag, err)
		}
		cfg, more, err := configOf(v, sh)
		if err != nil {
			return exit(exitFlag, err)
		}
		for _, w := range append(warnings, more...) {
			cfg.log.Warn(w)
		}
		return serve(cmd.Context(), v, cfg)
	}
	return cmd
}

// serve runs until ctx ends or this server's leadership does.
func serve(ctx context.Context, v *values, cfg nodeConfig) error {
	policies, err := loadPolicies(ctx, policyConfig{
		dir: v.text("policy_dir"), cacheDir: v.text("policy_cache"), file: v.text("policy_config"), fetching: v.text("fetch_policies"),
		admission: v.text("admission_policies"),
		enforced:  v.on("fetch_enforced"),
	}, cfg.logOf(logPolicy))
	if err != nil {
		return err
	}
	defer policies.close()
	cfg.policies = policies

	options := zookeeper.Options{SessionTimeout: v.millis("zk_session_timeout"), Log: cfg.logOf(logZooKeeper)}
	conn, path, err := dialZooKeeper("zk", v.text("zk"), options)
	if err != nil {
		return err
	}
	defer conn.Close()
	var closeDetector func()
	if cfg.detector, closeDetector, err = detectorOf(v.text("master"), options); err != nil {
		return err
	}
	defer closeDetector()

	on, err := listenAll(v)
	if err != nil {
		return err
	}
	defer on.close()
	cfg.listener, cfg.listeners, cfg.scheme = on.advertised, on.all, on.scheme
	cfg.transport = proxyTransport(v, on.identity)
	address := advertised(cfg.hostname, cfg.listener)
	if cfg.framework.WebUIURL == "" {
		cfg.framework.WebUIURL = cfg.scheme + "://" + address
	}
	if err := awaitZooKeeper(ctx, conn, cfg.log); err != nil {
		return err
	}
	cfg.store = store.OpenZooKeeper(conn, zookeeper.Join(path, stateNode))
	defer cfg.store.Close()
	var candidate candidacy = election.NewAlways(address)
	if v.on("ha") {
		queue := election.NewCandidate(conn, path, address, cfg.logOf(logElection))
		defer queue.Close()
		candidate = queue
	}
	return newNode(cfg, candidate).run(ctx)
}

// awaitZooKeeper waits for the first connection, for ever: a server may be
// started before its ZooKeeper. It says what it waits for.
func awaitZooKeeper(ctx context.Context, conn *zookeeper.Conn, log *slog.Logger) error {
	for {
		waiting, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := conn.Await(waiting)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		log.Warn("waiting for ZooKeeper", "error", err)
	}
}

// detectorOf finds the leading Mesos master the way --master says. The returned
// function releases it.
func detectorOf(text string, o zookeeper.Options) (master.Detector, func(), error) {
	if !strings.HasPrefix(text, "zk://") {
		return master.Fixed(text), func() {}, nil
	}
	conn, path, err := dialZooKeeper("master", text, o)
	if err != nil {
		return nil, nil, err
	}
	return inZooKeeper{zookeeper.NewDetector(conn, path, o.Log)}, conn.Close, nil
}

// maskedMaster is --master without a password.
func maskedMaster(text string) string {
	if strings.HasPrefix(text, "zk://") {
		return maskedURL(text)
	}
	return text
}

// inZooKeeper detects masters that announce themselves in ZooKeeper.
type inZooKeeper struct{ *zookeeper.Detector }

// Detect calls changed with the address of each leader, "" for none.
func (d inZooKeeper) Detect(ctx context.Context, changed func(leader string)) error {
	return d.Watch(ctx, func(m zookeeper.Master) { changed(m.Address) })
}
