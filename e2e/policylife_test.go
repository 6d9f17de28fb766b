package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
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
	for range 4 { // each asks the module, too: five faults in a minute
		a.must(t, "GET", "/pacer/v1/apps//near/why", "")
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
