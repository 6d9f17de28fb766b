package driver_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/runtime/store"
	"github.com/pacer-run/pacer/sdk"
)

// boltTerm is a term of a real store in the driver's words. It remembers the keys
// that are durable.
type boltTerm struct {
	store.Term
	saved map[string]bool // of the loop's goroutine, as Commit and Send are
}

func (t boltTerm) Load(ctx context.Context, yield func(scheduler.Record) error) error {
	return t.Term.Load(ctx, func(key string, value []byte) error {
		return yield(scheduler.Record{Key: key, Value: slices.Clone(value)})
	})
}

func (t boltTerm) Commit(ctx context.Context, records []scheduler.Record) error {
	changes := make([]store.Change, len(records))
	for i, r := range records {
		changes[i] = store.Change(r)
	}
	if err := t.Term.Commit(ctx, changes); err != nil {
		return err
	}
	for _, r := range records {
		t.saved[r.Key] = true
	}
	return nil
}

// prompt is a Mesos master with agents that do at once what they are told.
type prompt struct {
	driver *driver.Driver
	agents int
	saved  map[string]bool // keys of durable records
	rash   int             // launches before their record was durable
	uuid   uint64
	queue  chan scheduler.Event
}

// serve posts what the master has to say, in order.
func (p *prompt) serve(ctx context.Context) {
	for {
		select {
		case ev := <-p.queue:
			p.driver.Post(ev)
		case <-ctx.Done():
			return
		}
	}
}

func (p *prompt) Send(_ context.Context, calls []scheduler.Call) {
	for _, call := range calls {
		switch c := call.(type) {
		case scheduler.Revive:
			p.queue <- scheduler.Offers{Offers: offersOf(p.agents)}
		case scheduler.Accept:
			for _, task := range c.Tasks {
				p.run(c, task.ID)
			}
		}
	}
}

func (p *prompt) run(c scheduler.Accept, taskID string) {
	if _, id, _, err := scheduler.ParseTaskID(taskID); err != nil || !p.saved["instance/"+id.String()] {
		p.rash++
	}
	p.uuid++
	status := scheduler.Status{TaskID: taskID, AgentID: c.Offer.Agent.ID, State: scheduler.TaskRunning}
	binary.BigEndian.PutUint64(status.UUID[8:], p.uuid)
	p.queue <- scheduler.StatusUpdate{Status: status}
}

// offersOf are offers of n agents with room for a hundred small tasks each.
func offersOf(n int) []*placement.Offer {
	offers := make([]*placement.Offer, n)
	for i := range offers {
		name := fmt.Sprintf("agent-%d", i)
		offers[i] = &placement.Offer{
			ID: "offer-" + name, Role: "*",
			Agent:  &placement.Agent{ID: name, Hostname: name + ".example.org", IP: "10.0.0.1", Port: 5051},
			Shares: []placement.Share{{Scalars: [4]placement.Milli{100_000, 100_000_000, 100_000_000, 0}}},
		}
	}
	return offers
}

// noPolicies is a catalog for apps without constraints.
type noPolicies struct{}

func (noPolicies) Prepare(context.Context, sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return nil, &sdk.Invalid{Message: "no policies here"}
}

func (noPolicies) PrepareUpgrade(context.Context, sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	return nil, &sdk.Invalid{Message: "no policies here"}
}

func (noPolicies) PrepareHealth(context.Context, sdk.HealthSpec) (sdk.PreparedHealth, error) {
	return nil, &sdk.Invalid{Message: "no policies here"}
}

// ends is a bus that tells when deployments have ended.
type ends chan struct{}

func (e ends) Publish(notices []scheduler.Notice) {
	for _, n := range notices {
		if _, ok := n.(scheduler.DeploymentEnded); ok {
			e <- struct{}{}
		}
	}
}

// wave launches n instances of one app on a fresh store and returns what that
// cost: commits and records from the command to the last running task.
func wave(tb testing.TB, n int) (commits, records uint64, took time.Duration) {
	tb.Helper()
	bolt, err := store.OpenBolt(filepath.Join(tb.TempDir(), fmt.Sprintf("%d.db", time.Now().UnixNano())))
	if err != nil {
		tb.Fatal(err)
	}
	defer bolt.Close()
	ctx, cancel := context.WithCancel(tb.Context())
	defer cancel()
	term, err := bolt.Begin(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	ended, saved := make(ends, 16), map[string]bool{}
	d, err := driver.Open(ctx, driver.Config{
		Term: boltTerm{term, saved},
		Restore: func(now spec.Timestamp, records []scheduler.Record) (driver.Core, error) {
			return scheduler.Restore(scheduler.Config{Seed: [16]byte{1}}, now, records)
		},
		NewMatcher: func() driver.Matcher { return &placement.Matcher{} },
		Policies:   noPolicies{},
		Bus:        ended,
	})
	if err != nil {
		tb.Fatal(err)
	}
	m := &prompt{driver: d, saved: saved, agents: max(1, n/50), queue: make(chan scheduler.Event, 4*n+16)}
	done := make(chan error, 1)
	go m.serve(ctx)
	go func() { done <- d.Run(ctx, m) }()
	d.Post(scheduler.Subscribed{FrameworkID: "f", MasterID: "m", MasterHost: "localhost"})

	begin := time.Now()
	create(tb, d, &spec.App{ID: "/wave", Cmd: "sleep 1000", CPUs: 0.5, Mem: 64, Instances: 0, Role: "*", BackoffFactor: 1.15})
	await(tb, ended, done)
	before := d.Stats()
	app := *view(tb, d).App
	app.Instances = n
	create(tb, d, &app)
	await(tb, ended, done)
	after := d.Stats()
	if counts := d.Snapshot().Counts; counts.Running != n {
		tb.Fatalf("%d tasks run, want %d", counts.Running, n)
	}
	cancel()
	<-done
	if m.rash > 0 {
		tb.Fatalf("%d tasks were launched before their record was durable", m.rash)
	}
	return after.Commits - before.Commits, after.Records - before.Records, time.Since(begin)
}

// create puts an app, with the version that is there as its base.
func create(tb testing.TB, d *driver.Driver, app *spec.App) {
	tb.Helper()
	reply, err := d.Do(tb.Context(), func(request scheduler.RequestID, deployment string) scheduler.Event {
		return scheduler.ChangeTree{
			Request: request, DeploymentID: deployment, Put: []scheduler.PutApp{{App: app, Base: app.Version}},
		}
	})
	if err != nil || reply.Err != nil {
		tb.Fatalf("put %s: %v, %v", app.ID, err, reply.Err)
	}
}

func view(tb testing.TB, d *driver.Driver) *scheduler.AppView {
	tb.Helper()
	v, ok := d.Snapshot().Apps.Get([]byte("/wave"))
	if !ok {
		tb.Fatal("no app /wave")
	}
	return v
}

func await(tb testing.TB, ended ends, done <-chan error) {
	tb.Helper()
	select {
	case <-ended:
	case err := <-done:
		tb.Fatalf("the term ended: %v", err)
	case <-time.After(30 * time.Second):
		tb.Fatal("the deployment did not end in 30 s")
	}
}

// TestWritesPerLaunch holds the goal of durable writes: a wave of launches costs
// two records for each, its launch and its running, and few commits.
func TestWritesPerLaunch(t *testing.T) {
	const n = 1000
	commits, records, _ := wave(t, n)
	t.Logf("wave of %d: %.3f records and %.4f commits per launched task", n, float64(records)/n, float64(commits)/n)
	if records > 2*n+10 || commits > n/10 {
		t.Errorf("%d records and %d commits for %d tasks, want 2 and 0.1 for each at the most", records, commits, n)
	}
	commits, records, _ = wave(t, 1)
	t.Logf("single task: %d records in %d commits, its deployment included", records, commits)
	if commits > 3 {
		t.Errorf("%d commits for one task, want 3 at the most", commits)
	}
}

// BenchmarkWritesPerLaunch prints goal G7's counts.
func BenchmarkWritesPerLaunch(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("tasks=%d", n), func(b *testing.B) {
			var commits, records uint64
			var took time.Duration
			rounds := 0
			for b.Loop() {
				c, r, d := wave(b, n)
				commits, records, took = commits+c, records+r, took+d
				rounds++
			}
			tasks := float64(rounds * n)
			b.ReportMetric(float64(records)/tasks, "records/task")
			b.ReportMetric(float64(commits)/tasks, "commits/task")
			b.ReportMetric(float64(took.Microseconds())/tasks, "us/task")
		})
	}
}
