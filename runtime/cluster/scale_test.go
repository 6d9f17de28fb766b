package cluster_test

import (
	"fmt"
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
