package cluster_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster"
	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

func TestParseAttributes(t *testing.T) {
	got, err := cluster.ParseAttributes("rack_id:rack-1; zone_num:7;ratio:0.25;slots:[1-3,5-9];rack_id:b;url:http://x;neg:-1;")
	if err != nil {
		t.Fatal(err)
	}
	want := []cluster.Attribute{
		{Name: "rack_id", Kind: mesos.TEXT, Text: "rack-1"},
		{Name: "zone_num", Kind: mesos.SCALAR, Scalar: 7},
		{Name: "ratio", Kind: mesos.SCALAR, Scalar: 0.25},
		{Name: "slots", Kind: mesos.RANGES, Ranges: []resource.Range{{Begin: 1, End: 3}, {Begin: 5, End: 9}}},
		{Name: "rack_id", Kind: mesos.TEXT, Text: "b"},
		{Name: "url", Kind: mesos.TEXT, Text: "http://x"},
		{Name: "neg", Kind: mesos.TEXT, Text: "-1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, in := range []string{"a", "a:", ":b", "a:{b}", "a:[3-1]"} {
		if _, err := cluster.ParseAttributes(in); err == nil {
			t.Errorf("%q is taken", in)
		}
	}
}

// Faults of a configuration name the field.
func TestConfigFaults(t *testing.T) {
	for want, change := range map[string]func(*cluster.Config){
		"listen":                  func(c *cluster.Config) { c.Listen = "nonsense" },
		"heartbeat interval":      func(c *cluster.Config) { c.HeartbeatInterval = -time.Second },
		"executor command":        func(c *cluster.Config) { c.Executor = cluster.Process },
		"work dir":                func(c *cluster.Config) { c.Executor, c.ExecutorCommand = cluster.Process, []string{"x"} },
		"agent 1: resources":      func(c *cluster.Config) { c.Agents[0].Resources = "" },
		"agent 1: resource \"x\"": func(c *cluster.Config) { c.Agents[0].Resources = "x" },
		"agent 1: attribute":      func(c *cluster.Config) { c.Agents[0].Attributes = "x" },
		"agent 1: hostname":       func(c *cluster.Config) { c.Agents[0].Hostname = "a b" },
		"agent 1: region":         func(c *cluster.Config) { c.Agents[0].Region = "r" },
	} {
		c, err := cluster.Start(t.Context(), fast(change))
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %s", err, want)
		}
	}
}

// Shares never add up to more than the machine, have disjoint ports, and are a valid configuration.
func TestShares(t *testing.T) {
	for _, n := range []int{1, 3, 7} {
		shares, err := cluster.Shares(n, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		var sum resource.Set
		for _, a := range shares {
			s, err := resource.Parse(a.Resources, "*")
			if err != nil {
				t.Fatal(err)
			}
			if sum.Contains(s.Keep(func(r resource.Resource) bool { return r.Name == "ports" })) {
				t.Errorf("ports of %v are given twice", a)
			}
			sum = sum.Plus(s)
		}
		if diff := cmp.Diff([]resource.Range{{Begin: 31000, End: 31999}}, sum.Numbers("ports")); diff != "" {
			t.Error(diff)
		}
		c := start(t, fast(agents(shares...)))
		if got := len(c.AgentIDs()); got != n {
			t.Errorf("%d agents, want %d", got, n)
		}
	}
	for _, n := range []int{0, 1001} {
		if _, err := cluster.Shares(n, t.TempDir()); err == nil {
			t.Errorf("%d shares", n)
		}
	}
}
