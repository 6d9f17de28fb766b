package main

import (
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// configOf reads all options that are plain values. The error names every one
// that is wrong; warnings are about what is not wrong enough for that.
func configOf(v *values, sh shell) (cfg nodeConfig, warnings []string, err error) {
	levels, err := newLevels(sh.stderr, v.text("logging_level"))
	if err != nil {
		return nodeConfig{}, nil, err
	}
	cfg = nodeConfig{
		log:          levels.logger(logRoot),
		levels:       levels,
		framework:    frameworkOf(v),
		core:         coreOf(v),
		matcher:      matcherOf(v),
		matchTimeout: v.millis("offer_matching_timeout"),
		envPrefix:    v.text("env_vars_prefix"),
		definitions:  definitionsOf(v),
		hostname:     v.text("hostname"),
		outstanding:  v.number("event_stream_max_outstanding_messages", 1, 1<<20),
		info:         infoOf(v),
		options:      v.shown(),
		maxChanges:   v.number("max_queued_root_group_updates", 1, 1<<20),
		prefix:       metricsPrefixOf(v),
		callbacks:    v.on("event_callbacks"),
		checks:       v.number("max_concurrent_marathon_health_checks", 1, 1<<16),
		noText:       !v.on("metrics_prometheus"),
	}
	cfg.http, warnings = httpOptionsOf(v)
	checkDeprecated(v)
	if v.text("master") == "" {
		v.fail("--master is required: zk://host1:port1,host2:port2/path, http(s)://host:port or host:port")
	}
	cfg.credential = credentialOf(v)
	if cfg.hostname == "" {
		if cfg.hostname, err = os.Hostname(); err != nil {
			v.fail("--hostname: the host has no name: %w", err)
		}
	}
	cfg.framework.Hostname, cfg.info.Marathon["hostname"] = cfg.hostname, cfg.hostname
	v.millis("zk_session_timeout")
	return cfg, warnings, v.err()
}

// credentialOf is how the framework authenticates; the zero value for not at all.
func credentialOf(v *values) master.Credential {
	if !v.on("mesos_authentication") {
		return master.Credential{}
	}
	c := master.Credential{
		Principal: v.text("mesos_authentication_principal"), Secret: v.secret("mesos_authentication_secret"),
	}
	if c.Principal == "" {
		v.fail("--mesos_authentication needs --mesos_authentication_principal")
	}
	return c
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
	for _, feature := range featuresOf(v) {
		switch feature {
		case "task_killing":
			f.KillingState = true
		case spec.FeatureGPUs:
			f.GPUs = true
		case spec.FeatureSecrets, spec.FeatureExternalVolumes, "vips": // see definitionsOf; labels of ports reach Mesos in any case
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

// checkDeprecated refuses features of older versions, which are all gone. That
// one is not wanted may be said.
func checkDeprecated(v *values) {
	known := []string{
		"sync_proxy", "json_schemas_resource", "api_heavy_events", "proxy_events", "kamon_metrics", "app_c",
		"sanitize_accepted_resource_roles", "text_plain_tasks",
	}
	for _, item := range listOf(v.text("deprecated_features")) {
		name, disabled := strings.CutPrefix(item, "disable_")
		switch {
		case !slices.Contains(known, name):
			v.fail("--deprecated_features: %q: expected disable_NAME, where NAME is one of %s", item, strings.Join(known, ", "))
		case !disabled:
			v.fail("--deprecated_features: %s is gone; remove it, or write disable_%s", item, item)
		}
	}
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
		Principal:      v.text("mesos_authentication_principal"),
		DeclineFor:     v.millis("decline_offer_duration"),
		ReviveInterval: v.millis("min_revive_offers_interval"),
		LaunchTimeout:  v.millis("task_launch_timeout"),
		ConfirmTimeout: v.millis("task_launch_confirm_timeout"),
		KillRetry:      v.millis("kill_retry_timeout"),

		ReservationTimeout: v.millis("task_reservation_timeout"),

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
	m.Terms = termsOf(v)
	return m
}

// termsOf reads which offers do for any app.
func termsOf(v *values) placement.Terms {
	const name = "accepted_resource_roles_default_behavior"
	roles := map[string]placement.DefaultRoles{
		"any": placement.AnyRole, "unreserved": placement.UnreservedOnly, "reserved": placement.ReservedOnly,
	}
	return placement.Terms{
		UnrestrictedGPUs: v.oneOf("gpu_scheduling_behavior", "restricted", "unrestricted") == "unrestricted",
		DefaultRoles:     roles[v.oneOf(name, "any", "unreserved", "reserved")],
		Draining:         time.Duration(v.number("draining_seconds", 0, maxMillis/1000)) * time.Second,
		NoMaintenance:    !v.on("maintenance_mode"),
	}
}

func featuresOf(v *values) []string { return listOf(v.text("enable_features")) }
