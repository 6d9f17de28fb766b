package scheduler

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkChange changes the command of one app, among few apps and among many,
// and prints how much more it costs among many: it must not depend on their
// number. Each app has a service port that Pacer chose, as most do.
func BenchmarkChange(b *testing.B) {
	few, many := newChanger(b, 100), newChanger(b, 10_000)
	var fewTook, manyTook time.Duration
	for b.Loop() {
		fewTook += few.change()
		manyTook += many.change()
	}
	n := float64(b.N)
	b.ReportMetric(float64(fewTook)/n, "ns/100-apps")
	b.ReportMetric(float64(manyTook)/n, "ns/10000-apps")
	b.ReportMetric(float64(manyTook)/float64(fewTook), "ratio")
}

// changer changes one app after the other of a core whose apps all run.
type changer struct {
	s    *Scheduler
	apps int
	n    int
}

func newChanger(b *testing.B, apps int) *changer {
	s, _ := load(b, apps, 1, 1000)
	s.Snapshot()
	return &changer{s: s, apps: apps}
}

// change has one app of the first hundred get another command, and ends the
// deployment.
func (c *changer) change() time.Duration {
	c.n++
	i := c.n % 100
	a := c.s.apps[newApp(fmt.Sprintf("/group-%d/app-%d", i%100, i), nil).ID]
	next := *a.spec
	next.Cmd = fmt.Sprintf("sleep %d", c.n)
	next.PortDefinitions = append(next.PortDefinitions[:0:0], next.PortDefinitions...)
	next.PortDefinitions[0].Port = 0
	id := fmt.Sprint("change", c.n)
	began := time.Now()
	c.s.Step(2000, ChangeTree{DeploymentID: id, Put: []PutApp{{App: &next, Base: a.spec.Version}}})
	c.s.Effects(2000)
	c.s.Snapshot()
	c.s.Step(2000, CancelDeployment{ID: id, Force: true})
	c.s.Effects(2000)
	c.s.Snapshot()
	return time.Since(began)
}
