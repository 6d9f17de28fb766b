package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

// manyAgents is a cluster in which the app /a fits nowhere, with near misses on all
// agents.
func manyAgents(tb testing.TB, agents int) *world {
	tb.Helper()
	w := newWorld(scriptConfig)
	offers := make([]*placement.Offer, agents)
	for i := range offers {
		share := placement.Share{Ports: []placement.Range{{Begin: 31000, End: 31099}}}
		share.Scalars[placement.CPUs], share.Scalars[placement.Mem] = placement.MilliOf(4), placement.MilliOf(float64(1000+i%500))
		offers[i] = &placement.Offer{
			ID: fmt.Sprintf("offer-%d", i), Role: "*", Shares: []placement.Share{share},
			Agent: &placement.Agent{ID: fmt.Sprintf("agent-%06d", i), Hostname: fmt.Sprintf("host-%d.example.com", i)},
		}
	}
	w.step(scheduler.Offers{Offers: offers})
	if code, text := send(w, http.MethodPut, "/v2/apps/a", `{"cmd":"x","mem":5000,"constraints":[["hostname","UNIQUE"]]}`); code != http.StatusCreated {
		tb.Fatal(code, text)
	}
	return w
}

// TestWhyIsBounded: of ten thousand agents an answer shows a page, and counts all.
func TestWhyIsBounded(t *testing.T) {
	w := manyAgents(t, 10_000)
	code, text := send(w, http.MethodGet, "/pacer/v1/apps/a/why", "")
	if code != http.StatusOK || len(text) > 100_000 {
		t.Errorf("%d: %d bytes", code, len(text))
	}
}

// BenchmarkWhy explains an app that fits on none of 10,000 agents.
func BenchmarkWhy(b *testing.B) {
	w := manyAgents(b, 10_000)
	for _, query := range []string{"", "?agent=agent-000007", "?limit=1000"} {
		b.Run("query="+query, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/pacer/v1/apps/a/why"+query, nil)
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				answer := httptest.NewRecorder()
				w.handler.ServeHTTP(answer, r)
				size = answer.Body.Len()
			}
			b.ReportMetric(float64(size), "bytes/answer")
		})
	}
}
