package main

import (
	"net/url"
	"slices"
	"testing"

	marathon "github.com/gambol99/go-marathon"
)

func TestSDKApplications(t *testing.T) {
	c := startSDK(t)
	var first, second string // versions of /shop/web
	version := func() string {
		app, err := c.Application("/shop/web")
		if err != nil {
			t.Fatal(err)
		}
		return app.Version
	}
	runSDK(t, []sdkCall{
		{"CreateApplication", func() (any, error) {
			app, err := c.CreateApplication(sleeper("/shop/web", 2))
			if err != nil {
				return nil, err
			}
			return []any{app.ID, len(app.DeploymentIDs())}, nil
		}, []any{"/shop/web", 1}},
		{"WaitOnApplication", func() (any, error) { return nil, c.WaitOnApplication("/shop/web", sdkPatience) }, nil},
		{"ApplicationOK", func() (any, error) { return c.ApplicationOK("/shop/web") }, true},
		{"CreateApplication again", func() (any, error) {
			_, err := c.CreateApplication(sleeper("/shop/web", 2))
			return refusal(err)
		}, marathon.ErrCodeDuplicateID},
		{"CreateApplication without mem", func() (any, error) {
			_, err := c.CreateApplication(sleeper("/shop/none", 1).Memory(-1))
			return refusal(err)
		}, marathon.ErrCodeInvalidBean},
		{"Application", func() (any, error) { first = version(); return c.app("/shop/web") }, "/shop/web: 2 of 2 run sleep 1000"},
		{"Application that is not there", func() (any, error) { _, err := c.Application("/shop/none"); return refusal(err) }, marathon.ErrCodeNotFound},
		{"ScaleApplicationInstances", func() (any, error) {
			return c.after("/shop/web")(c.ScaleApplicationInstances("/shop/web", 3, false))
		}, "/shop/web: 3 of 3 run sleep 1000"},
		{"UpdateApplication", func() (any, error) {
			return c.after("/shop/web")(c.UpdateApplication(sleeper("/shop/web", 1).Command("sleep 2000"), false))
		}, "/shop/web: 1 of 1 run sleep 2000"},
		{"RestartApplication", func() (any, error) {
			before, err := c.Tasks("/shop/web")
			if err != nil {
				return nil, err
			}
			if err := c.settled(c.RestartApplication("/shop/web", false)); err != nil {
				return nil, err
			}
			second = version()
			return c.replaced("/shop/web", 1, ids(before.Tasks))
		}, 1},
		{"ApplicationVersions", func() (any, error) {
			list, err := c.ApplicationVersions("/shop/web")
			if err != nil {
				return nil, err
			}
			return slices.Contains(list.Versions, first) && slices.Contains(list.Versions, second) && first != second, nil
		}, true},
		{"HasApplicationVersion", func() (any, error) { return c.HasApplicationVersion("/shop/web", first) }, true},
		{"ApplicationByVersion", func() (any, error) {
			app, err := c.ApplicationByVersion("/shop/web", first)
			if err != nil {
				return nil, err
			}
			return *app.Cmd, nil
		}, "sleep 1000"},
		{"SetApplicationVersion", func() (any, error) {
			return c.after("/shop/web")(c.SetApplicationVersion("/shop/web", &marathon.ApplicationVersion{Version: first}))
		}, "/shop/web: 2 of 2 run sleep 1000"},
		{"DeleteApplication", func() (any, error) {
			if err := c.settled(c.DeleteApplication("/shop/web", false)); err != nil {
				return nil, err
			}
			_, err := c.Application("/shop/web")
			return refusal(err)
		}, marathon.ErrCodeNotFound},
	})
}

func TestSDKListsOfApplications(t *testing.T) {
	c := startSDK(t)
	for _, app := range []*marathon.Application{sleeper("/shop/web", 2), sleeper("/db", 1).AddLabel("team", "back")} {
		if _, err := c.CreateApplication(app); err != nil {
			t.Fatal(err)
		}
		if err := c.WaitOnApplication(app.ID, sdkPatience); err != nil {
			t.Fatal(err)
		}
	}
	list := func(query url.Values) func() (any, error) {
		return func() (any, error) {
			ids, err := c.ListApplications(query)
			slices.Sort(ids)
			return ids, err
		}
	}
	runSDK(t, []sdkCall{
		{"ListApplications", list(nil), []string{"/db", "/shop/web"}},
		{"ListApplications by label", list(url.Values{"label": {"team==front"}}), []string{"/shop/web"}},
		{"ListApplications by id", list(url.Values{"id": {"db"}}), []string{"/db"}},
		{"ListApplications by cmd", list(url.Values{"cmd": {"2000"}}), []string(nil)},
		{"Applications with tasks", func() (any, error) {
			apps, err := c.Applications(url.Values{"id": {"web"}, "embed": {"apps.tasks"}})
			if err != nil || len(apps.Apps) != 1 {
				return apps, err
			}
			return len(apps.Apps[0].Tasks), nil
		}, 2},
		{"ApplicationBy", func() (any, error) {
			app, err := c.ApplicationBy("/shop/web", &marathon.GetAppOpts{Embed: []string{"app.taskStats"}})
			if err != nil {
				return nil, err
			}
			return app.TaskStats["totalSummary"].Stats.Counts["running"], nil
		}, 2},
	})
}
