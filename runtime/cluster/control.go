package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// errNoAgent is asked for an agent that there is not.
var errNoAgent = errors.New("no such agent")

// Control disturbs the cluster over HTTP, for tests and drills of those who run frameworks on it. It is apart from the
// master's own address: whoever reaches it can take every agent away. An agent is named by its id or by its place, from 1.
//
//	GET  /cluster                                         the master, and the agents with their states
//	POST /cluster/agents/{agent}/lose                     cut it off; its tasks run on
//	POST /cluster/agents/{agent}/return                   connect it again
//	POST /cluster/agents/{agent}/remove                   mark it gone for good; its tasks are killed
//	POST /cluster/fail-over?delay=2s                      a new master; agents register after the delay
//	POST /cluster/rescind                                 take all offers back
//	POST /cluster/cut-streams?torn=true                   break the frameworks' connections, in the middle of a record if torn
//	POST /cluster/heartbeats?withhold=true                stop heartbeats, or let them come again
//	POST /cluster/mute?mute=true                          lose all events, on streams that stay open, or end that
//	POST /cluster/lose-accepts?n=3                        lose the next launches behind their 202
//	POST /cluster/statuses/{drop|duplicate|delay}?by=1s   disturb the next status update
func (c *Cluster) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /cluster", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, r, c.controlView()) })
	order := func(pattern string, carry func(r *http.Request) error) {
		mux.HandleFunc("POST "+pattern, func(w http.ResponseWriter, r *http.Request) { c.answerOrder(w, r, carry(r)) })
	}
	order("/cluster/agents/{agent}/lose", c.onAgent(c.LoseAgent))
	order("/cluster/agents/{agent}/return", c.onAgent(c.ReturnAgent))
	order("/cluster/agents/{agent}/remove", c.onAgent(func(id string) error { _, err := c.RemoveAgent(id); return err }))
	order("/cluster/fail-over", func(r *http.Request) error { return withDuration(r, "delay", c.FailOver) })
	order("/cluster/rescind", func(*http.Request) error { return c.RescindOffers() })
	order("/cluster/cut-streams", func(r *http.Request) error { return withBool(r, "torn", c.CutStreams) })
	order("/cluster/heartbeats", func(r *http.Request) error { return withBool(r, "withhold", c.WithholdHeartbeats) })
	order("/cluster/mute", func(r *http.Request) error { return withBool(r, "mute", c.Mute) })
	order("/cluster/lose-accepts", func(r *http.Request) error {
		n, err := strconv.Atoi(r.URL.Query().Get("n"))
		if err != nil || n < 0 {
			return fmt.Errorf("n: got %q, expected a number, 0 or more", r.URL.Query().Get("n"))
		}
		return c.LoseAccepts(n)
	})
	order("/cluster/statuses/drop", func(*http.Request) error { return c.DropStatus() })
	order("/cluster/statuses/duplicate", func(*http.Request) error { return c.DuplicateStatus() })
	order("/cluster/statuses/delay", func(r *http.Request) error { return withDuration(r, "by", c.DelayStatus) })
	// A page in a browser on this machine must not be able to do any of it.
	return http.NewCrossOriginProtection().Handler(mux)
}

// answerOrder answers with what the cluster is like now, or with what was wrong.
func (c *Cluster) answerOrder(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case err == nil:
		writeJSON(w, r, c.controlView())
	case errors.Is(err, errNoAgent):
		controlFault(w, http.StatusNotFound, err)
	case errors.Is(err, errClosed):
		controlFault(w, http.StatusServiceUnavailable, err)
	default:
		controlFault(w, http.StatusUnprocessableEntity, err)
	}
}

func controlFault(w http.ResponseWriter, status int, err error) {
	text, _ := json.Marshal(map[string]string{"message": strings.TrimPrefix(err.Error(), "cluster: ")}) // strings have a form
	w.Header().Set("Content-Type", mediaJSON)
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// onAgent resolves the agent of a request.
func (c *Cluster) onAgent(carry func(id string) error) func(*http.Request) error {
	return func(r *http.Request) error {
		name := r.PathValue("agent")
		for i, id := range c.AgentIDs() {
			if name == id || name == itoa(i+1) {
				return carry(id)
			}
		}
		return fmt.Errorf("agent %q: %w, expected an id or a place from 1 to %d", name, errNoAgent, len(c.hosts))
	}
}

func withDuration(r *http.Request, name string, carry func(time.Duration) error) error {
	text := r.URL.Query().Get(name)
	if text == "" {
		text = "0s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%s: got %q, expected a duration such as 2s", name, text)
	}
	return carry(d)
}

func withBool(r *http.Request, name string, carry func(bool) error) error {
	text := r.URL.Query().Get(name)
	if text == "" {
		text = "true"
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("%s: got %q, expected true or false", name, text)
	}
	return carry(b)
}

// controlView is the cluster as its operator sees it.
func (c *Cluster) controlView() object {
	out := object{}
	c.loop.do(func() {
		agents := []object{}
		for i, h := range c.hosts {
			one := object{
				"place": i + 1, "id": h.id, "hostname": h.spec.hostname, "connected": h.agent != nil, "runs": len(h.runs),
				"state": "unknown",
			}
			if a := c.master.agents[h.id]; a != nil {
				one["state"] = a.state.String()
			}
			agents = append(agents, one)
		}
		out["master"], out["agents"] = c.master.id, agents
	})
	return out
}
