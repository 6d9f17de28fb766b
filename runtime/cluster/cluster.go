package cluster

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/executor"
)

// Cluster is a running cluster. Its methods may be called from any goroutine.
type Cluster struct {
	cfg      Config
	listener net.Listener
	server   *http.Server
	stopping chan struct{}   // closed by Close
	life     context.Context //nolint:containedctx // ends with stopping
	endLife  context.CancelFunc
	withdraw context.CancelFunc // ends the present master's announcement; the loop's

	workLock   *os.File       // keeps other clusters off the work dir; nil for fake ones
	background sync.WaitGroup // everything but the loop and the server
	closing    sync.Once

	// What follows belongs to the loop.
	loop   *loop
	master *master
	faults *faults
	hosts  []*host
}

// Start starts a cluster: when it returns, the master answers and all agents are registered, with the tasks that an
// earlier cluster left in the same work dir. ctx only bounds the start itself; Close ends the cluster.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Cluster{cfg: cfg, loop: newLoop(), faults: &faults{}, stopping: make(chan struct{})}
	c.life, c.endLife = context.WithCancel(context.Background())
	c.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	if err := c.addHosts(); err != nil {
		close(c.stopping)
		c.endLife()
		c.loop.abandon()
		c.background.Wait()
		c.unlockWorkDir()
		return nil, fmt.Errorf("cluster: %w", joinClose(err, c.listener))
	}
	c.master = c.newMaster(uuid.NewString())
	for _, h := range c.hosts {
		c.master.register(h)
	}
	c.announce(c.master.id)
	go c.loop.run()
	c.server = &http.Server{
		Handler: c.routes(), ReadHeaderTimeout: 30 * time.Second,
		ErrorLog: log.New(slogWriter{cfg.Log}, "", 0),
	}
	c.background.Go(func() { _ = c.server.Serve(c.listener) })
	if cfg.Executor == Process {
		c.background.Go(c.collectGarbage)
	}
	return c, nil
}

// joinClose gives up what was opened on the way to an error.
func joinClose(err error, c io.Closer) error {
	_ = c.Close() // the first error is the one to tell
	return err
}

// addHosts makes the agents and reads back what they knew. The loop does not run yet, so its state may be touched.
func (c *Cluster) addHosts() error {
	if c.cfg.Executor == Fake {
		return c.addEach(newFakes(c.cfg.Act), func(*host) error { return nil })
	}
	if err := c.lockWorkDir(); err != nil {
		return err
	}
	procs, err := newProcesses(c)
	if err != nil {
		return err
	}
	procs.openDocker()
	if err := c.addEach(procs, procs.recoverHost); err != nil {
		return err
	}
	procs.removeStrayContainers()
	return procs.endStrays()
}

// addEach makes the configured agents.
func (c *Cluster) addEach(runner runner, recover func(*host) error) error {
	for i, a := range c.cfg.Agents {
		spec, err := a.parse(c.ip())
		if err != nil {
			return fmt.Errorf("agent %d: %w", i+1, err)
		}
		h, err := c.newHost(i, spec, runner)
		if err != nil {
			return fmt.Errorf("agent %d: %w", i+1, err)
		}
		if err := recover(h); err != nil {
			return fmt.Errorf("agent %d: recovery from %s: %w", i+1, h.dir, err)
		}
		c.hosts = append(c.hosts, h)
	}
	return nil
}

// newHost makes an agent whose place in the configuration is index, from 0. Its folder goes by the place, not by the host
// name: several agents of one machine may well have the same.
func (c *Cluster) newHost(index int, spec hostSpec, runner runner) (*host, error) {
	ip, port := c.ip(), c.listener.Addr().(*net.TCPAddr).Port
	name := fmt.Sprintf("slave(%d)", index+1)
	path := "/" + name
	h := &host{
		loop: c.loop, cfg: &c.cfg, spec: spec, runner: runner, runs: map[taskKey]*run{},
		attributes: attributesProto(spec.attributes), pid: name + "@" + net.JoinHostPort(ip, itoa(port)),
		url: &mesos.URL{Scheme: "http", Path: &path, Address: mesos.Address{Hostname: &spec.hostname, IP: &ip, Port: int32(port)}},
	}
	if c.cfg.Executor == Fake {
		return h, nil
	}
	var err error
	h.dir, err = filepath.Abs(filepath.Join(c.cfg.WorkDir, fmt.Sprintf("agent-%d", index+1)))
	return h, err
}

// lockWorkDir makes sure that no other cluster uses the work dir: two would run each other's tasks.
func (c *Cluster) lockWorkDir() error {
	f, err := os.OpenFile(filepath.Join(c.cfg.WorkDir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("work dir: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return joinClose(fmt.Errorf("work dir %s is in use by another cluster: %w", c.cfg.WorkDir, err), f)
	}
	c.workLock = f
	return nil
}

func (c *Cluster) unlockWorkDir() {
	if c.workLock != nil {
		_ = c.workLock.Close() // the lock goes with the descriptor
	}
}

func (c *Cluster) newMaster(id string) *master {
	return newMaster(c.loop, &c.cfg, c.faults, c.masterInfo(id))
}

// Addr is the host:port of the master.
func (c *Cluster) Addr() string { return c.listener.Addr().String() }

// MasterID is the id of the present master; it changes with every start and failover.
func (c *Cluster) MasterID() string {
	id := ""
	c.loop.do(func() { id = c.master.id })
	return id
}

// Close ends the master and the agents and returns when they are gone. Processes of tasks run on; the next cluster with
// the same work dir takes them up again. Fake tasks are gone.
func (c *Cluster) Close() {
	c.closing.Do(func() {
		c.loop.do(c.retire)
		close(c.stopping)
		c.endLife()
		_ = c.server.Close() // connections are broken on purpose
		c.loop.stop()
		c.background.Wait()
		c.unlockWorkDir()
		for _, h := range c.hosts {
			for _, r := range h.runs {
				r.log.close()
			}
		}
	})
}

// retire ends what the loop has going on in the background.
func (c *Cluster) retire() {
	c.master.retire()
	if c.withdraw != nil {
		c.withdraw()
	}
	for _, h := range c.hosts {
		for _, r := range h.runs {
			r.stopProbes()
		}
	}
}

// ExecutorMain is the body of an executor process: a program that embeds a cluster calls it with the arguments that
// follow Config.ExecutorCommand, before it does anything else, and exits with its result.
func ExecutorMain(args []string) int { return executor.Main(args) }

// ip is the address tasks and agents are reached at.
func (c *Cluster) ip() string {
	addr := c.listener.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return "127.0.0.1"
	}
	return addr.IP.String()
}

func (c *Cluster) hostname() string {
	if c.cfg.Hostname != "" {
		return c.cfg.Hostname
	}
	return c.ip()
}

// slogWriter passes the HTTP server's own messages on.
type slogWriter struct{ log *slog.Logger }

// Write is part of io.Writer.
func (w slogWriter) Write(p []byte) (int, error) {
	w.log.Debug("cluster: http", "message", string(p))
	return len(p), nil
}
