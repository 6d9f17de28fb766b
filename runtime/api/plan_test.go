package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// send makes one request of the API and returns the answer.
func send(w *world, method, url, body string) (int, string) {
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, httptest.NewRequest(method, url, strings.NewReader(body)))
	return answer.Code, answer.Body.String()
}

// tokenFor is the token of a plan.
func tokenFor(t *testing.T, w *world, query, body string) string {
	t.Helper()
	code, text := send(w, http.MethodPost, "/pacer/v1/plan?"+query, body)
	var answer planAnswer
	if err := json.Unmarshal([]byte(text), &answer); code != http.StatusOK || err != nil {
		t.Fatalf("plan answered %d %s", code, text)
	}
	return answer.Token
}

func TestPlanToken(t *testing.T) {
	const body = `{"id":"/a","cmd":"x","instances":0}`
	for _, tt := range []struct {
		name        string
		between     string // PUT to /v2/apps/a after the plan; "" for none
		method, url string
		body        string
		want        int
	}{
		{"as planned", "", http.MethodPut, "/v2/apps/a", body, http.StatusCreated},
		{"as planned, by POST", "", http.MethodPost, "/v2/apps", body, http.StatusCreated},
		{"as planned, in a list", "", http.MethodPut, "/v2/apps", "[" + body + "]", http.StatusOK},
		{"another body", "", http.MethodPut, "/v2/apps/a", `{"cmd":"y"}`, http.StatusConflict},
		{"another app", "", http.MethodPut, "/v2/apps/b", body, http.StatusConflict},
		{"changed meanwhile", `{"cmd":"z","instances":0}`, http.MethodPut, "/v2/apps/a", body, http.StatusConflict},
		{"created meanwhile", `{"cmd":"z","instances":0}`, http.MethodPost, "/v2/apps", body, http.StatusConflict},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(nil)
			token := "?plan=" + tokenFor(t, w, "", body)
			if tt.between != "" {
				if code, text := send(w, http.MethodPut, "/v2/apps/a", tt.between); code != http.StatusCreated {
					t.Fatalf("the change between answered %d %s", code, text)
				}
			}
			if code, text := send(w, tt.method, tt.url+token, tt.body); code != tt.want {
				t.Errorf("answered %d %s, want %d", code, text, tt.want)
			}
		})
	}
}
