package cluster

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// faults are disturbances waiting to happen. They belong to the loop and outlive a master's failover.
type faults struct {
	silent  bool // no heartbeats
	muted   bool // no events at all, on streams that stay open
	accepts int  // so many of the next ACCEPTs are lost
	status  []statusFault
}

// statusFault is what becomes of one of the next status updates.
type statusFault struct {
	copies int
	delay  time.Duration
}

// takeAccept tells whether this ACCEPT is to be lost.
func (f *faults) takeAccept() bool {
	if f.accepts == 0 {
		return false
	}
	f.accepts--
	return true
}

// takeStatus says how often the next status update is sent, and how much later.
func (f *faults) takeStatus() (copies int, delay time.Duration) {
	if len(f.status) == 0 {
		return 1, 0
	}
	next := f.status[0]
	f.status = f.status[1:]
	return next.copies, next.delay
}

// errClosed reports a fault asked of a closed cluster.
var errClosed = fmt.Errorf("cluster: closed")

// inject runs f on the loop.
func (c *Cluster) inject(f func() error) error {
	err := errClosed
	c.loop.do(func() { err = f() })
	return err
}

// AgentIDs lists the ids of the agents in the order of Config.Agents.
func (c *Cluster) AgentIDs() []string {
	var out []string
	c.loop.do(func() {
		for _, h := range c.hosts {
			out = append(out, h.id)
		}
	})
	return out
}

// host finds an agent by its id, which also an agent has that is lost.
func (c *Cluster) host(id string) (*host, error) {
	for _, h := range c.hosts {
		if h.id == id {
			return h, nil
		}
	}
	return nil, fmt.Errorf("cluster: no agent has the id %q", id)
}

// LoseAgent breaks the master's connection to an agent; its tasks run on. Offers are rescinded at once, and after
// Config.AgentPingTimeout the tasks are unreachable.
func (c *Cluster) LoseAgent(id string) error {
	return c.inject(func() error {
		h, err := c.host(id)
		if err != nil {
			return err
		}
		if h.agent == nil {
			return fmt.Errorf("cluster: agent %s is not connected", id)
		}
		c.master.disconnect(h.agent)
		return nil
	})
}

// ReturnAgent connects a lost agent again, with whatever became of its tasks. One that was marked gone comes back with a
// new id and without tasks.
func (c *Cluster) ReturnAgent(id string) error {
	return c.inject(func() error {
		h, err := c.host(id)
		if err != nil {
			return err
		}
		if h.agent != nil {
			return fmt.Errorf("cluster: agent %s is connected", id)
		}
		if c.upkeep.isDown(h) {
			return fmt.Errorf("cluster: the machine of agent %s is down for maintenance", id)
		}
		c.master.register(h)
		c.master.allocate()
		return nil
	})
}

// RemoveAgent marks an agent gone for good: its tasks are killed and reported TASK_GONE_BY_OPERATOR. It returns the id
// under which ReturnAgent brings the machine back, as a new agent.
func (c *Cluster) RemoveAgent(id string) (next string, err error) {
	err = c.inject(func() error {
		h, err := c.host(id)
		if err != nil {
			return err
		}
		a := c.master.agents[id]
		if a == nil {
			return fmt.Errorf("cluster: the master does not know agent %s", id)
		}
		c.master.removeGone(a)
		for _, r := range h.sortedRuns() {
			r.orphan()
		}
		h.clearHoldings()
		h.adopt(c.master.newID("S", c.master.agentN))
		c.master.agentN++
		next = h.id
		return nil
	})
	return next, err
}

// CutStreams breaks every subscriber's connection off. With torn, each ends in the middle of a record.
func (c *Cluster) CutStreams(torn bool) error {
	return c.inject(func() error {
		for _, f := range c.master.order {
			if f.stream != nil {
				f.stream.cut(torn)
			}
		}
		return nil
	})
}

// FailOver replaces the master by a new one with a new id: connections break, frameworks must subscribe again, offers
// are void, and every connected agent registers after the delay. Until then the new master knows no task.
func (c *Cluster) FailOver(delay time.Duration) error {
	return c.inject(func() error {
		old := c.master
		old.retire()
		m := c.newMaster(uuid.NewString())
		c.master = m
		for _, h := range c.hosts {
			was := old.agents[h.id]
			if was == nil || was.state == agentGone {
				continue
			}
			m.expect(h.id, was.spec)
			if h.master == nil {
				continue // lost before; it stays away until it is returned
			}
			h.master, h.agent = nil, nil
			m.after(delay, func() {
				if h.master == nil {
					m.register(h)
					m.allocate()
				}
			})
		}
		c.announce(m.id)
		return nil
	})
}

// RescindOffers takes back all outstanding offers.
func (c *Cluster) RescindOffers() error {
	return c.inject(func() error {
		for _, a := range c.master.fleet {
			c.master.rescindAll(a)
		}
		return nil
	})
}

// WithholdHeartbeats stops heartbeats, or lets them come again.
func (c *Cluster) WithholdHeartbeats(withhold bool) error {
	return c.inject(func() error { c.faults.silent = withhold; return nil })
}

// Mute keeps all events from streams that stay open, as a half-open connection does, or ends that. They are lost.
func (c *Cluster) Mute(mute bool) error {
	return c.inject(func() error { c.faults.muted = mute; return nil })
}

// LoseAccepts makes the next n ACCEPT calls get lost behind their 202: the offers are used up, nothing is launched.
func (c *Cluster) LoseAccepts(n int) error {
	return c.inject(func() error { c.faults.accepts = n; return nil })
}

// DropStatus loses the next status update on its way to the framework; an agent repeats its own.
func (c *Cluster) DropStatus() error { return c.statusFault(statusFault{}) }

// DuplicateStatus sends the next status update twice.
func (c *Cluster) DuplicateStatus() error { return c.statusFault(statusFault{copies: 2}) }

// DelayStatus sends the next status update later; others overtake it.
func (c *Cluster) DelayStatus(d time.Duration) error {
	return c.statusFault(statusFault{copies: 1, delay: d})
}

func (c *Cluster) statusFault(f statusFault) error {
	return c.inject(func() error { c.faults.status = append(c.faults.status, f); return nil })
}
