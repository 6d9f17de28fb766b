package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/spec"
)

// read parses a command line of `pacer serve` in an environment.
func read(t *testing.T, environ []string, args ...string) (*values, []string, error) {
	t.Helper()
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	addOptions(flags, serveOptions())
	if err := flags.Parse(args); err != nil {
		return nil, nil, err
	}
	return readOptions(flags, serveOptions(), environ)
}

func TestOptionsFromFlagsAndEnvironment(t *testing.T) {
	for _, tt := range []struct {
		name    string
		environ []string
		args    []string
		option  string
		want    string
	}{
		{"default", nil, nil, "framework_name", "marathon"},
		{"underscores", nil, []string{"--framework_name", "x"}, "framework_name", "x"},
		{"dashes", nil, []string{"--framework-name=x"}, "framework_name", "x"},
		{"environment", []string{"MARATHON_FRAMEWORK_NAME=x"}, nil, "framework_name", "x"},
		{"own environment wins", []string{"MARATHON_FRAMEWORK_NAME=x", "PACER_FRAMEWORK_NAME=y"}, nil, "framework_name", "y"},
		{"flag wins", []string{"PACER_FRAMEWORK_NAME=y"}, []string{"--framework_name", "z"}, "framework_name", "z"},
		{"toggle's default", nil, nil, "ha", "on"},
		{"toggle off", nil, []string{"--disable_ha"}, "ha", "off"},
		{"toggle off with dashes", nil, []string{"--disable-ha"}, "ha", "off"},
		{"toggle by an empty variable", []string{"MARATHON_DISABLE_CHECKPOINT="}, nil, "checkpoint", "off"},
		{"toggle by a variable", []string{"MARATHON_CHECKPOINT=false"}, nil, "checkpoint", "off"},
		{"variables of tasks are not options", []string{"MARATHON_APP_ID=/pacer", "MARATHON_APP_FRAMEWORK_NAME=x"}, nil, "framework_name", "marathon"},
		{"HTTP off", nil, []string{"--disable_http"}, "http", "off"},
		{"HTTP off by a variable", []string{"MARATHON_DISABLE_HTTP="}, nil, "http", "off"},
		{"credentials", []string{"MESOSPHERE_HTTP_CREDENTIALS=a:b"}, nil, "http_credentials", "a:b"},
		{"the option's own variable wins", []string{"MARATHON_HTTP_CREDENTIALS=c:d", "MESOSPHERE_HTTP_CREDENTIALS=a:b"}, nil, "http_credentials", "c:d"},
		{"keystore", []string{"MESOSPHERE_KEYSTORE_PATH=/k"}, nil, "ssl_keystore_path", "/k"},
		{"keystore's password", []string{"MESOSPHERE_KEYSTORE_PASS=p"}, nil, "ssl_keystore_password", "p"},
		{"camel case", nil, []string{"--killsPerBatch", "7"}, "killsPerBatch", "7"},
		{"unsupported at its default", nil, []string{"--executor", "//cmd"}, "executor", "//cmd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, _, err := read(t, tt.environ, tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			if got := v.text(tt.option); got != tt.want {
				t.Errorf("%s = %q, want %q", tt.option, got, tt.want)
			}
		})
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name    string
		environ []string
		args    []string
		want    string
	}{
		{"unknown flag", nil, []string{"--frobnicate"}, "unknown flag: --frobnicate"},
		{"unknown variable", []string{"MARATHON_FROBNICATE=1"}, nil, "MARATHON_FROBNICATE: there is no option --frobnicate"},
		{"not supported", nil, []string{"--logstash", "udp://h:1"}, "--logstash is not supported by this version of Pacer: the log goes"},
		{"not supported, by variable", []string{"MARATHON_PLUGIN_DIR=/p"}, nil, "--plugin_dir is not supported"},
		{"toggle not supported", nil, []string{"--disable_suppress_offers"}, "--disable_suppress_offers is not supported"},
		{"removed", nil, []string{"--event_subscriber", "http_callback"}, "--event_subscriber is not supported"},
		{"bad number of an option without effect", nil, []string{"--max_queued_offers", "many"}, `--max_queued_offers: "many": expected a whole number`},
		{"bad toggle", []string{"MARATHON_HA=maybe"}, nil, `MARATHON_HA: "maybe": expected true or false`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := read(t, tt.environ, tt.args...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOptionsWithoutEffectAreNamed(t *testing.T) {
	_, warnings, err := read(t, []string{"MARATHON_LAUNCH_TOKENS=7"}, "--zk_compression")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"--launch_tokens has no effect: launches are saved in batches, which needs no rate limit",
		"--zk_compression has no effect: records are packed in another way",
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Error(diff)
	}
}

func TestEveryOptionIsListedOnce(t *testing.T) {
	var names []string
	for _, o := range serveOptions() {
		names = append(names, o.name)
	}
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("%d names for %d options", len(unique), len(names))
	}
}

func TestSecretFromFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, _, err := read(t, nil, "--mesos_authentication_secret_file", file)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.secret("mesos_authentication_secret"); got != "s3cret" {
		t.Errorf("secret %q, want s3cret", got)
	}
	v, _, err = read(t, nil, "--mesos_authentication_secret_file", file, "--mesos_authentication_secret", "x")
	if err != nil {
		t.Fatal(err)
	}
	if v.secret("mesos_authentication_secret"); v.err() == nil {
		t.Error("both forms of a secret are taken")
	}
}

// TestExitCodes runs whole command lines that end before anything starts.
func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string // on stderr
	}{
		{"unknown flag", []string{"serve", "--nope"}, exitFlag, "unknown flag: --nope"},
		{"no master", []string{"serve"}, exitFlag, "--master is required"},
		{"bad number", []string{"serve", "--master", "m", "--http_port", "http"}, exitFlag, "--http_port"},
		{"bad range", []string{"serve", "--master", "m", "--local_port_min", "9", "--local_port_max", "8"}, exitFlag, "--local_port_min: 9"},
		{"bad feature", []string{"serve", "--master", "m", "--enable_features", "maintenance_mode"}, exitFlag, `"maintenance_mode": expected`},
		{"feature that is gone", []string{"serve", "--master", "m", "--deprecated_features", "text_plain_tasks"}, exitFlag, "text_plain_tasks is gone"},
		{"no such deprecated feature", []string{"serve", "--master", "m", "--deprecated_features", "disable_x"}, exitFlag, `"disable_x": expected`},
		{"neither HTTP nor HTTPS", []string{"serve", "--master", "m", "--disable_http"}, exitFlag, "--disable_http needs HTTPS"},
		{"password without keystore", []string{"serve", "--master", "m", "--ssl_keystore_password", "x"}, exitFlag, "--ssl_keystore_path"},
		{"no keystore there", []string{"serve", "--master", "m", "--ssl_keystore_path", filepath.Join(t.TempDir(), "none.jks")}, exitFlag, "--ssl_keystore_path"},
		{"no requests at all", []string{"serve", "--master", "m", "--http_max_concurrent_requests", "0"}, exitFlag, "--http_max_concurrent_requests"},
		{"bad number without effect", []string{"serve", "--master", "m", "--zk_timeout", "soon"}, exitFlag, "--zk_timeout"},
		{"bad prefix of metrics", []string{"serve", "--master", "m", "--metrics_name_prefix", "a.b"}, exitFlag, "--metrics_name_prefix"},
		{"bad zk", []string{"serve", "--master", "127.0.0.1:1", "--zk", "http://x"}, exitFlag, "--zk"},
		{"bad level", []string{"serve", "--master", "m", "--logging_level", "loud"}, exitFlag, "--logging_level"},
		{"argument", []string{"dev", "now"}, exitFlag, `unexpected argument "now"`},
		{"no agents", []string{"dev", "--agents", "0", "--data-dir", t.TempDir()}, exitFlag, "--agents: 0"},
		{"bad attributes", []string{"dev", "--attributes", "rack", "--data-dir", t.TempDir()}, exitFlag, "--attributes"},
		{"attributes for some", []string{"dev", "--attributes", "a:b", "--attributes", "a:c", "--data-dir", t.TempDir()}, exitFlag, "given 2 times for 3 agents"},
		{"cluster with a bad zk", []string{"cluster", "--zk", "localhost", "--data-dir", t.TempDir()}, exitFlag, "--zk"},
		{"dump of nothing", []string{"store", "dump"}, exitFlag, "--data-dir or --zk"},
		{"version", []string{"version"}, exitOK, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), shell{args: tt.args, stdout: &stdout, stderr: &stderr})
			if code != tt.code || !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("exit code %d, %q; want %d and %q", code, &stderr, tt.code, tt.want)
			}
		})
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	var stderr bytes.Buffer
	run(t.Context(), shell{args: []string{"serve", "--master", "m", "--zk", "zk://user:hunter2@"}, stderr: &stderr})
	if strings.Contains(stderr.String(), "hunter2") {
		t.Errorf("the password is in %q", &stderr)
	}
	v, _, err := read(t, nil, "--master", "zk://user:hunter2@h:1/mesos", "--zk", "zk://user:hunter2@h:1/marathon",
		"--fetch_policies", "mirror:ftp://me:hunter2@old/=https://hunter2@new/a@b;http://x/=http://y/")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("zk://xxxxxxxx:xxxxxxxx@h:1/marathon", v.shown()["zk"]); diff != "" {
		t.Error(diff)
	}
	if got := v.shown()["fetch_policies"]; got != "mirror:ftp://xxxxxxxx@old/=https://xxxxxxxx@new/a@b;http://x/=http://y/" {
		t.Errorf("fetch policies are shown as %v", got)
	}
	info := infoOf(v)
	if strings.Contains(info.ZooKeeper["zk"].(string), "hunter2") || strings.Contains(info.Marathon["master"].(string), "hunter2") {
		t.Errorf("the password is in %v, %v", info.ZooKeeper["zk"], info.Marathon["master"])
	}
}

// A folder that was mistyped is not an empty state, and looking makes nothing.
func TestDumpOfAFolderWithoutState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mistyped")
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), shell{args: []string{"store", "dump", "--data-dir", dir}, stdout: &stdout, stderr: &stderr})
	if code != exitFlag || !strings.Contains(stderr.String(), "--data-dir") || !strings.Contains(stderr.String(), dir) {
		t.Errorf("exit code %d, %q; want %d and the flag with %s", code, &stderr, exitFlag, dir)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder was made: %v", err)
	}
}

// The settings of `pacer dev` that /v2/info tells are those it runs with.
func TestInfoOfDev(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg := devNode(devFlags{httpAddress: "127.0.0.1"}, l, "127.0.0.1:5050")
	want := map[string]any{
		"checkpoint": true, "executor": "//cmd", "failover_timeout": int(cfg.framework.FailoverTimeout.Seconds()),
		"features": []string{}, "framework_name": cfg.framework.Name, "ha": false, "hostname": "127.0.0.1",
		"master": "127.0.0.1:5050", "mesos_role": "*", "mesos_user": cfg.framework.User, "webui_url": cfg.framework.WebUIURL,
		"min_revive_offers_interval": int(cfg.core.ReviveInterval.Milliseconds()),
		"decline_offer_duration":     int(cfg.core.DeclineFor.Milliseconds()),
		"local_port_min":             cfg.core.FirstPort, "local_port_max": cfg.core.LastPort,
		"task_launch_timeout":          int(cfg.core.LaunchTimeout.Milliseconds()),
		"task_launch_confirm_timeout":  int(cfg.core.ConfirmTimeout.Milliseconds()),
		"reconciliation_initial_delay": int(cfg.core.ReconcileRound.Milliseconds()),
		"reconciliation_interval":      int(cfg.core.ReconcileEvery.Milliseconds()),
		"offer_matching_timeout":       int(cfg.matchTimeout.Milliseconds()),
		"maintenance_mode":             true,
	}
	if diff := cmp.Diff(want, cfg.info.Marathon); diff != "" {
		t.Errorf("marathon_config (-want +got):\n%s", diff)
	}
	for name, value := range cfg.info.Marathon {
		if value == 0 {
			t.Errorf("%s is 0", name)
		}
	}
}

// Without --mesos_user tasks run as the user that runs the server.
func TestInfoNamesTheUserOfTasks(t *testing.T) {
	v, _, err := read(t, nil, "--master", "h:5050", "--zk", "zk://h:1/marathon")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := infoOf(v).Marathon["mesos_user"], frameworkOf(v).User; got != want {
		t.Errorf("mesos_user is %v, want %v", got, want)
	}
}

func TestHTTPOptions(t *testing.T) {
	for _, tt := range []struct {
		name     string
		args     []string
		want     api.HTTPOptions
		warnings int
	}{
		{"default", nil, api.HTTPOptions{Realm: "Mesosphere", Compress: true}, 0},
		{"credentials", []string{"--http_credentials", "ann:a:b", "--http_realm", "R"}, api.HTTPOptions{User: "ann", Password: "a:b", Realm: "R", Compress: true}, 0},
		{"malformed credentials leave it open", []string{"--http_credentials", "ann"}, api.HTTPOptions{Realm: "Mesosphere", Compress: true}, 1},
		{"the last origin counts", []string{"--access_control_allow_origin", "http://a, http://b"}, api.HTTPOptions{Realm: "Mesosphere", Compress: true, AllowOrigin: "http://b"}, 0},
		{"limits", []string{"--http_max_concurrent_requests", "9", "--disable_http_compression"}, api.HTTPOptions{Realm: "Mesosphere", MaxRequests: 9}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, _, err := read(t, nil, tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			got, warnings := httpOptionsOf(v)
			if diff := cmp.Diff(tt.want, got); diff != "" || v.err() != nil || len(warnings) != tt.warnings {
				t.Errorf("error %v, warnings %q, -want +got:\n%s", v.err(), warnings, diff)
			}
		})
	}
}

// What definitions may use is what the options say, and /v2/info shows it.
func TestOptionsReachDefinitions(t *testing.T) {
	v, _, err := read(t, nil, "--master", "m", "--enable_features", "secrets, external_volumes,gpu_resources,vips", "--mesos_role", "web",
		"--default_network_name", "overlay", "--mesos_bridge_name", "br", "--new_group_enforce_role", "top")
	if err != nil {
		t.Fatal(err)
	}
	cfg, _, err := configOf(v, shell{stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	want := spec.Settings{
		Role: "web", Features: []string{"secrets", "external_volumes", "gpu_resources"}, DefaultNetwork: "overlay", BridgeName: "br",
		EnforceNewGroups: true,
	}
	if diff := cmp.Diff(want, cfg.settings()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if cfg.info.Marathon["default_network_name"] != "overlay" || cfg.info.Marathon["mesos_bridge_name"] != "br" {
		t.Errorf("/v2/info shows %v", cfg.info.Marathon)
	}
}

// Every option that has no effect, or is refused, says why.
func TestOptionsHaveAReason(t *testing.T) {
	for _, o := range serveOptions() {
		if o.meaning == "" {
			t.Errorf("--%s says nothing", o.name)
		}
	}
}
