package main

import (
	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/health"
	"github.com/pacer-run/pacer/runtime/store"
)

// metrics are the totals of the node's parts that the core's snapshot does not have.
func (n *node) metrics() []api.Metric {
	shown := storeMetrics(n.store.Stats())
	if d := n.leading.Load(); d != nil {
		shown = append(shown, driverMetrics(d.Stats())...)
	}
	if p := n.probing.Load(); p != nil {
		shown = append(shown, probeMetrics(p.Stats())...)
	}
	return append(shown, policyMetrics(n.policies.Modules())...)
}

func counter(name, help string, value uint64) api.Metric {
	return api.Metric{Name: name, Help: help, Counter: true, Value: float64(value)}
}

func gauge(name, help string, value int) api.Metric {
	return api.Metric{Name: name, Help: help, Value: float64(value)}
}

// driverMetrics leaves out what the store and the snapshot count as well.
func driverMetrics(s driver.Stats) []api.Metric {
	return []api.Metric{
		counter("pacer_driver_batches_total", "Batches of events that the core worked through.", s.Batches),
		counter("pacer_driver_events_total", "Events in the batches.", s.Events),
		counter("pacer_mesos_calls_total", "Calls handed to the Mesos master's client.", s.Calls),
		counter("pacer_matches_late_total", "Matches that were given up at their deadline.", s.MatchesLate),
	}
}

// probeMetrics are about the checks that the leader makes.
func probeMetrics(s health.Stats) []api.Metric {
	return []api.Metric{
		gauge("pacer_health_targets", "Checks of instances that the leader makes now.", s.Targets),
		gauge("pacer_health_probes_waiting", "Probes that are due and wait for their turn.", s.Waiting),
		counter("pacer_health_probes_total", "Probes of this term.", s.Probes),
		counter("pacer_health_probes_bad_total", "Probes of this term that found an instance not alive or not ready.", s.Bad),
	}
}

// storeMetrics has zeros where a store of one machine has nothing to count.
func storeMetrics(s store.Stats) []api.Metric {
	return []api.Metric{
		counter("pacer_store_commits_total", "Transactions that were saved.", s.Commits),
		counter("pacer_store_committed_records_total", "Records that were saved or removed.", s.Records),
		counter("pacer_store_committed_bytes_total", "Bytes of the keys and values that were saved.", s.Bytes),
		counter("pacer_store_folds_total", "Times that commits of the log were folded, or segments of ZooKeeper into one.", s.Folds),
		counter("pacer_store_folded_bytes_total", "Bytes of the segments written by that.", s.Folded),
		gauge("pacer_store_log_nodes", "Commits of the log that are not folded yet.", s.LogNodes),
		gauge("pacer_store_segments", "Live segments in ZooKeeper.", s.Segments),
	}
}
