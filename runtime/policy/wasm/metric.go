package wasm

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/pacer-run/pacer/sdk/manifest"
)

// Metric is a metric of a module and what it shows now.
type Metric struct {
	manifest.Metric
	Value float64 // of a counter or gauge
	// Of a histogram: how many values there were, their sum, and how many of them
	// were at most each of MetricBounds.
	Count   uint64
	Sum     float64
	Buckets []uint64
}

// MetricBounds are the upper bounds of the buckets of histograms, the infinite one
// left out.
func MetricBounds() []float64 {
	return []float64{0.001, 0.01, 0.1, 1, 10, 100, 1_000, 10_000, 100_000, 1_000_000}
}

// Types of metrics.
const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

// metrics are those that the manifest declares.
type metrics struct {
	mu   sync.Mutex
	list []Metric
}

func newMetrics(said *manifest.Manifest) *metrics {
	m := &metrics{}
	if said == nil {
		return m
	}
	for _, metric := range said.Metrics {
		one := Metric{Metric: metric}
		if metric.Type == histogram {
			one.Buckets = make([]uint64, len(MetricBounds()))
		}
		m.list = append(m.list, one)
	}
	return m
}

// Metrics are the module's own metrics, in the order of their ids; none for a module
// whose manifest declares none.
func (m *Module) Metrics() []Metric {
	m.metrics.mu.Lock()
	defer m.metrics.mu.Unlock()
	list := slices.Clone(m.metrics.list)
	for i := range list {
		list[i].Buckets = slices.Clone(list[i].Buckets)
	}
	return list
}

// change finds the metric and changes it. It tells what is wrong with the call.
func (m *metrics) change(name string, id uint32, v float64, do func(metric *Metric) (ok bool)) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("%s: metric %d: a number expected", name, id)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.list {
		if metric := &m.list[i]; metric.ID == id {
			if !do(metric) {
				return fmt.Errorf("%s(%v): not for the %s %s", name, v, metric.Type, metric.Name)
			}
			return nil
		}
	}
	return fmt.Errorf("%s: the manifest declares no metric %d", name, id)
}

// metricAdd of (id, v) adds to a counter, v being 0 or more, or to a gauge.
func metricAdd(c *call, args []uint64) uint64 {
	v := math.Float64frombits(args[1])
	return c.count("metric_add", args[0], v, func(metric *Metric) bool {
		if metric.Type == histogram || metric.Type == counter && v < 0 {
			return false
		}
		metric.Value += v
		return true
	})
}

// metricObserve of (id, v) sets a gauge or adds a value to a histogram.
func metricObserve(c *call, args []uint64) uint64 {
	v := math.Float64frombits(args[1])
	return c.count("metric_observe", args[0], v, func(metric *Metric) bool {
		switch metric.Type {
		case gauge:
			metric.Value = v
		case histogram:
			metric.Count, metric.Sum = metric.Count+1, metric.Sum+v
			for i, bound := range MetricBounds() {
				if v <= bound {
					metric.Buckets[i]++
				}
			}
		default:
			return false
		}
		return true
	})
}

// count pays for the change and makes it. A wrong one is told in the log: it is no
// reason to fail at what the module is asked.
func (c *call) count(name string, id uint64, v float64, do func(*Metric) bool) uint64 {
	c.pay(factPrice)
	if err := c.in.module.metrics.change(name, uint32(id), v, do); err != nil {
		c.pay(linePrice)
		c.in.journal.write(levelOf(2), err.Error())
	}
	return 0
}
