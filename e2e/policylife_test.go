package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

// moduleInC builds one version of testdata/near.
func moduleInC(t *testing.T, version, target string, flags ...string) {
	t.Helper()
	args := append([]string{
		"--target=wasm32", "-nostdlib", "-O2", "-I", "../sdk/c", "-Wl,--no-entry", "-Wl,--stack-first", "-Wl,-z,stack-size=32768",
		`-DVERSION="` + version + `"`, "-o", target, "testdata/near/near.c",
	}, flags...)
	if out, err := exec.CommandContext(t.Context(), "clang", args...).CombinedOutput(); err != nil {
		t.Fatalf("building testdata/near, which needs clang and lld: %v\n%s", err, out)
	}
}

// TestLifeOfAModule: a new version of a module that traps is quarantined and rolled
// back by itself, the app that waited gets its places, and a better one is compared
// and promoted. All of it is told.
func TestLifeOfAModule(t *testing.T) {
	dir := t.TempDir()
	near := filepath.Join(dir, "near.wasm")
	moduleInC(t, "1", near)
	moduleInC(t, "3", filepath.Join(dir, "next.wasm"))
	list := "modules:\n  - {name: near, ref: file:near.wasm}\n  - {name: next, ref: file:next.wasm, mode: off, of: near}\n"
	config := filepath.Join(dir, "policies.yaml")
	if err := os.WriteFile(config, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	_, a := dev(t, dataDir(t), "--policy-config", config)
	events := a.events(t)
	module := func(name string, want ...string) {
		t.Helper()
		text := a.must(t, "GET", "/pacer/v1/policies/"+name, "")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("no %s in %s", w, text)
			}
		}
	}
	module("near", `"version":"1"`, `"state":"active"`, `"traps":0`, `"onFailure":{"constraint":"closed"}`, `"breaker":{"state":"closed"}`)

	// Replaced, not written: the server must not read half a file by itself.
	moduleInC(t, "2", near+".new", "-DTRAP")
	if err := os.Rename(near+".new", near); err != nil {
		t.Fatal(err)
	}
	if text := a.must(t, "GET", "/pacer/v1/policies/near", ""); !strings.Contains(text, `"version":"2"`) {
		a.must(t, "POST", "/pacer/v1/policies/near/reload", "")
	}
	awaitEvent(t, events, "policy_state_event", `"module":"near","version":"2"`)
	a.must(t, "POST", "/v2/apps", withConstraint("/near", 2, `"rack_id","NEAR"`))
	awaitEvent(t, events, "policy_fault_event", `"kind":"constraint","appId":"/near","cause":"constraint_evaluate: unreachable","trap":true`)
	until(t, "the queue tells of the fault", func() bool {
		text := a.must(t, "GET", "/v2/queue?embed=lastUnusedOffers", "")
		return strings.Contains(text, "policy module near@2: constraint_evaluate: unreachable") && strings.Contains(text, `"rejectSummaryLastOffers"`) &&
			strings.Contains(text, `"lastUnusedOffers":[]`)
	})
	for faults := 2; faults <= 5; faults++ { // in a minute
		a.try(t, "DELETE", "/v2/queue//near/delay", "") // it is tried anew at once
		until(t, "the module fails again", func() bool {
			var m struct{ Faults int }
			return json.Unmarshal([]byte(a.must(t, "GET", "/pacer/v1/policies/near", "")), &m) == nil && m.Faults >= faults
		})
	}
	awaitEvent(t, events, "policy_state_event", `"state":"quarantined","cause":"constraint_evaluate: unreachable"`)
	awaitEvent(t, events, "policy_state_event", `"state":"active","cause":"rolled back from near@2`)
	a.running(t, "/near", 2)
	module("near", `"version":"1"`, `"state":"active"`, `"notice":"rolled back from near@2`, `"lastFault":`)
	metric := a.must(t, "GET", "/metrics", "")
	if !regexp.MustCompile(`(?m)^pacer_policy_traps_total\{[^}]*module="near"[^}]*\} [5-9]`).MatchString(metric) {
		t.Errorf("no five traps of near in %s", metric)
	}

	a.must(t, "POST", "/pacer/v1/policies/next/shadow", "")
	a.must(t, "POST", "/v2/apps", withConstraint("/compared", 1, `"rack_id","NEAR"`))
	a.running(t, "/compared", 1)
	until(t, "answers are compared", func() bool {
		return regexp.MustCompile(`"compared":\{"compared":[1-9]\d*,"disagreements":0`).MatchString(a.must(t, "GET", "/pacer/v1/policies/next", ""))
	})
	a.must(t, "POST", "/pacer/v1/policies/next/promote", "")
	awaitEvent(t, events, "policy_state_event", `"state":"active","cause":"promoted from next"`)
	module("near", `"version":"3"`, `"state":"active"`, `"notice":"promoted from next"`)
	a.must(t, "POST", "/v2/apps", withConstraint("/after", 1, `"rack_id","NEAR"`))
	a.running(t, "/after", 1)
}

// TestLeadersWithDifferentModules: two servers with different lists of modules. Who
// comes to lead tells what is missing, apps that need it say so, and a module that
// somebody switched off stays off.
func TestLeadersWithDifferentModules(t *testing.T) {
	zk, dir := zktest.New(t), t.TempDir()
	moduleInC(t, "1", filepath.Join(dir, "near.wasm"))
	zoo, err := filepath.Abs("../runtime/policy/wasm/testdata/zoo.wasm")
	if err != nil {
		t.Fatal(err)
	}
	list := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("modules:\n  - {name: zoo, ref: 'file:"+zoo+"'}\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	start(t, "cluster", "--agents", "2", "--zk", zk.URL("/mesos"), "--data-dir", dataDir(t), "--listen", "127.0.0.1:0").printed(t, "ready")
	first, firstAPI := serve(t, zk, "--policy_config", list("first.yaml", "  - {name: near, ref: file:near.wasm}\n"))
	firstAPI.leads(t)
	firstAPI.framework(t)
	_, standby := serve(t, zk, "--policy_config", list("second.yaml", ""))
	standby.leads(t)
	firstAPI.must(t, "POST", "/v2/apps", withConstraint("/near", 1, `"rack_id","NEAR"`))
	before := firstAPI.running(t, "/near", 1)
	standby.must(t, "POST", "/pacer/v1/policies/zoo/disable", "") // the leader does it

	first.kill()
	until(t, "the standby leads", func() bool {
		status, text := standby.try(t, "GET", "/v2/leader", "")
		return status == http.StatusOK && strings.Contains(text, strings.TrimPrefix(string(standby), "http://"))
	})
	has := func(path string, want ...string) {
		t.Helper()
		text := standby.must(t, "GET", path, "")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("no %s in %s", w, text)
			}
		}
	}
	has("/pacer/v1/policies/zoo", `"state":"off"`, `"choice":{"mode":"off"`)
	was := strings.TrimPrefix(string(firstAPI), "http://")
	has("/pacer/v1/policies/near", `"state":"missing"`, `"operators":["NEAR"]`, "the last leader, "+was+", asked near@1 (")
	if after := standby.running(t, "/near", 1); !slices.Equal(after.taskIDs(), before.taskIDs()) {
		t.Errorf("tasks %v, before %v", after.taskIDs(), before.taskIDs())
	}
	standby.must(t, "PUT", "/v2/apps/near", `{"instances":2}`)
	until(t, "the app says what is missing", func() bool {
		_, text := standby.try(t, "GET", "/pacer/v1/apps/near/why", "")
		return strings.Contains(text, `"fault":{"module":"near@1","kind":"constraint","cause":`) &&
			strings.Contains(text, "the policy module near (near@1), of which the last leader, "+was+", had NEAR, is not on this server")
	})
}
