package api

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAnyRequestIsAnswered sends requests that are nearly right, at random: one
// client in use takes any 5xx for the end of the server, others any redirect for an
// error, and all read the message of a refusal.
func TestAnyRequestIsAnswered(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(func(c *Config) {
			scriptConfig(c)
			if rapid.Bool().Draw(r, "admission") {
				c.Admit = scriptAdmission
			}
		})
		for range rapid.IntRange(1, 8).Draw(r, "requests") {
			method := rapid.SampledFrom([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}).Draw(r, "method")
			target := anyTarget(r)
			if strings.HasPrefix(target, "/v2/events") {
				continue // it does not end
			}
			request := httptest.NewRequest(method, target, strings.NewReader(anyBody(r)))
			request.Header.Set("Accept", rapid.SampledFrom([]string{"", "*/*", "application/json", "text/plain", "x"}).Draw(r, "accept"))
			answer := httptest.NewRecorder()
			w.handler.ServeHTTP(answer, request)
			checkAnswer(r, answer)
			if rapid.Bool().Draw(r, "offer") {
				w.offer("h1")
			}
		}
	})
}

func checkAnswer(r *rapid.T, answer *httptest.ResponseRecorder) {
	if answer.Code >= 500 || answer.Code >= 300 && answer.Code < 400 {
		r.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	var body struct{ Message string }
	if answer.Code >= 400 && (json.Unmarshal(answer.Body.Bytes(), &body) != nil || body.Message == "") {
		r.Fatalf("status %d without a message: %q", answer.Code, answer.Body)
	}
}

// anyTarget is a path of the API with names, words and characters in it, and a query.
func anyTarget(r *rapid.T) string {
	var path strings.Builder
	path.WriteString(rapid.SampledFrom([]string{
		"/v2/apps", "/v2/apps", "/v2/groups", "/v2/groups", "/v2/tasks", "/v2/tasks/delete", "/v2/deployments", "/v2/queue", "/v2/info", "/v2/", "//v2/apps",
	}).Draw(r, "path"))
	for range rapid.IntRange(0, 4).Draw(r, "depth") {
		path.WriteString("/" + rapid.SampledFrom([]string{
			"a", "b", "g", "tasks", "versions", "restart", "apps", "delay", "*", "..", ".", "", "%2F", "%2f..%2f", "A", "%00", "%ff", "-",
			"deployment-1", "2026-01-02T03:04:05.006Z", "1970-01-01T00:00:00Z", "a.instance-0d3a7c61-9a49-4b4b-9f4b-0b1b4f9c1a11._app.1",
		}).Draw(r, "segment"))
	}
	query := url.Values{}
	for range rapid.IntRange(0, 3).Draw(r, "parameters") {
		query.Add(
			rapid.SampledFrom([]string{
				"force", "partialUpdate", "dryRun", "scale", "wipe", "embed", "label", "id", "cmd", "status", "host", "strict", "timeout", "rollback",
			}).Draw(r, "name"),
			rapid.SampledFrom([]string{"true", "False", "", "*", "a", "apps.tasks", "group.apps", "a in (b,", "lastUnusedOffers", "1e9", "\x00"}).Draw(r, "value"),
		)
	}
	return path.String() + "?" + query.Encode()
}

// anyBody is JSON of the API's, with one piece of it replaced.
func anyBody(r *rapid.T) string {
	body := rapid.SampledFrom([]string{
		``, `{}`, `[]`, `null`, `{"id":"a","cmd":"x"}`, `{"cmd":"y","instances":0,"ports":[0]}`, `{"version":"2026-01-02T03:04:05.006Z"}`, `{"scaleBy":2}`,
		`{"ids":["a.instance-0d3a7c61-9a49-4b4b-9f4b-0b1b4f9c1a11._app.1"]}`, `[{"id":"a","cmd":"x","cpus":0.1},{"id":"/g/b","args":["x"]}]`,
		`{"id":"g","apps":[{"id":"a","cmd":"x","constraints":[["hostname","UNIQUE"]],"dependencies":["b"]}],"groups":[{"id":"h","apps":[{"id":"i","cmd":"x"}]}]}`,
		`{"enforceRole":true}`, `{"instances":2,"networks":[{"mode":"container/bridge"}],"healthChecks":[{}]}`,
	}).Draw(r, "body")
	old := rapid.SampledFrom([]string{"", `"a"`, `"x"`, `0`, `[`, `{`, `"id"`, `"apps"`, `"cmd"`}).Draw(r, "old")
	if old == "" {
		return body
	}
	piece := rapid.SampledFrom([]string{`null`, `1`, `"/"`, `".."`, `"A"`, `""`, `{}`, `[[]]`, `-1`, `1e400`, `"\u0000"`, `"b"`, `{"id":"a",`, `[{},`}).Draw(r, "piece")
	return strings.Replace(body, old, piece, 1)
}
