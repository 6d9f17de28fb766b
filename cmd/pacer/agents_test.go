package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestAgentsOfADevCluster(t *testing.T) {
	agents, err := agentConfigs(3, t.TempDir(), []string{"zone:a;disk:ssd"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := agents[1].Attributes, "rack_id:rack-2;zone:a;disk:ssd"; got != want {
		t.Errorf("attributes %q, want %q", got, want)
	}
	if a, b := agents[0].Hostname, agents[2].Hostname; a != "127.0.0.1" || b != "127.0.0.3" {
		t.Errorf("host names %q and %q", a, b)
	}
	if strings.HasPrefix(agents[0].Resources, "cpus:0") {
		t.Errorf("resources %q have no room for one cpu", agents[0].Resources)
	}
}

func TestAttributesReplaceThoseOfTheSameName(t *testing.T) {
	agents, err := agentConfigs(2, t.TempDir(), []string{"rack_id:north", "rack_id:south;zone:b"})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := agents[0].Attributes, agents[1].Attributes; a != "rack_id:north" || b != "rack_id:south;zone:b" {
		t.Errorf("attributes %q and %q", a, b)
	}
}

func TestRaiseCPUs(t *testing.T) {
	for in, want := range map[string]string{
		"cpus:0.6;mem:64": "cpus:4;mem:64",
		"cpus:16;mem:64":  "cpus:16;mem:64",
		"mem:64":          "mem:64",
	} {
		if got := raiseCPUs(in); got != want {
			t.Errorf("raiseCPUs(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestDefaultDataDir(t *testing.T) {
	for _, tt := range []struct {
		environ []string
		want    string
	}{
		{[]string{"HOME=/home/u"}, "/home/u/.local/share/pacer/dev"},
		{[]string{"HOME=/home/u", "XDG_DATA_HOME=/data"}, "/data/pacer/dev"},
		{nil, filepath.Join("pacer-data", "dev")},
	} {
		if got := defaultDataDir(tt.environ, "dev"); got != tt.want {
			t.Errorf("defaultDataDir(%q) = %q, want %q", tt.environ, got, tt.want)
		}
	}
}
