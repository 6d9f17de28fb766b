package main

// serveOptions are the options of `pacer serve`: all that Marathon 1.11 has, and
// Pacer's own at the end.
func serveOptions() []option {
	var all []option
	for _, group := range [][]option{
		mesosOptions(), storeOptions(), schedulingOptions(), httpOptions(), timingOptions(), tuningOptions(), removedOptions(), ownOptions(),
	} {
		all = append(all, group...)
	}
	return all
}

func mesosOptions() []option {
	return []option{
		{"master", "", text, used, "Mesos master: zk://host1:port1,host2:port2/path, http(s)://host:port or host:port (required)"},
		{"framework_name", "marathon", text, used, "name of the framework in Mesos"},
		{"failover_timeout", "604800", number, used, "seconds after which Mesos kills the tasks of a framework that does not return"},
		{"checkpoint", "on", toggle, used, "tasks survive a restart of the Mesos agent"},
		{"mesos_user", "", text, used, "user that runs tasks; default: the user that runs Pacer"},
		{"mesos_role", "*", text, used, "Mesos role of the framework and default role of apps"},
		{"webui_url", "", text, used, "address of the user interface as told to Mesos; default: this server's"},
		{"mesos_leader_ui_url", "", text, used, "address of the Mesos UI as told to clients; default: the leading master's own"},
		{"mesos_authentication", "off", toggle, used, "authenticate with the Mesos master"},
		{"mesos_authentication_principal", "", text, used, "principal of the framework"},
		{"mesos_authentication_secret", "", text, used, "secret of the principal"},
		{"mesos_authentication_secret_file", "", text, used, "file with the secret of the principal"},
		{"enable_features", "", text, used, "comma-separated: task_killing, gpu_resources, secrets, external_volumes, vips"},
		{"gpu_scheduling_behavior", "restricted", text, used, "restricted or unrestricted: whether apps without GPUs may use agents that have some"},
		{"executor", "//cmd", text, later, "apps name another executor themselves"},
		{"mesos_bridge_name", "mesos-bridge", text, used, "CNI network that Mesos' own containers have as their bridge"},
		{"default_network_name", "", text, used, "name of container networks that apps do not name"},
		{"accepted_resource_roles_default_behavior", "any", text, used, "whose resources apps take that name no acceptedResourceRoles: any (unreserved ones and those of their role), unreserved or reserved"},
		{"mesos_offer_constraints", "off", toggle, later, "offer constraints are not sent"},
		{"min_mesos_offer_constraints_update_interval", "1000", millis, idle, "offer constraints are not sent"},
		{"maintenance_mode", "on", toggle, used, "agents in maintenance take no instances"},
		{"draining_seconds", "0", number, used, "seconds before its maintenance from which on an agent takes no instances"},
		{"deprecated_features", "", text, used, "features of older versions: all are gone, so that only disable_NAME is taken"},
	}
}

func storeOptions() []option {
	return []option{
		{"zk", "zk://localhost:2181/marathon", text, used, "where the state and the election live: zk://[user:password@]host1:port1,host2:port2/path"},
		{"zk_session_timeout", "10000", millis, used, "ZooKeeper session timeout; the leader is replaced that long after it was lost"},
		{"ha", "on", toggle, used, "leader election; without it this server leads at once, and the store still fences off a second one"},
		{"zk_timeout", "10000", millis, idle, "operations end with the session"},
		{"zk_connection_timeout", "10000", millis, idle, "connecting is tried again until it succeeds"},
		{"zk_compression", "on", toggle, idle, "records are packed in another way"},
		{"zk_compression_threshold", "65536", number, idle, "records are packed in another way"},
		{"zk_max_node_size", "1024000", number, idle, "nodes are kept below ZooKeeper's limit in any case"},
		{"zk_max_versions", "50", number, used, "versions kept of each app, and of the tree of groups"},
		{"store_cache", "on", toggle, idle, "the whole state is in memory"},
		{"storage_compaction_interval", "30", number, idle, "the store folds its log by itself"},
		{"storage_compaction_scan_batch_size", "32", number, idle, "the store folds its log by itself"},
		{"group_versions_cache_size", "1000", number, idle, "the whole state is in memory"},
		{"backup_location", "", text, later, "there is no backup command"},
	}
}

func schedulingOptions() []option {
	return []option{
		{"local_port_min", "10000", number, used, "first service port that is given to apps"},
		{"local_port_max", "20000", number, used, "last service port that is given to apps"},
		{"env_vars_prefix", "", text, used, "prefix of the variables HOST and PORT… that tasks are given besides their own"},
		{"max_running_deployments", "100", number, used, "deployments beyond are refused"},
		{"max_queued_root_group_updates", "500", number, used, "changes that may wait for their turn; more are refused"},
		{"max_instances_per_offer", "100", number, used, "instances launched on one offer at a time, shared equally among the offers first (Marathon: 5)"},
		{"offer_matching_timeout", "3000", millis, used, "milliseconds for one match with all policies it asks"},
		{"decline_offer_duration", "120000", millis, used, "milliseconds for which a declined offer stays away"},
		{"min_revive_offers_interval", "5000", millis, used, "least milliseconds between two requests for offers"},
		{"suppress_offers", "on", toggle, later, "offers that nobody needs are always suppressed"},
		{"new_group_enforce_role", "off", text, used, "whether services of new top-level groups have the group's name as their role: off or top"},
		{"teardown_order", "dependants-first", text, used, "order in which a deployment takes apps down: dependants-first or dependencies-first"},
		{"max_apps", "", number, idle, "Marathon does not enforce it either"},
		{"launch_tokens", "100", number, idle, "launches are saved in batches, which needs no rate limit"},
		{"launch_token_refresh_interval", "30000", millis, idle, "launches are saved in batches, which needs no rate limit"},
		{"max_concurrent_marathon_health_checks", "256", number, used, "probes of health checks under way at a time"},
		{"plugin_dir", "", text, later, "plugins are policy modules here, see --policy_dir"},
		{"plugin_conf", "", text, later, "plugins are policy modules here, see --policy_dir"},
	}
}

func httpOptions() []option {
	return []option{
		{"hostname", "", text, used, "name of this host as told to others; default: the host's own"},
		{"http_address", "", text, used, "address to listen on; default: all"},
		{"http_port", "8080", number, used, "port to listen on; 0 takes a free one"},
		{"event_stream_max_outstanding_messages", "1024", number, used, "events that may wait for a slow listener before it is dropped"},
		{"leader_proxy_connection_timeout", "5000", millis, used, "milliseconds to connect to the leader"},
		{"leader_proxy_read_timeout", "10000", millis, used, "milliseconds for the leader's answer to begin"},
		{"leader_proxy_max_open_connections", "64", number, used, "connections to the leader, and so requests of a standby at a time"},
		{"leader_proxy_ssl_ignore_hostname", "off", toggle, used, "a standby does not compare the leader's certificate with its host name"},
		{"https_address", "", text, used, "address to listen on for HTTPS; default: all"},
		{"https_port", "8443", number, used, "port to listen on for HTTPS; 0 takes a free one"},
		{"http", "on", toggle, used, "listen for HTTP; --disable_http leaves HTTPS"},
		{"ssl_keystore_path", "", text, used, "file with the key and certificates of HTTPS: a keystore (JKS or PKCS #12), or PEM"},
		{"ssl_keystore_password", "", text, used, "password of the keystore and of its key"},
		{"http_credentials", "", text, used, "user:password that every request but those for /ping has to bring"},
		{"http_realm", "Mesosphere", text, used, "realm of --http_credentials"},
		{"http_compression", "on", toggle, used, "compress answers for clients that take gzip"},
		{"http_max_concurrent_requests", "", number, used, "requests at a time, the event stream's clients aside; more are refused; default: no limit"},
		{"access_control_allow_origin", "", text, used, "comma-separated: origin whose pages may read answers; of several the last counts, as in Marathon"},
		{"metrics_prometheus", "on", toggle, used, "/metrics/prometheus"},
		{"metrics_name_prefix", "marathon", text, used, "first word of the metrics that Marathon has as well"},
		{"metrics_statsd", "off", toggle, later, "metrics are read from /metrics"},
		{"metrics_statsd_host", "", text, later, "metrics are read from /metrics"},
		{"metrics_statsd_port", "", number, later, "metrics are read from /metrics"},
		{"metrics_statsd_transmission_interval_ms", "10000", millis, idle, "metrics are read from /metrics"},
		{"metrics_datadog", "off", toggle, later, "metrics are read from /metrics"},
		{"metrics_datadog_host", "", text, later, "metrics are read from /metrics"},
		{"metrics_datadog_port", "", number, later, "metrics are read from /metrics"},
		{"metrics_datadog_protocol", "udp", text, later, "metrics are read from /metrics"},
		{"metrics_datadog_api_key", "", text, later, "metrics are read from /metrics"},
		{"metrics_datadog_transmission_interval_ms", "10000", millis, idle, "metrics are read from /metrics"},
		{"logging_level", "info", text, used, "off, error, warn, info, debug, trace or all"},
		{"logstash", "", text, later, "the log goes to standard error"},
		{"sentry", "", text, later, "the log goes to standard error"},
		{"sentry_tags", "", text, later, "the log goes to standard error"},
	}
}

func timingOptions() []option {
	return []option{
		{"task_launch_confirm_timeout", "300000", millis, used, "milliseconds until a launched task has to be heard of"},
		{"task_launch_timeout", "300000", millis, used, "milliseconds until a launched task has to run"},
		{"kill_retry_timeout", "30000", millis, used, "milliseconds after which a kill is repeated"},
		{"reconciliation_initial_delay", "15000", millis, used, "milliseconds before the first repetition of reconciliation"},
		{"reconciliation_interval", "600000", millis, used, "milliseconds between reconciliations"},
		{"scale_apps_initial_delay", "15000", millis, idle, "the wanted number of instances holds at every moment"},
		{"scale_apps_interval", "300000", millis, idle, "the wanted number of instances holds at every moment"},
		{"task_reservation_timeout", "20000", millis, used, "how long to wait for a reservation to be offered before it is given up"},
		{"task_lost_expunge_initial_delay", "300000", millis, idle, "each unreachable instance has its own timer"},
		{"task_lost_expunge_interval", "30000", millis, idle, "each unreachable instance has its own timer"},
		{"on_elected_prepare_timeout", "180000", millis, idle, "loading the state has no time limit"},
		{"graceful_shutdown_timeout", "45000", millis, idle, "shutting down does not wait"},
	}
}

// tuningOptions size parts of Marathon that have no counterpart here.
func tuningOptions() []option {
	const none = "it tunes a part that Pacer does not have"
	var out []option
	for _, name := range []string{
		"mesos_heartbeat_interval", "mesos_heartbeat_failure_threshold",
		"zk_max_concurrency", "zk_operation_max_retries", "zk_operation_base_retry_sleep_ms",
		"group_manager_request_timeout", "launch_queue_request_timeout", "task_operation_notification_timeout",
		"deployment_manager_request_timeout", "killsPerBatch", "killBatchDuration", "kill_chunk_size", "max_parallel_offers",
		"max_queued_offers", "max_parallel_status_updates", "max_queued_status_updates", "task_tracker_request_timeout",
		"task_update_request_timeout", "instance_tracker_num_parallel_updates", "instance_tracker_num_parallel_loads",
		"instance_tracker_update_queue_size", "max_actor_startup_time", "group_manager_execution_context_size",
		"scheduler_actions_execution_context_size", "storage_execution_context_size", "app_info_module_execution_context_size",
		"default_info_service_execution_context_size", "metrics_histogram_reservoir_highest_trackable_value",
		"metrics_histogram_reservoir_significant_digits", "metrics_histogram_reservoir_resetting_interval_ms",
		"metrics_histogram_reservoir_resetting_chunks",
	} {
		out = append(out, option{name, "", number, idle, none})
	}
	for _, name := range []string{"leader_election_backend", "internal_store_backend", "assets_path"} {
		out = append(out, option{name, "", text, idle, none})
	}
	for _, name := range []string{"internal_version_caching", "metrics_histogram_reservoir_reset_periodically", "metrics"} {
		out = append(out, option{name, "on", toggle, idle, none})
	}
	return out
}

// removedOptions are those that Marathon 1.11 refuses as well.
func removedOptions() []option {
	const gone = "Marathon has removed it, too"
	var out []option
	for _, name := range []string{
		"default_accepted_resource_roles", "task_lost_expunge_gc", "tracing", "max_tasks_per_offer",
		"max_tasks_per_offer_cycle", "revive_offers_repetitions", "revive_offers_for_new_apps",
		"save_tasks_to_launch_timeout", "event_subscriber", "http_endpoints",
	} {
		out = append(out, option{name, "", text, later, gone})
	}
	return out
}

// ownOptions are Pacer's own.
func ownOptions() []option {
	return []option{
		{"admission_policies", "", text, used, "comma-separated: policies that review changes of apps and groups, in order, each as name or name:settings; see admission.md"},
		{"event_callbacks", "off", toggle, used, "send events to the URLs that clients name at /v2/eventSubscriptions, as Marathon did until 1.4"},
		{"fetch_policies", defaultFetchPolicies, text, used, "comma-separated: policies that decide what apps fetch, in order, each as name or name:settings; see fetching.md"},
		{"fetch_enforced", "off", toggle, used, "all agents are those of the embedded cluster, which check digests and limits that fetch policies set; Mesos' own do not"},
		{"policy_config", "", text, used, "file that lists policy modules, each with where it comes from, who has to have signed it and what it may do; see policies.md"},
		{"policy_dir", "", text, used, "folder of policy modules (*.wasm)"},
		{"policy_cache", "", text, used, "folder that keeps compiled policy modules; default: none are kept"},
	}
}

// envAliases are further names of environment variables, and their options.
func envAliases() map[string]string {
	return map[string]string{
		"MESOSPHERE_HTTP_CREDENTIALS": "http_credentials",
		"MESOSPHERE_KEYSTORE_PATH":    "ssl_keystore_path",
		"MESOSPHERE_KEYSTORE_PASS":    "ssl_keystore_password",
	}
}
