package process

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/process"
	"github.com/pacer-run/pacer/sdk/process/protocol"
)

// modules are the modules under test.
func modules() map[string]func() {
	return map[string]func(){
		"zoo":         func() { process.Serve(zooModule()) },
		"generated":   serveGenerated,
		"lane":        serveLane,
		"host":        host,
		"exits":       func() { os.Exit(3) },
		"panics":      func() { panic("no luck") },
		"speaks":      func() { fmt.Println("hello"); process.Serve(zooModule()) },
		"mumbles":     func() { fmt.Print(strings.Repeat("x", 10_000)); select {} },
		"silent":      func() { <-make(chan int) },
		"stubborn":    stubborn,
		"later":       func() { serveVersion(protocol.Version + 1) },
		"unnamed":     func() { m := zooModule(); m.Name = "No Name"; process.Serve(m) },
		"idle":        func() { process.Serve(process.Module{Name: "idle", Version: "1"}) },
		"elsewhere":   func() { handshake("unix", filepath.Join(os.TempDir(), "elsewhere")) },
		"everywhere":  func() { handshake("tcp", "0.0.0.0:1") },
		"unencrypted": unencrypted,
	}
}

// host is no module but one that runs the zoo, in the folder given, until it is killed.
func host() {
	config := Config{Command: []string{os.Args[0], asModule, "zoo"}, Dir: os.Args[3], Limits: patient()}
	m, err := Start(context.Background(), config)
	if err != nil {
		panic(err)
	}
	fmt.Println(m.State().PID)
	<-make(chan int)
}

// stubborn takes no hint to end.
func stubborn() {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
	process.Serve(zooModule())
	<-make(chan int)
}

// serveVersion serves another version of the protocol.
func serveVersion(version int) {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: protocol.CookieKey, MagicCookieValue: protocol.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{version: {protocol.Plugin: nothing{}}},
		GRPCServer:       plugin.DefaultGRPCServer,
	})
}

// nothing is a plugin without calls.
type nothing struct{ connection }

func (nothing) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }

func handshake(network, address string) {
	fmt.Printf("1|%d|%s|%s|grpc|\n", protocol.Version, network, address)
	<-make(chan int)
}

// unencrypted is a module that leaves out the part with the certificates.
func unencrypted() {
	listener, err := net.Listen("unix", filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "s"))
	if err != nil {
		panic(err)
	}
	go func() { _ = grpc.NewServer().Serve(listener) }()
	handshake("unix", listener.Addr().String())
}

func zooModule() process.Module {
	return process.Module{
		Name: "zoo", Version: "1.2.3", Constraint: constraints.Like{}, Fetch: fetchKind{}, Upgrade: upgradeKind{habits: habits()}, Health: healthKind{}, Admission: zoo{},
		Configure: func(settings string) error {
			if settings == "bad" {
				return &sdk.Invalid{Message: "/size: a number expected"}
			}
			return nil
		},
	}
}

// zoo is a policy of many kinds with many habits.
type zoo struct{}

func (zoo) Policies() []string { return []string{"zoo"} }
func (zoo) Rules() []string    { return []string{"zoo"} }
func (zoo) Close()             {}

func (zoo) Strategies() []string {
	var names []string
	for name := range habits() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (zoo) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	if r.User == "nobody" {
		return sdk.AdmissionReview{}, &sdk.Invalid{Message: "no user"}
	}
	return sdk.AdmissionReview{Reason: r.Verb.String(), Amended: r.New, Warnings: []string{r.ID}}, nil
}

// zooFetch, zooHealth and habit are prepared policies.
type zooFetch struct{ zoo }

type zooHealth struct{ zoo }

type habit func(context.Context) sdk.UpgradeStep

func (habit) Close() {}

func (zooFetch) Decide(_ context.Context, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	decisions := make([]sdk.FetchDecision, len(uris))
	for i, uri := range uris {
		decisions[i] = sdk.DenyFetch("not " + uri.URI)
	}
	return decisions, nil
}

func (zooHealth) Judge(_ context.Context, histories []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
	verdicts := make([]sdk.HealthVerdict, len(histories))
	for i, h := range histories {
		verdicts[i] = sdk.HealthVerdict{State: sdk.Unhealthy, Replace: h.Check == 1, Reason: h.LastFailureCause}
	}
	return verdicts, nil
}

func (h habit) Next(ctx context.Context, _ sdk.UpgradeState) (sdk.UpgradeStep, error) {
	return h(ctx), nil
}

// Each kind's Prepare is a method of another type.
type (
	fetchKind   struct{ zoo }
	upgradeKind struct {
		zoo
		habits map[string]habit
	}
	healthKind struct{ zoo }
)

func (fetchKind) Prepare(_ context.Context, f sdk.FetchSpec) (sdk.PreparedFetch, error) {
	if f.Settings == "" {
		return nil, &sdk.Invalid{Message: "settings expected"}
	}
	return zooFetch{}, nil
}

func (k upgradeKind) Prepare(_ context.Context, u sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	return k.habits[u.Strategy], nil
}

func (healthKind) Prepare(context.Context, sdk.HealthSpec) (sdk.PreparedHealth, error) {
	return zooHealth{}, nil
}

// habits are what the upgrade strategies do.
func habits() map[string]habit {
	says := func(text string) sdk.UpgradeStep { return sdk.UpgradeStep{Start: 1, Reason: text} }
	waits, saw, crowd := make(chan bool, 1), make(chan string, 1), &crowd{}
	return map[string]habit{
		"pid":    func(context.Context) sdk.UpgradeStep { return says(strconv.Itoa(os.Getpid())) },
		"env":    func(context.Context) sdk.UpgradeStep { return says(strings.Join(os.Environ(), " ")) },
		"folder": func(context.Context) sdk.UpgradeStep { dir, _ := os.Getwd(); return says(dir) },
		"file": func(context.Context) sdk.UpgradeStep {
			text, err := os.ReadFile("lib/a.txt")
			if err != nil {
				return says(err.Error())
			}
			return says(string(text))
		},
		"limits": func(context.Context) sdk.UpgradeStep { return says(limitsOfSelf()) },
		"sleep":  func(context.Context) sdk.UpgradeStep { <-make(chan int); return says("") },
		"exit":   func(context.Context) sdk.UpgradeStep { os.Exit(7); return says("") },
		"panic":  func(context.Context) sdk.UpgradeStep { panic("no luck") },
		"big":    func(context.Context) sdk.UpgradeStep { return says(strings.Repeat("x", 100<<20)) },
		"flood":  func(context.Context) sdk.UpgradeStep { flood(); return says("") },
		"child":  func(context.Context) sdk.UpgradeStep { return says(offspring(&syscall.SysProcAttr{})) },
		"wait": func(ctx context.Context) sdk.UpgradeStep {
			waits <- true
			<-ctx.Done()
			_, limited := ctx.Deadline()
			saw <- fmt.Sprint(ctx.Err(), map[bool]string{true: ", had a deadline"}[limited])
			return says("")
		},
		"waits":    func(context.Context) sdk.UpgradeStep { return says(fmt.Sprint(<-waits)) },
		"waited":   func(context.Context) sdk.UpgradeStep { return says(<-saw) },
		"together": func(context.Context) sdk.UpgradeStep { crowd.join(3 * idleLanes); return says("") },
		"orphan":   func(context.Context) sdk.UpgradeStep { return says(offspring(&syscall.SysProcAttr{Setsid: true})) },
	}
}

// crowd waits for the others.
type crowd struct {
	mu   sync.Mutex
	n    int
	full chan struct{}
}

// join returns when so many have joined.
func (c *crowd) join(all int) {
	c.mu.Lock()
	if c.full == nil {
		c.full = make(chan struct{})
	}
	full := c.full
	if c.n++; c.n == all {
		close(full)
	}
	c.mu.Unlock()
	<-full
}

// flood writes to every stream there is, for ever.
func flood() {
	for _, out := range []*os.File{os.Stdout, os.Stderr, os.NewFile(1, "stdout"), os.NewFile(2, "stderr")} {
		for range 2 {
			go func() {
				for i := 0; ; i++ {
					fmt.Fprintln(out, "flood", i, strings.Repeat("~", i%2000))
				}
			}()
		}
	}
}

// offspring leaves a process behind that holds on to our output. It returns its id.
func offspring(how *syscall.SysProcAttr) string {
	cmd := exec.Command("/bin/sleep", "3600")
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = os.NewFile(1, "stdout"), os.NewFile(2, "stderr"), how
	if err := cmd.Start(); err != nil {
		return err.Error()
	}
	return strconv.Itoa(cmd.Process.Pid)
}

// limitsOfSelf are the limits of this process as the kernel tells them.
func limitsOfSelf() string {
	text, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		return err.Error()
	}
	var some []string
	for row := range strings.Lines(string(text)) {
		for _, name := range []string{"Max core file size", "Max open files", "Max data size"} {
			if rest, ok := strings.CutPrefix(row, name); ok {
				some = append(some, name+" "+strings.Fields(rest)[1])
			}
		}
	}
	return strings.Join(some, ", ")
}
