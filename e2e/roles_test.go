package e2e

import (
	"strings"
	"testing"
)

// TestRoles runs apps in the roles of their groups beside one in the framework's
// own, and again after a crash of Pacer.
func TestRoles(t *testing.T) {
	dir := dataDir(t)
	p, a := dev(t, dir)
	for _, group := range []string{"dev", "prod"} {
		a.must(t, "PUT", "/v2/groups", `{"id":"/`+group+`","enforceRole":true,"apps":[
			{"id":"/`+group+`/web","cmd":"sleep 1000","cpus":0.1,"mem":16}]}`)
		a.running(t, "/"+group+"/web", 1)
		if body := a.must(t, "GET", "/v2/apps/"+group+"/web", ""); !strings.Contains(body, `"role":"`+group+`"`) {
			t.Errorf("%s has another role: %s", group, body)
		}
	}
	a.must(t, "PUT", "/v2/apps/web", `{"cmd":"sleep 1000","cpus":0.1,"mem":16}`)
	a.running(t, "/web", 1)

	p.kill()
	_, a = dev(t, dir)
	for _, app := range []string{"/dev/web", "/prod/web", "/web"} {
		a.must(t, "PUT", "/v2/apps"+app, `{"instances":2}`)
		a.running(t, app, 2)
	}
}
