package main

import (
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// configOf reads all options that are plain values. The error names every one
// that is wrong.
func configOf(v *values, sh shell) (nodeConfig, error) {
	log, err := newLog(sh.stderr, v.text("logging_level"))
	if err != nil {
		return nodeConfig{}, err
	}
	cfg := nodeConfig{
		log:          log,
		framework:    frameworkOf(v),
		core:         coreOf(v),
		matcher:      matcherOf(v),
		matchTimeout: v.millis("offer_matching_timeout"),
		envPrefix:    v.text("env_vars_prefix"),
		definitions:  definitionsOf(v),
		hostname:     v.text("hostname"),
		outstanding:  v.number("event_stream_max_outstanding_messages", 1, 1<<20),
		info:         infoOf(v),
	}
	if v.text("master") == "" {
		v.fail("--master is required: zk://host1:port1,host2:port2/path, http(s)://host:port or host:port")
	}
	if v.on("mesos_authentication") {
		cfg.credential = master.Credential{
			Principal: v.text("mesos_authentication_principal"), Secret: v.secret("mesos_authentication_secret"),
		}
		if cfg.credential.Principal == "" {
			v.fail("--mesos_authentication needs --mesos_authentication_principal")
		}
	}
	if cfg.hostname == "" {
		if cfg.hostname, err = os.Hostname(); err != nil {
			v.fail("--hostname: the host has no name: %w", err)
		}
	}
	cfg.framework.Hostname = cfg.hostname
	v.number("http_port", 0, 65535)
	v.millis("zk_session_timeout")
	return cfg, v.err()
}

func frameworkOf(v *values) master.Framework {
	f := master.Framework{
		Name:            v.text("framework_name"),
		User:            frameworkUser(v),
		WebUIURL:        v.text("webui_url"),
		Principal:       v.text("mesos_authentication_principal"),
		Roles:           []string{v.text("mesos_role")},
		Checkpoint:      v.on("checkpoint"),
		FailoverTimeout: time.Duration(v.number("failover_timeout", 0, maxMillis/1000)) * time.Second,
	}
	for feature := range strings.SplitSeq(v.text("enable_features"), ",") {
		switch strings.TrimSpace(feature) {
		case "task_killing":
			f.KillingState = true
		case "gpu_resources":
			f.GPUs = true
		case "", "vips": // labels of ports reach Mesos in any case
		case spec.FeatureSecrets, spec.FeatureExternalVolumes: // of definitions, see definitionsOf
		case "maintenance_mode":
			v.fail("--enable_features: %s is not supported by this version of Pacer", feature)
		default:
			v.fail("--enable_features: %q: expected task_killing, gpu_resources, secrets, external_volumes or vips", feature)
		}
	}
	return f
}

// definitionsOf is what definitions depend on and the operator says.
func definitionsOf(v *values) spec.Settings {
	s := spec.Settings{DefaultNetwork: v.text("default_network_name"), BridgeName: v.text("mesos_bridge_name")}
	for _, feature := range featuresOf(v) {
		if feature == spec.FeatureSecrets || feature == spec.FeatureExternalVolumes {
			s.Features = append(s.Features, feature)
		}
	}
	return s
}

// frameworkUser is the user of tasks that name none.
func frameworkUser(v *values) string {
	if name := v.text("mesos_user"); name != "" {
		return name
	}
	return currentUser()
}

// currentUser is the name of the user that runs this process.
func currentUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "root"
}

func coreOf(v *values) scheduler.Config {
	cfg := scheduler.Config{
		Role:           v.text("mesos_role"),
		DeclineFor:     v.millis("decline_offer_duration"),
		ReviveInterval: v.millis("min_revive_offers_interval"),
		LaunchTimeout:  v.millis("task_launch_timeout"),
		ConfirmTimeout: v.millis("task_launch_confirm_timeout"),
		KillRetry:      v.millis("kill_retry_timeout"),
		ReconcileRound: v.millis("reconciliation_initial_delay"),
		ReconcileEvery: v.millis("reconciliation_interval"),
		FirstPort:      v.number("local_port_min", 1, 65535),
		LastPort:       v.number("local_port_max", 1, 65535),
		MaxDeployments: v.number("max_running_deployments", 1, 1<<20),
		MaxVersions:    v.number("zk_max_versions", 1, 1<<20),
		Uncovered:      (*spec.App).Uncovered,

		EnforceRole:       v.oneOf("new_group_enforce_role", "off", "top") == "top",
		DependenciesFirst: v.oneOf("teardown_order", "dependants-first", "dependencies-first") == "dependencies-first",
	}
	if cfg.FirstPort > cfg.LastPort {
		v.fail("--local_port_min: %d: expected at most --local_port_max, which is %d", cfg.FirstPort, cfg.LastPort)
	}
	return cfg
}

func matcherOf(v *values) placement.Matcher {
	m := placement.Matcher{MaxPerOffer: v.number("max_instances_per_offer", 1, 1<<20), Spread: true}
	m.UnrestrictedGPUs = v.oneOf("gpu_scheduling_behavior", "restricted", "unrestricted") == "unrestricted"
	return m
}

// infoOf is what /v2/info shows of the options.
func infoOf(v *values) api.Info {
	info := baseInfo(v.text("framework_name"))
	info.Marathon = map[string]any{
		"checkpoint": v.on("checkpoint"), "executor": "//cmd", "failover_timeout": v.number("failover_timeout", 0, maxMillis/1000),
		"features": featuresOf(v), "framework_name": v.text("framework_name"), "ha": v.on("ha"), "hostname": orNull(v.text("hostname")),
		"master": maskedMaster(v.text("master")), "mesos_role": v.text("mesos_role"), "mesos_user": frameworkUser(v),
		"webui_url":        orNull(v.text("webui_url")),
		"maintenance_mode": true, "env_vars_prefix": orNull(v.text("env_vars_prefix")),
		"default_network_name": orNull(v.text("default_network_name")), "mesos_bridge_name": v.text("mesos_bridge_name"),
	}
	for _, name := range []string{
		"decline_offer_duration", "local_port_max", "local_port_min", "max_instances_per_offer", "min_revive_offers_interval",
		"offer_matching_timeout", "reconciliation_initial_delay", "reconciliation_interval", "task_launch_confirm_timeout",
		"task_launch_timeout",
	} {
		info.Marathon[name] = v.number(name, 0, maxMillis)
	}
	info.Marathon["new_group_enforce_role"] = map[string]string{"off": "Off", "top": "Top"}[v.text("new_group_enforce_role")]
	info.Marathon["leader_proxy_connection_timeout_ms"] = v.number("leader_proxy_connection_timeout", 0, maxMillis)
	info.Marathon["leader_proxy_read_timeout_ms"] = v.number("leader_proxy_read_timeout", 0, maxMillis)
	info.ZooKeeper = map[string]any{
		"zk": maskedURL(v.text("zk")), "zk_session_timeout": v.number("zk_session_timeout", 1, maxMillis),
		"zk_max_versions": v.number("zk_max_versions", 1, 1<<20),
	}
	info.HTTP = map[string]any{"http_port": v.number("http_port", 0, 65535)}
	return info
}

func featuresOf(v *values) []string {
	list := []string{}
	for feature := range strings.SplitSeq(v.text("enable_features"), ",") {
		if feature = strings.TrimSpace(feature); feature != "" {
			list = append(list, feature)
		}
	}
	return list
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
