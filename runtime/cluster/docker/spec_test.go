package docker

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/registry"
)

func TestParameters(t *testing.T) {
	s := Spec{Image: "i", Network: "bridge", CPUs: 0.5, Memory: 1 << 20, Ports: []Port{{Host: 31000, Container: 80, Protocol: "udp"}}}
	s.Parameters = []Parameter{
		{"hostname", "h"},
		{"cap-add", "NET_ADMIN"},
		{"label", "a=b=c"},
		{"ulimit", "nofile=10:20"},
		{"shm-size", "64m"},
		{"init", ""},
		{"read-only", "false"},
		{"device", "/dev/null:/dev/x:r"},
		{"memory-swap", "-1"},
		{"dns", "10.0.0.1"},
		{"cpus", "1.5"},
		{"tmpfs", "/run:size=1m"},
		{"sysctl", "net.core.somaxconn=1"},
		{"entrypoint", "/e"},
		{"network-alias", "web"},
		{"v", "/a:/b:ro"},
	}
	config, host, ends, err := s.options()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{
		"hostname": config.Hostname, "labels": config.Labels, "entrypoint": config.Entrypoint, "caps": host.CapAdd,
		"ulimit": host.Ulimits[0].String(), "shm": host.ShmSize, "init": *host.Init, "read-only": host.ReadonlyRootfs,
		"device": host.Devices[0].PathInContainer + " " + host.Devices[0].CgroupPermissions, "swap": host.MemorySwap,
		"dns": host.DNS[0].String(), "cpus": host.NanoCPUs, "tmpfs": host.Tmpfs, "sysctl": host.Sysctls,
		"alias": ends.EndpointsConfig["bridge"].Aliases, "binds": host.Binds, "shares": host.CPUShares, "memory": host.Memory,
	}
	want := map[string]any{
		"hostname": "h", "labels": map[string]string{"a": "b=c"}, "entrypoint": []string{"/e"}, "caps": []string{"NET_ADMIN"},
		"ulimit": "nofile=10:20", "shm": int64(64 << 20), "init": true, "read-only": false, "device": "/dev/x r", "swap": int64(-1),
		"dns": "10.0.0.1", "cpus": int64(1.5e9), "tmpfs": map[string]string{"/run": "size=1m"},
		"sysctl": map[string]string{"net.core.somaxconn": "1"}, "alias": []string{"web"}, "binds": []string{"/a:/b:ro"},
		"shares": int64(512), "memory": int64(32 << 20),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for port, bindings := range host.PortBindings {
		if port.String() != "80/udp" || bindings[0].HostPort != "31000" {
			t.Errorf("port %v %v", port, bindings)
		}
	}
}

func TestParametersRefused(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"colour", "blue", "parameter 'colour' is not supported by this agent, which knows add-host, "},
		{"memory", "much", "parameter 'memory': got 'much', expected a size such as 64m"},
		{"cpus", "0", "parameter 'cpus': got '0', expected a number above 0"},
		{"privileged", "maybe", "parameter 'privileged': got 'maybe', expected true or false"},
		{"dns", "x", "parameter 'dns': got 'x', expected an IP address"},
		{"label", "=x", "parameter 'label': got '=x', expected name=value"},
		{"device", ":x", "parameter 'device': got ':x', expected host[:container[:permissions]]"},
		{"pids-limit", "few", "parameter 'pids-limit': got 'few', expected a number"},
		{"ulimit", "x", "parameter 'ulimit': "},
	} {
		err := Spec{Parameters: []Parameter{{c.key, c.value}}}.Check()
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s=%s: %v, want %s", c.key, c.value, err, c.want)
		}
	}
}

func TestReadLogins(t *testing.T) {
	const auth = "YW5uOnNlY3JldA==" // ann:secret
	for _, c := range []struct {
		name, file, text string
		want             Logins
		fault            string
	}{
		{name: "none"},
		{
			name: "docker.tar.gz", file: ".docker/config.json", text: `{"auths":{"https://index.docker.io/v1/":{"auth":"` + auth + `"}}}`,
			want: Logins{"docker.io": registry.AuthConfig{Username: "ann", Password: "secret", ServerAddress: "https://index.docker.io/v1/"}},
		},
		{
			name: "the older form", file: ".dockercfg", text: `{"registry.example.com:5000":{"auth":"` + auth + `","email":"x"}}`,
			want: Logins{"registry.example.com:5000": registry.AuthConfig{Username: "ann", Password: "secret", ServerAddress: "registry.example.com:5000"}},
		},
		{name: "not JSON", file: ".dockercfg", text: `{`, fault: ".dockercfg: "},
		{name: "no credentials", file: ".dockercfg", text: `{"r":{"auth":"?"}}`, fault: "credentials of r: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := fstest.MapFS{}
			if c.file != "" {
				home[c.file] = &fstest.MapFile{Data: []byte(c.text)}
			}
			got, err := ReadLogins(home)
			if c.fault != "" {
				if err == nil || !strings.HasPrefix(err.Error(), c.fault) {
					t.Errorf("got %v, want %s", err, c.fault)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
}
