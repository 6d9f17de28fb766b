package cluster_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster"
)

func fleet(n int) cluster.Config {
	list := make([]cluster.AgentConfig, n)
	for i := range list {
		list[i] = cluster.AgentConfig{
			Hostname: fmt.Sprintf("agent-%d", i), Attributes: fmt.Sprintf("rack_id:rack-%d;zone:%c", i%50, 'a'+i%3),
			Resources: "cpus:16;mem:65536;disk:100000;ports:[31000-31999]",
		}
	}
	return cluster.Config{Executor: cluster.Fake, Agents: list, AllocationInterval: 50 * time.Millisecond}
}

// BenchmarkStart is the start and the end of a cluster of 10,000 agents.
func BenchmarkStart(b *testing.B) {
	cfg := fleet(10000)
	for b.Loop() {
		c, err := cluster.Start(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}

// A big fleet is offered and used as a whole.
func TestBigFleet(t *testing.T) {
	const agents, perAgent = 400, 5
	c := start(t, fleet(agents))
	f := subscribe(t, c.Addr(), framework())
	launched := 0
	for seen := 0; seen < agents; {
		list := f.offers()
		seen += len(list)
		for _, o := range list {
			var tasks []mesos.TaskInfo
			for range perAgent {
				tasks = append(tasks, shell(fmt.Sprintf("t%d", launched), ""))
				launched++
			}
			day := 86400.0
			for i := range tasks {
				tasks[i].AgentID = o.AgentID
			}
			f.call(&scheduler.Call{Type: scheduler.Call_ACCEPT, Accept: &scheduler.Call_Accept{
				OfferIDs: []mesos.OfferID{o.ID}, Filters: &mesos.Filters{RefuseSeconds: &day},
				Operations: []mesos.Offer_Operation{{Type: mesos.Offer_Operation_LAUNCH, Launch: &mesos.Offer_Operation_Launch{TaskInfos: tasks}}},
			}})
		}
	}
	f.awaitCount("all tasks to run", launched, func(e *scheduler.Event) bool {
		return e.Update != nil && e.Update.Status.GetState() == mesos.TASK_RUNNING
	})
}

// awaitCount waits for that many events of a kind, from the first on, in one pass.
func (c *client) awaitCount(what string, n int, want func(*scheduler.Event) bool) {
	c.t.Helper()
	deadline := time.After(patience)
	for next := 0; n > 0; {
		c.mu.Lock()
		for ; next < len(c.events); next++ {
			if want(c.events[next]) {
				n--
			}
		}
		changed := c.changed
		c.mu.Unlock()
		if n <= 0 {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			c.t.Fatalf("waiting for %s: %d are missing", what, n)
		}
	}
}

// BenchmarkTask is the life of one task, from its offer to its end. It must not depend on the number of agents.
func BenchmarkTask(b *testing.B) {
	for _, agents := range []int{10, 10000} {
		b.Run(fmt.Sprintf("agents=%d", agents), func(b *testing.B) {
			cfg := fleet(agents)
			cfg.AllocationInterval = time.Millisecond
			c, err := cluster.Start(b.Context(), cfg)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			f := subscribe(b, c.Addr(), framework())
			var all []mesos.Offer
			for len(all) < agents {
				all = append(all, f.offers()...)
			}
			year := 365 * 86400.0
			f.decline(&year, all[1:]...)
			f.launch(all[0], shell("first", "", labelled("fake.run", "1us")))
			n := 0
			for b.Loop() {
				n++
				f.forgetEvents()
				id := fmt.Sprintf("t%d", n)
				f.launch(f.offer(), shell(id, "", labelled("fake.run", "1us")))
				f.states(id, mesos.TASK_FINISHED)
			}
		})
	}
}

// forgetEvents keeps a long run's waits short: what was taken is not looked at again.
func (c *client) forgetEvents() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = slices.DeleteFunc(c.events, func(e *scheduler.Event) bool { return c.taken[e] })
	clear(c.taken)
}
