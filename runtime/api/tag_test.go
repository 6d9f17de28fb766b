package api

import (
	"fmt"
	"net/http"
	"testing"
)

func TestNamedTags(t *testing.T) {
	const tag = `"x-1"`
	for list, want := range map[string]bool{
		tag: true, "W/" + tag: true, `"y", "x-1"`: true, `"y",W/"x-1"`: true, "*": true,
		"": false, `"x-10"`: false, "x-1": false, `W/"y"`: false, "w/" + tag: false,
	} {
		if named(list, tag) != want {
			t.Errorf("%s in %s: want %t", tag, list, want)
		}
	}
	w := newWorld(nil)
	known := ask(w.handler, http.MethodGet, "/v2/groups", "").Header().Get("ETag")
	if got := ask(w.handler, http.MethodGet, "/v2/groups/", "", "If-None-Match", fmt.Sprintf(`"a", W/%s`, known)).Code; got != http.StatusNotModified {
		t.Errorf("%d", got)
	}
}
