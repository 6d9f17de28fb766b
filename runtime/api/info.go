package api

import (
	"maps"
	"net/http"
)

// Info is what /v2/info tells about the configuration. The three maps hold
// options by Marathon's names; known ones that are missing show as null.
type Info struct {
	Name         string // of the framework; "" means "marathon"
	Version      string // of the Marathon level that is emulated; tools parse it
	PacerVersion string
	BuildRef     string
	Marathon     map[string]any
	ZooKeeper    map[string]any
	HTTP         map[string]any
}

// info answers what is known of this node and its configuration.
func (s *server) info(core Core, w http.ResponseWriter, _ *http.Request) error {
	snapshot := core.Snapshot()
	marathon := withNulls(s.Info.Marathon, marathonOptions())
	if snapshot.MasterURL != "" && marathon["mesos_leader_ui_url"] == nil {
		marathon["mesos_leader_ui_url"] = snapshot.MasterURL
	}
	name := s.Info.Name
	if name == "" {
		name = "marathon"
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"name": name, "version": s.Info.Version, "pacerVersion": s.Info.PacerVersion, "buildref": s.Info.BuildRef,
		"elected": true, "leader": s.Address, "frameworkId": orNull(snapshot.FrameworkID),
		"marathon_config":  marathon,
		"zookeeper_config": withNulls(s.Info.ZooKeeper, zooKeeperOptions()),
		"http_config":      withNulls(s.Info.HTTP, []string{"http_port", "https_port"}),
	})
	return nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// withNulls returns a copy of options that has every known name.
func withNulls(options map[string]any, known []string) map[string]any {
	all := make(map[string]any, len(known))
	for _, name := range known {
		all[name] = nil
	}
	maps.Copy(all, options)
	return all
}

// marathonOptions are the members that tools expect, whether or not this program
// has such an option.
func marathonOptions() []string {
	return []string{
		"access_control_allow_origin", "checkpoint", "decline_offer_duration", "default_network_name", "env_vars_prefix",
		"executor", "failover_timeout", "features", "framework_name", "ha", "hostname", "launch_token",
		"launch_token_refresh_interval", "leader_proxy_connection_timeout_ms", "leader_proxy_read_timeout_ms",
		"local_port_max", "local_port_min", "master", "max_instances_per_offer", "mesos_bridge_name",
		"mesos_heartbeat_failure_threshold", "mesos_heartbeat_interval", "mesos_leader_ui_url", "mesos_role", "mesos_user",
		"new_group_enforce_role", "min_revive_offers_interval", "offer_matching_timeout", "on_elected_prepare_timeout",
		"reconciliation_initial_delay", "reconciliation_interval", "scale_apps_initial_delay", "scale_apps_interval",
		"store_cache", "task_launch_confirm_timeout", "task_launch_timeout", "task_lost_expunge_initial_delay",
		"task_lost_expunge_interval", "task_reservation_timeout", "webui_url", "maintenance_mode",
	}
}

func zooKeeperOptions() []string {
	return []string{
		"zk", "zk_compression", "zk_compression_threshold", "zk_connection_timeout", "zk_max_node_size",
		"zk_max_versions", "zk_session_timeout", "zk_timeout",
	}
}
