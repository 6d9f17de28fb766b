package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestPlanRefusesLikeTheChange: what refuses a change refuses its plan, with the
// same words.
func TestPlanRefusesLikeTheChange(t *testing.T) {
	w := newWorld(scriptConfig)
	for path, body := range map[string]string{
		"/v2/apps/a":         `{"cmd":"x","instances":0}`,
		"/v2/groups/g":       `{"apps":[{"id":"x","cmd":"x","instances":0}],"groups":[{"id":"h"}]}`,
		"/v2/groups/big":     `{"apps":[{"id":"x","cmd":"x","labels":{"MARATHON_SINGLE_INSTANCE_APP":"true"},"upgradeStrategy":{"minimumHealthCapacity":0,"maximumOverCapacity":0}}]}`,
		"/v2/groups/enforce": `{"enforceRole":true,"apps":[{"id":"x","cmd":"x","instances":0}]}`,
	} {
		if code, text := send(w, http.MethodPut, path, body); code >= 300 {
			t.Fatalf("%s: %d %s", path, code, text)
		}
	}
	const old = "2020-01-01T00:00:00.000Z"
	for _, tt := range []struct {
		method, path, body string
		query, plan        string // of the plan; "" for the body of the change
	}{
		{"PUT", "/v2/apps/a", `{"cpus":-1,"constraints":[["x","NEAR"]]}`, "app=/a", ""},
		{"PUT", "/v2/apps/a", `{"cpus":"many"}`, "app=/a", ""},
		{"PUT", "/v2/apps/a", `{"cpus":`, "app=/a", ""},
		{"PUT", "/v2/apps/a", ``, "app=/a", ""},
		{"PUT", "/v2/apps/a", `[]`, "app=/a", ""},
		{"PUT", "/v2/apps/a", `{"version":"` + old + `"}`, "app=/a", ""},
		{"PUT", "/v2/apps/a", `{"version":"` + old + `","cmd":"x"}`, "app=/a", ""},
		{"PUT", "/v2/apps/a?partialUpdate=false", `{"instances":1}`, "app=/a&partialUpdate=false", ""},
		{"PUT", "/v2/apps/a?strict=true", `{"foo":1}`, "app=/a&strict=true", ""},
		{"PUT", "/v2/apps/a?timeout=never", `{}`, "app=/a&timeout=never", ""},
		{"PUT", "/v2/apps/a", `{"dependencies":["/a"]}`, "app=/a", ""},
		{"PUT", "/v2/apps/a", `{"labels":{"PACER_UPGRADE_STRATEGY":"odd","PACER_DEPLOYMENT_TIMEOUT":"x"}}`, "app=/a", ""},
		{"PUT", "/v2/apps/g", `{"cmd":"x"}`, "app=/g", ""},
		{"PUT", "/v2/apps/a/b", `{"cmd":"x"}`, "app=/a/b", ""},
		{"PUT", "/v2/apps", `[{"id":"/a","cpus":-1},{"id":"/b"}]`, "", ""},
		{"PUT", "/v2/apps", `[{"id":"/a"},{"id":"/a"}]`, "", ""},
		{"PUT", "/v2/apps", `[{"cmd":"x"}]`, "", ""},
		{"DELETE", "/v2/apps/nowhere", "", "", `{"delete":"/nowhere"}`},
		{"DELETE", "/v2/apps/a?timeout=never", "", "timeout=never", `{"delete":"/a"}`},
		{"DELETE", "/v2/groups/g?rollback=maybe", "", "rollback=maybe", `{"delete":"/g"}`},
		{"POST", "/v2/apps/nowhere/restart", "", "", `{"restart":"/nowhere"}`},
		{"PUT", "/v2/groups/g", `{"apps":[{"id":"/other/x","cmd":"x"}]}`, "group=/g", ""},
		{"PUT", "/v2/groups/g", `{"apps":[{"id":"x"}]}`, "group=/g", ""},
		{"PUT", "/v2/groups/g", `{"apps":[{"id":"x","cpus":[]}]}`, "group=/g", ""},
		{"PUT", "/v2/groups/g", `{"apps":[{"id":"h","cmd":"x"}],"groups":[{"id":"h"}]}`, "group=/g", ""},
		{"PUT", "/v2/groups/g", `{"groups":[{"dependencies":[]}]}`, "group=/g", ""},
		{"PUT", "/v2/groups/g", `{"groups":[{"id":"h","enforceRole":true}]}`, "group=/g", ""},
		{"PUT", "/v2/groups/g", `{"apps":[{"id":"x","cmd":"x","dependencies":["/g"]}]}`, "group=/g", ""},
		{"PUT", "/v2/groups/g", `{"scaleBy":-1}`, "group=/g", ""},
		{"PUT", "/v2/groups/g", `{"scaleBy":2,"id":"/g"}`, "group=/g", ""},
		{"PUT", "/v2/groups/big", `{"scaleBy":2}`, "group=/big", ""},
		{"PUT", "/v2/groups/g", `{"version":"` + old + `"}`, "group=/g", ""},
		{"PUT", "/v2/groups/g", `{"version":"yesterday"}`, "group=/g", ""},
		{"PUT", "/v2/groups/g?strict=true", `{"foo":1}`, "group=/g&strict=true", ""},
		{"PUT", "/v2/groups/a", `{}`, "group=/a", ""},
		{"PUT", "/v2/groups/g/tasks", `{}`, "group=/g/tasks", ""},
		{"PUT", "/v2/groups", `{"id":"/enforce","enforceRole":false,"apps":[]}`, "", ""},
		{"PUT", "/v2/groups", `{"id":"/g","apps":[{"id":"x","cmd":"x","role":"odd"}]}`, "", ""},
	} {
		t.Run(tt.method+" "+tt.path+" "+tt.body, func(t *testing.T) { comparePlan(t, w, tt.method, tt.path, tt.body, tt.query, tt.plan) })
	}
	t.Run("too many deployments", func(t *testing.T) {
		for i := range 100 {
			send(w, http.MethodPut, fmt.Sprintf("/v2/apps/busy%d", i), `{"cmd":"x"}`)
		}
		comparePlan(t, w, http.MethodPut, "/v2/groups/g", `{"scaleBy":2}`, "group=/g", "")
	})
}

func comparePlan(t *testing.T, w *world, method, path, body, query, plan string) {
	t.Helper()
	if plan == "" {
		plan = body
	}
	version := w.Snapshot().Tree.Version
	gotCode, got := send(w, http.MethodPost, "/pacer/v1/plan?"+query, plan)
	if w.Snapshot().Tree.Version != version {
		t.Error("the plan changed something")
	}
	wantCode, want := send(w, method, path, body)
	if wantCode < 400 {
		t.Fatalf("the change was taken: %d %s", wantCode, want)
	}
	if gotCode != wantCode || got != want {
		t.Errorf("the plan answered %d %s\nthe change %d %s", gotCode, got, wantCode, want)
	}
}

// TestPlansAreCarriedOut: each form of a change is taken with the token of its
// plan, and refused with the token of another.
func TestPlansAreCarriedOut(t *testing.T) {
	for _, tt := range []struct{ method, path, body, query, plan string }{
		{"POST", "/v2/apps", `{"id":"/new","cmd":"x","instances":0}`, "", ""},
		{"PUT", "/v2/apps/a", `{"cmd":"y"}`, "app=/a", ""},
		{"PATCH", "/v2/apps/a", `{"cmd":"y"}`, "app=/a", ""},
		{"PUT", "/v2/apps", `[{"id":"/a","cmd":"y"},{"id":"/b","cmd":"y","instances":0}]`, "", ""},
		{"POST", "/v2/apps/a/restart", "", "", `{"restart":"/a"}`},
		{"DELETE", "/v2/apps/a", "", "", `{"delete":"/a"}`},
		{"POST", "/v2/groups", `{"id":"/h","apps":[{"id":"x","cmd":"x","instances":0}]}`, "", ""},
		{"PUT", "/v2/groups/g", `{"apps":[{"id":"y","cmd":"x","instances":0}]}`, "group=/g", ""},
		{"PUT", "/v2/groups/g", `{"scaleBy":0}`, "group=/g", ""},
		{"PUT", "/v2/groups/g", `{"version":"2026-01-02T03:04:05.007Z"}`, "group=/g", ""},
		{"DELETE", "/v2/groups/g", "", "", `{"delete":"/g"}`},
	} {
		t.Run(tt.method+" "+tt.path+" "+tt.body, func(t *testing.T) {
			w := newWorld(scriptConfig)
			send(w, http.MethodPut, "/v2/apps/a", `{"cmd":"x","instances":0}`)
			send(w, http.MethodPut, "/v2/groups/g", `{"apps":[{"id":"x","cmd":"x","instances":0}]}`)
			send(w, http.MethodPut, "/v2/groups/g", `{"apps":[{"id":"x","cmd":"y","instances":0}]}`)
			other := tokenFor(t, w, "app=/other", `{"cmd":"x"}`)
			plan := tt.plan
			if plan == "" {
				plan = tt.body
			}
			token := tokenFor(t, w, tt.query, plan)
			if code, text := send(w, tt.method, tt.path+"?plan="+url.QueryEscape(other), tt.body); code != http.StatusConflict {
				t.Errorf("with the token of another plan: %d %s", code, text)
			}
			if code, text := send(w, tt.method, tt.path+"?plan="+url.QueryEscape(token), tt.body); code >= 300 {
				t.Errorf("with its token: %d %s", code, text)
			}
		})
	}
}

// TestPlanComesBeforeItsRivals: what comes between the look at the plan and the
// change is noticed by the core.
func TestPlanComesBeforeItsRivals(t *testing.T) {
	for name, tt := range map[string]struct {
		method, path, body, query, plan string
		rival                           string // put at /v2/groups/g just before
	}{
		"a member came":   {"DELETE", "/v2/groups/g", "", "", `{"delete":"/g"}`, `{"apps":[{"id":"x","cmd":"x","instances":0},{"id":"y","cmd":"x","instances":0}]}`},
		"a member went":   {"PUT", "/v2/groups/g", `{"dependencies":["/h"]}`, "group=/g", "", `{"apps":[]}`},
		"an app changed":  {"PUT", "/v2/apps/g/x", `{"cmd":"y"}`, "app=/g/x", "", `{"apps":[{"id":"x","cmd":"z","instances":0}]}`},
		"a group changed": {"PUT", "/v2/groups/g", `{"dependencies":["/h"]}`, "group=/g", "", `{"dependencies":["/i"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			core := &rivalled{}
			var node Config
			core.world = newWorld(func(c *Config) { node = *c })
			node.Node = core
			handler := New(node)
			ask(core.handler, http.MethodPut, "/v2/groups/g", `{"apps":[{"id":"x","cmd":"x","instances":0}]}`)
			plan := tt.plan
			if plan == "" {
				plan = tt.body
			}
			token := tokenFor(t, core.world, tt.query, plan)
			core.rival = func() {
				if answer := ask(core.handler, http.MethodPut, "/v2/groups/g", tt.rival); answer.Code != http.StatusOK {
					t.Errorf("the rival: %d %s", answer.Code, answer.Body)
				}
			}
			answer := ask(handler, tt.method, tt.path+"?plan="+token, tt.body)
			if answer.Code != http.StatusConflict || !strings.Contains(answer.Body.String(), "plan again") {
				t.Errorf("%d %s", answer.Code, answer.Body)
			}
		})
	}
}
