package api

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// Metric is a number that another part of the node keeps.
type Metric struct {
	Name    string // after Prometheus' customs: base units, and "_total" at the end of a counter's
	Help    string // a sentence
	Counter bool   // it only grows, but for restarts; false for a gauge
	Value   float64
	Labels  map[string]string // nil for none; metrics of one name have the same ones
}

// collector shows one snapshot's totals, and others, as metrics.
type collector struct {
	snapshot *scheduler.Snapshot
	clients  int    // of the event stream
	slow     uint64 // clients of the event stream that were disconnected
	others   []Metric
	prefix   string // the first word of legacy names
}

// measure is one metric: its names, and where its value comes from. Legacy is
// the name that dashboards made for Marathon use, without its first word; "" when
// there was none.
type measure struct {
	name, legacy, help string
	kind               prometheus.ValueType
	value              float64
}

// measures lists what is shown. Names follow Prometheus' customs; none is by app
// or task, whose numbers have no bound; those of policy modules have labels.
func (c *collector) measures() []measure {
	n := c.snapshot.Counts
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	subscribed := 0.0
	if c.snapshot.Subscribed {
		subscribed = 1
	}
	return []measure{
		{"pacer_apps", "_apps_active_gauge", "Apps that are defined.", gauge, float64(n.Apps)},
		{"pacer_instances", "", "Instances that are wanted or still there.", gauge, float64(n.Instances)},
		{"pacer_instances_running", "_instances_running_gauge", "Instances whose task runs.", gauge, float64(n.Running)},
		{"pacer_instances_staged", "_instances_staged_gauge", "Instances whose task is being started.", gauge, float64(n.Staged)},
		{"pacer_deployments", "_deployments_active_gauge", "Deployments under way.", gauge, float64(n.Deployments)},
		{"pacer_offers_held", "", "Offers in hand.", gauge, float64(n.OffersHeld)},
		{"pacer_mesos_subscribed", "", "1 while the Mesos master has this framework subscribed.", gauge, subscribed},
		{"pacer_event_stream_clients", "", "Clients of the event stream.", gauge, float64(c.clients)},
		{"pacer_event_stream_slow_clients_total", "", "Clients of the event stream that were disconnected because they did not keep up.", counter, float64(c.slow)},
		{"pacer_offers_received_total", "_mesos_offers_incoming_counter", "Offers received.", counter, float64(n.OffersReceived)},
		{"pacer_offers_used_total", "_mesos_offers_used_counter", "Offers that tasks were launched on.", counter, float64(n.OffersUsed)},
		{"pacer_offers_declined_total", "_mesos_offers_declined_counter", "Offers given back.", counter, float64(n.OffersDeclined)},
		{"pacer_tasks_launched_total", "_tasks_launched_counter", "Tasks launched.", counter, float64(n.Launched)},
		{"pacer_tasks_finished_total", "", "Tasks that ended by themselves without a failure.", counter, float64(n.Finished)},
		{"pacer_tasks_failed_total", "", "Tasks that failed.", counter, float64(n.Failed)},
		{"pacer_tasks_killed_total", "", "Kills asked for.", counter, float64(n.Kills)},
		{"pacer_mesos_revives_total", "_mesos_calls_revive_counter", "Calls that ask for offers again.", counter, float64(n.Revives)},
		{"pacer_mesos_suppresses_total", "_mesos_calls_suppress_counter", "Calls that ask for no offers.", counter, float64(n.Suppresses)},
		{"pacer_matches_total", "", "Matches of wanted instances with offers.", counter, float64(n.Matches)},
	}
}

// Describe sends nothing, which makes the collector an unchecked one: its
// metrics are those that Collect sends.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends every metric under each of its names.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	for _, m := range c.measures() {
		out <- constMetric(m.name, m.help, m.kind, m.value, nil)
		if m.legacy != "" {
			out <- constMetric(c.prefix+m.legacy, m.help, m.kind, m.value, nil)
		}
	}
	for _, m := range c.others {
		kind := prometheus.GaugeValue
		if m.Counter {
			kind = prometheus.CounterValue
		}
		out <- constMetric(m.Name, m.Help, kind, m.Value, m.Labels)
	}
}

// constMetric is a metric of one value. It panics at a malformed name.
func constMetric(name, help string, kind prometheus.ValueType, value float64, labels prometheus.Labels) prometheus.Metric {
	return prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, nil, labels), kind, value)
}
