package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// rivalled is a core that somebody else changes just before a command reaches it.
type rivalled struct {
	*world
	rival func() // nil when there is none
}

func (c *rivalled) Core() Core { return c }

func (c *rivalled) Do(ctx context.Context, command func(scheduler.RequestID, string) scheduler.Event) (scheduler.Reply, error) {
	if rival := c.rival; rival != nil {
		c.rival = nil
		rival()
	}
	return c.world.Do(ctx, command)
}

// TestGroupsAreDerivedAnew: a change of a group that was outdated when the core saw
// it is derived from what is there by then.
func TestGroupsAreDerivedAnew(t *testing.T) {
	for name, test := range map[string]struct {
		method, path, body string
		rival              string // what is put meanwhile, at /v2/groups/g
		status             int
		answer             string
	}{
		"scaled": {
			http.MethodPut, "/v2/groups/g?force=true", `{"scaleBy":2}`,
			`{"apps":[{"id":"x","cmd":"x","instances":5}]}`, http.StatusOK, `"instances":10`,
		},
		"a member came": {
			http.MethodPut, "/v2/groups/g?force=true", `{"apps":[{"id":"x","cmd":"x"},{"id":"y","cmd":"x"}]}`,
			`{"apps":[{"id":"x","cmd":"x","instances":5},{"id":"y","cmd":"z"}]}`, http.StatusOK, `"id":"/g/y","executor":"","cmd":"x"`,
		},
		"a member went": {
			http.MethodDelete, "/v2/groups/g?force=true", "", `{"apps":[]}`, http.StatusOK, "",
		},
		"a member came to a group that goes": {
			http.MethodDelete, "/v2/groups/g?force=true", "",
			`{"apps":[{"id":"x","cmd":"x"},{"id":"y","cmd":"x"}]}`, http.StatusOK, `}[]`, // no app is left
		},
		"dependencies changed": {
			http.MethodPut, "/v2/groups", `{"id":"g","enforceRole":true}`,
			`{"dependencies":["/h"]}`, http.StatusOK, `"dependencies":["/h"]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			core := &rivalled{}
			var node Config
			core.world = newWorld(func(c *Config) { node = *c })
			node.Node = core
			handler := New(node)
			ask(core.handler, http.MethodPut, "/v2/groups/g", `{"apps":[{"id":"x","cmd":"x"}]}`)
			core.rival = func() {
				if answer := ask(core.handler, http.MethodPut, "/v2/groups/g?force=true", test.rival); answer.Code != http.StatusOK {
					t.Errorf("the rival: %d %s", answer.Code, answer.Body)
				}
			}
			if answer := ask(handler, test.method, test.path, test.body); answer.Code != test.status {
				t.Fatalf("%d %s", answer.Code, answer.Body)
			}
			got := ask(handler, http.MethodGet, "/v2/groups", "").Body.String() + ask(handler, http.MethodGet, "/v2/groups/apps", "").Body.String()
			if !strings.Contains(got, test.answer) {
				t.Errorf("no %s in %s", test.answer, got)
			}
		})
	}
	t.Run("created meanwhile", func(t *testing.T) {
		core := &rivalled{}
		var node Config
		core.world = newWorld(func(c *Config) { node = *c })
		node.Node = core
		core.rival = func() { ask(core.handler, http.MethodPut, "/v2/groups/g", `{}`) }
		answer := ask(New(node), http.MethodPost, "/v2/groups", `{"id":"g","apps":[{"id":"x","cmd":"x"}]}`)
		if answer.Code != http.StatusConflict || !strings.Contains(answer.Body.String(), "already created") {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	})
}

// TestDryRunFollowsTheTeardownOrder: a dry run shows the order that the core has
// been told to take apps down in.
func TestDryRunFollowsTheTeardownOrder(t *testing.T) {
	var node Config
	w := newWorld(func(c *Config) {
		c.DependenciesFirst = true
		node = *c
	})
	ask(w.handler, http.MethodPut, "/v2/groups/g", `{"apps":[{"id":"a","cmd":"x"},{"id":"b","cmd":"x","dependencies":["a"]}]}`)
	for first, order := range map[string]bool{"/g/a": true, "/g/b": false} {
		node.DependenciesFirst = order
		answer := ask(New(node), http.MethodPut, "/v2/groups/g?dryRun=true", `{"scaleBy":0}`)
		if want := `{"steps":[{"actions":[{"action":"ScaleApplication","app":"` + first; !strings.HasPrefix(answer.Body.String(), want) {
			t.Errorf("not %s first: %s", first, answer.Body)
		}
	}
}
