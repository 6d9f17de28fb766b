package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestPromote: a canary upgrade pauses, stays paused through a new server, and goes on
// when it is promoted, once.
func TestPromote(t *testing.T) {
	dir := dataDir(t)
	p, a := dev(t, dir)
	a.must(t, "POST", "/v2/apps", `{"id":"/web","cmd":"exec sleep 100000","instances":3,"cpus":0.1,"mem":16,
		"labels":{"PACER_UPGRADE_STRATEGY":"canary"}}`)
	a.running(t, "/web", 3)
	idle := func() bool { return a.must(t, "GET", "/v2/deployments", "") == "[]" }
	until(t, "the app is deployed", idle)

	a.must(t, "PATCH", "/v2/apps/web", `{"cmd":"exec sleep 100001"}`)
	paused := func() bool {
		return strings.Contains(a.must(t, "GET", "/v2/deployments", ""), `"paused":"the first new instance is healthy"`)
	}
	until(t, "the upgrade is paused", paused)
	p.kill()
	_, a = dev(t, dir)
	until(t, "it is paused under the next server", paused)
	if why := a.must(t, "GET", "/pacer/v1/apps/web/why", ""); !strings.Contains(why, "POST /pacer/v1/apps/web/promote") {
		t.Errorf("why: %s", why)
	}
	a.must(t, "POST", "/pacer/v1/apps/web/promote", "")
	if status, text := a.try(t, "POST", "/pacer/v1/apps/web/promote", ""); status != http.StatusConflict {
		t.Errorf("promoted again: %d %s", status, text)
	}
	until(t, "the upgrade is over", idle)
	if now := a.running(t, "/web", 3); len(now.Tasks) != 3 {
		t.Errorf("%d tasks", len(now.Tasks))
	}
	if status, _ := a.try(t, "POST", "/pacer/v1/apps/web/promote", ""); status != http.StatusConflict {
		t.Errorf("nothing is paused, and promoting answers %d", status)
	}
}
