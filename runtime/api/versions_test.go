package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/spec"
)

// TestRollbackIsJudgedAnew: a version that was right once may ask for a policy
// that is gone.
func TestRollbackIsJudgedAnew(t *testing.T) {
	gone := false
	w := newWorld(func(c *Config) {
		c.CheckConstraint = func(context.Context, *spec.App, spec.Constraint) error {
			if gone {
				return errors.New("no such operator")
			}
			return nil
		}
	})
	ask(w.handler, http.MethodPost, "/v2/apps", `{"id":"/a","cmd":"x","instances":0,"constraints":[["hostname","ZOO"]]}`)
	first := viewOf(w.Snapshot(), "/a").App.Version.String()
	ask(w.handler, http.MethodPut, "/v2/apps/a", `{"constraints":[]}`)
	gone = true
	answer := ask(w.handler, http.MethodPut, "/v2/apps/a", `{"version":"`+first+`"}`)
	if answer.Code != http.StatusUnprocessableEntity || !strings.Contains(answer.Body.String(), "/constraints(0)") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if app := viewOf(w.Snapshot(), "/a").App; len(app.Constraints) > 0 {
		t.Errorf("it was rolled back to %v", app.Constraints)
	}
	gone = false
	if answer := ask(w.handler, http.MethodPut, "/v2/apps/a", `{"version":"`+first+`"}`); answer.Code != http.StatusOK {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}
