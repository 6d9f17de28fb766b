package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// TestTotalsAreThoseOfTheTree: what the last review of a change is told of the groups
// above, and what its subject then asks for, is what these groups ask for when the
// change is accepted, whatever the change was and whatever was amended on the way.
func TestTotalsAreThoseOfTheTree(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var last sdk.AdmissionRequest
		var own share
		amend := rapid.SliceOfN(rapid.IntRange(0, 3), 20, 20).Draw(r, "amend")
		reviews := 0
		w := newWorld(func(c *Config) {
			c.Admit = func(_ context.Context, q sdk.AdmissionRequest, take func(string, []byte) ([]byte, error)) (review sdk.AdmissionReview, err error) {
				if q.Subject == sdk.AdmissionGroup {
					return review, nil
				}
				if n := amend[reviews%len(amend)]; q.New != nil && n > 0 {
					fields := fieldsOf(q.New)
					fields["instances"], fields["mem"] = n, float64(n)*32.5
					q.New, err = take("test", encodeJSON(fields))
				}
				reviews++
				last, own = q, askedFor(q.New)
				return review, err
			}
		})
		for range rapid.IntRange(1, 6).Draw(r, "changes") {
			last = sdk.AdmissionRequest{}
			method, path, body := anyChange(r)
			if answer := ask(w.handler, method, path, body); answer.Code >= 300 {
				continue // such as one of an app in the place of a group
			}
			tree := w.Snapshot().Tree
			for _, got := range last.Above {
				want := share{}
				for app := range tree.Apps(spec.PathID(got.ID)) {
					want.add(shareOf(app), 1)
				}
				want.add(own, -1)
				if got != want.use(spec.PathID(got.ID)) {
					r.Fatalf("%s %s %s: %s of %s: %+v, want %+v", method, path, body, last.Verb, last.ID, got, want.use(spec.PathID(got.ID)))
				}
			}
		}
	})
}

// askedFor is what an app asks for by its JSON.
func askedFor(data []byte) share {
	if data == nil {
		return share{}
	}
	var app spec.App
	if err := json.Unmarshal(data, &struct {
		Instances *int
		CPUs      *float64
		Mem       *float64
	}{&app.Instances, &app.CPUs, &app.Mem}); err != nil {
		panic(err)
	}
	return shareOf(&app)
}

func anyChange(r *rapid.T) (method, path, body string) {
	id := rapid.SampledFrom([]string{"/a", "/g/a", "/g/b", "/g/h/a", "/g/h/b"})
	app := func(label string) string {
		return fmt.Sprintf(`{"id":%q,"cmd":"x","cpus":0.%d,"instances":%d}`, id.Draw(r, label),
			rapid.IntRange(1, 9).Draw(r, "cpus"), rapid.IntRange(0, 3).Draw(r, "instances"))
	}
	switch rapid.IntRange(0, 5).Draw(r, "kind") {
	case 0:
		return http.MethodPost, "/v2/apps?force=true", app("new")
	case 1:
		var apps []string
		for range rapid.IntRange(1, 3).Draw(r, "apps") {
			apps = append(apps, app("of the list"))
		}
		return http.MethodPut, "/v2/apps?force=true", "[" + strings.Join(apps, ",") + "]"
	case 2:
		return http.MethodPost, "/v2/apps" + id.Draw(r, "restarted") + "/restart?force=true", ""
	case 3:
		return http.MethodPut, "/v2/groups/g?force=true", rapid.SampledFrom([]string{
			`{"scaleBy":2}`, `{"apps":[]}`, `{"groups":[{"id":"h","apps":[{"id":"c","cmd":"x"},{"id":"a","cmd":"x","cpus":2}]}]}`,
			`{"apps":[{"id":"a","cmd":"y"}],"groups":[]}`,
		}).Draw(r, "group")
	case 4:
		return http.MethodDelete, "/v2/groups/g/h?force=true", ""
	default:
		return http.MethodDelete, "/v2/apps" + id.Draw(r, "deleted"), ""
	}
}
