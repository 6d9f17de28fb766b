package main

import (
	"regexp"
	"strings"

	"github.com/pacer-run/pacer/runtime/api"
)

// infoOf is what /v2/info shows of the options, those without effect included:
// they are what was asked for.
func infoOf(v *values) api.Info {
	info := baseInfo(v.text("framework_name"))
	info.Marathon = map[string]any{
		"checkpoint": v.on("checkpoint"), "executor": "//cmd", "failover_timeout": v.number("failover_timeout", 0, maxMillis/1000),
		"features": featuresOf(v), "framework_name": v.text("framework_name"), "ha": v.on("ha"), "hostname": orNull(v.text("hostname")),
		"master": maskedMaster(v.text("master")), "mesos_role": v.text("mesos_role"), "mesos_user": frameworkUser(v),
		"webui_url": orNull(v.text("webui_url")), "mesos_leader_ui_url": orNull(v.text("mesos_leader_ui_url")),
		"mesos_bridge_name": v.text("mesos_bridge_name"), "default_network_name": orNull(v.text("default_network_name")),
		"maintenance_mode": true, "env_vars_prefix": orNull(v.text("env_vars_prefix")),
	}
	numbersInto(info.Marathon, v,
		"decline_offer_duration", "local_port_max", "local_port_min", "max_instances_per_offer", "min_revive_offers_interval",
		"offer_matching_timeout", "reconciliation_initial_delay", "reconciliation_interval", "task_launch_confirm_timeout",
		"task_launch_timeout", "launch_token_refresh_interval", "on_elected_prepare_timeout", "scale_apps_initial_delay",
		"scale_apps_interval", "task_lost_expunge_initial_delay", "task_lost_expunge_interval", "task_reservation_timeout",
	)
	info.Marathon["launch_token"], info.Marathon["store_cache"] = v.number("launch_tokens", 0, maxMillis), v.on("store_cache")
	info.Marathon["new_group_enforce_role"] = map[string]string{"off": "Off", "top": "Top"}[v.text("new_group_enforce_role")]
	info.Marathon["leader_proxy_connection_timeout_ms"] = v.number("leader_proxy_connection_timeout", 0, maxMillis)
	info.Marathon["leader_proxy_read_timeout_ms"] = v.number("leader_proxy_read_timeout", 0, maxMillis)
	info.ZooKeeper = map[string]any{
		"zk": maskedURL(v.text("zk")), "zk_session_timeout": v.number("zk_session_timeout", 1, maxMillis),
		"zk_max_versions": v.number("zk_max_versions", 1, 1<<20), "zk_compression": v.on("zk_compression"),
	}
	numbersInto(info.ZooKeeper, v, "zk_compression_threshold", "zk_connection_timeout", "zk_max_node_size", "zk_timeout")
	if origins := originsOf(v); len(origins) > 0 {
		info.Marathon["access_control_allow_origin"] = origins
	}
	info.HTTP = map[string]any{}
	if v.on("http") {
		info.HTTP["http_port"] = v.number("http_port", 0, 65535)
	}
	if v.text("ssl_keystore_path") != "" {
		info.HTTP["https_port"] = v.number("https_port", 0, 65535)
	}
	return info
}

// numbersInto adds options that are numbers under their own names.
func numbersInto(shown map[string]any, v *values, names ...string) {
	for _, name := range names {
		shown[name] = v.number(name, 0, maxMillis)
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// baseInfo is what is the same for every way to run the server.
func baseInfo(name string) api.Info {
	return api.Info{Name: name, Version: marathonVersion, PacerVersion: version, BuildRef: revision()}
}

// shown is every option with its value, without secrets, for people to look at.
func (v *values) shown() map[string]any {
	all := map[string]any{}
	for name, o := range v.table {
		switch value := v.text(name); {
		case o.kind == toggle:
			all[name] = v.on(name)
		case value == "":
			all[name] = nil
		case strings.Contains(name, "secret") || strings.Contains(name, "password") || strings.Contains(name, "api_key"),
			name == "http_credentials":
			all[name] = hidden
		case strings.HasPrefix(value, "zk://"):
			all[name] = maskedURL(value)
		case name == "fetch_policies":
			all[name] = regexp.MustCompile(`//[^/@,;=]*@`).ReplaceAllString(value, "//"+hidden+"@")
		default:
			all[name] = value
		}
	}
	return all
}

// hidden stands for a secret.
const hidden = "xxxxxxxx"
