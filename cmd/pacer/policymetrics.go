package main

import (
	"maps"

	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/policy"
)

// policyMetrics are about the modules, by their names in the API.
func policyMetrics(modules []policy.Module) (shown []api.Metric) {
	for i := range modules {
		m := &modules[i]
		of := map[string]string{"module": m.ID}
		shown = append(shown,
			labelled(counter("pacer_policy_calls_total", "Calls into policies.", m.Calls), of),
			labelled(counter("pacer_policy_faults_total", "Calls in which a policy did not do its work.", m.Faults), of),
			labelled(counter("pacer_policy_traps_total", "Faults in which a policy's code came to no orderly end.", m.Traps), of),
		)
		if !m.Builtin {
			shown = append(shown, moduleMetrics(m, of)...)
		}
	}
	return shown
}

// moduleMetrics are those that only modules have.
func moduleMetrics(m *policy.Module, of map[string]string) []api.Metric {
	shown := []api.Metric{
		labelled(counter("pacer_policy_refused_total", "Calls that were not made, because the module is in quarantine.", m.Refused), of),
		labelled(counter("pacer_policy_fuel_total", "Fuel used by the version in use, about a unit for an instruction.", uint64(max(0, m.Fuel))), of),
		labelled(counter("pacer_policy_reloads_total", "Reloads that took place.", uint64(m.Reloads)), of),
		labelled(gauge("pacer_policy_state", "1 for the state that a module is in.", 1), of, "state", m.State.String()),
	}
	if len(m.Admitters) > 0 {
		shown = append(shown, labelled(counter("pacer_policy_passed_over_total", "Changes that went through although the module failed to review them.", m.PassedOver), of))
	}
	if m.Version == "" {
		return shown // it is not loaded
	}
	shown = append(shown, labelled(gauge("pacer_policy_version", "1 for the version that is in use.", 1), of, "name", m.Name, "version", m.Version, "digest", m.Digest))
	for quantile, cost := range map[string]struct {
		seconds float64
		fuel    int64
	}{"0.5": {m.Cost.TimeP50.Seconds(), m.Cost.FuelP50}, "0.99": {m.Cost.TimeP99.Seconds(), m.Cost.FuelP99}} {
		seconds := api.Metric{Name: "pacer_policy_call_seconds", Help: "Time that a call takes.", Value: cost.seconds}
		shown = append(shown,
			labelled(seconds, of, "quantile", quantile),
			labelled(gauge("pacer_policy_call_fuel", "Fuel that a call takes.", int(cost.fuel)), of, "quantile", quantile))
	}
	if c := m.Compared; c != nil {
		shown = append(shown,
			labelled(counter("pacer_policy_shadow_compared_total", "Answers of a candidate that were compared.", c.Compared), of),
			labelled(counter("pacer_policy_shadow_disagreements_total", "Answers of these that differ.", c.Disagreements), of),
			labelled(counter("pacer_policy_shadow_dropped_total", "Calls that a candidate did not keep up with.", c.Dropped), of))
	}
	return append(shown, ownMetrics(m, of)...)
}

// ownMetrics are those that a module's manifest declares. What they are called is up
// to its author, so that the name is a label: two modules may mean different things.
func ownMetrics(m *policy.Module, of map[string]string) (shown []api.Metric) {
	for _, own := range m.Own {
		if own.Type == "histogram" {
			sum := api.Metric{Name: "pacer_policy_module_metric_sum", Help: "Sum of what a module has observed.", Value: own.Sum}
			shown = append(shown,
				labelled(counter("pacer_policy_module_metric_count", "Values that a module has observed.", own.Count), of, "metric", own.Name),
				labelled(sum, of, "metric", own.Name))
			continue
		}
		value := api.Metric{Name: "pacer_policy_module_metric", Help: "What a module counts or measures itself.", Value: own.Value}
		shown = append(shown, labelled(value, of, "metric", own.Name))
	}
	return shown
}

// labelled adds labels, given as names and values.
func labelled(m api.Metric, of map[string]string, more ...string) api.Metric {
	m.Labels = maps.Clone(of)
	for i := 0; i < len(more); i += 2 {
		m.Labels[more[i]] = more[i+1]
	}
	return m
}
