package cluster

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

type object = map[string]any

// serveJSON answers GETs with what view returns. The view runs on the HTTP goroutine and asks the loop for what it needs.
func (c *Cluster) serveJSON(view func(*http.Request) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value := view(r)
		if value == nil {
			refuse(w, refusal{http.StatusNotFound, "404 Not Found."})
			return
		}
		writeJSON(w, r, value)
	}
}

// writeJSON sends a value. With ?jsonp=name the answer is a call of that function; anything but an identifier is refused,
// as it would be code.
func writeJSON(w http.ResponseWriter, r *http.Request, value any) {
	callback := r.URL.Query().Get("jsonp")
	if callback != "" && !isIdentifier(callback) {
		refuse(w, refusal{http.StatusBadRequest, "'jsonp' must be an identifier"})
		return
	}
	text, err := json.Marshal(value)
	if err != nil {
		refuse(w, refusal{http.StatusInternalServerError, err.Error()})
		return
	}
	media := mediaJSON
	if callback != "" {
		media, text = "text/javascript", []byte(callback+"("+string(text)+")")
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write(text)
}

// isIdentifier tells whether a name, with dots, can only be the name of a function.
func isIdentifier(name string) bool {
	for i, c := range name {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == '$':
		case i > 0 && (c >= '0' && c <= '9' || c == '.'):
		default:
			return false
		}
	}
	return name != ""
}

// masterState is /state, as far as tools read it.
func (c *Cluster) masterState(*http.Request) any {
	var out object
	c.loop.do(func() {
		m := c.master
		counts := map[agentState]int{}
		for _, a := range m.fleet {
			counts[a.state]++
		}
		frameworks := []object{}
		for _, f := range m.order {
			frameworks = append(frameworks, f.view())
		}
		out = object{
			"version": version, "id": m.id, "pid": m.info.GetPID(), "hostname": c.hostname(), "cluster": "",
			"start_time": seconds(m.started), "elected_time": seconds(m.started), "capabilities": masterCapabilities(),
			"leader": m.info.GetPID(),
			"leader_info": object{
				"id": m.id, "pid": m.info.GetPID(), "port": m.info.GetPort(), "hostname": c.hostname(),
			},
			"activated_slaves": counts[agentActive], "deactivated_slaves": counts[agentDisconnected],
			"unreachable_slaves": counts[agentUnreachable], "slaves": m.agentViews(),
			"frameworks": frameworks, "completed_frameworks": []object{},
		}
	})
	return out
}

// agentsState is /slaves.
func (c *Cluster) agentsState(*http.Request) any {
	var out object
	c.loop.do(func() { out = object{"slaves": c.master.agentViews(), "recovered_slaves": []object{}} })
	return out
}

func (m *master) agentViews() []object {
	out := []object{}
	for _, a := range m.fleet {
		if a.state == agentActive || a.state == agentDisconnected {
			out = append(out, a.view())
		}
	}
	return out
}

// view is an agent in /state and /slaves. Sums are made when somebody asks; nothing keeps them up to date otherwise.
func (a *agent) view() object {
	var used, offered resource.Set
	for _, t := range a.tasks {
		if !t.released {
			used = used.Plus(t.resources)
		}
	}
	for _, o := range a.offers {
		offered = offered.Plus(o.resources)
	}
	out := object{
		"id": a.id, "hostname": a.spec.hostname, "port": a.url.Address.Port, "pid": a.pid, "version": version,
		"registered_time": seconds(a.since), "active": a.state == agentActive, "deactivated": false,
		"attributes": attributesView(a.spec.attributes), "resources": resourcesView(a.total),
		"used_resources": resourcesView(used), "offered_resources": resourcesView(offered),
		"reserved_resources":      reservedView(a.total),
		"reserved_resources_full": reservedFully(a.total),
		"unreserved_resources":    resourcesView(a.total.OfferableTo("*", false)),
		"capabilities":            []string{"MULTI_ROLE", "HIERARCHICAL_ROLE", "RESERVATION_REFINEMENT", "AGENT_OPERATION_FEEDBACK"},
	}
	if a.domain != nil {
		out["domain"] = a.domain
	}
	return out
}

// reservedView groups statically reserved resources by their role.
func reservedView(total resource.Set) object {
	out := object{}
	for _, r := range total {
		if role := r.Role(); role != "*" {
			out[role] = resourcesView(total.Keep(func(o resource.Resource) bool { return o.Role() == role }))
		}
	}
	return out
}

// reservedFully groups everything reserved by its role, with reservations and volumes.
func reservedFully(total resource.Set) object {
	out := object{}
	for _, r := range total {
		if role := r.Role(); role != "*" {
			list, _ := out[role].([]mesos.Resource)
			out[role] = append(list, resource.Set{r}.BothForms()...)
		}
	}
	return out
}

func attributesView(in []Attribute) object {
	out := object{}
	for _, a := range in {
		switch a.Kind {
		case mesos.SCALAR:
			out[a.Name] = a.Scalar
		case mesos.RANGES:
			out[a.Name] = rangesView(a.Ranges)
		default:
			out[a.Name] = a.Text
		}
	}
	return out
}

func resourcesView(s resource.Set) object {
	out := object{"cpus": 0, "mem": 0, "disk": 0, "gpus": 0}
	for _, r := range s {
		switch r.Kind {
		case resource.Ranges:
			out[r.Name] = rangesView(s.Numbers(r.Name))
		case resource.Items:
			out[r.Name] = "{" + strings.Join(r.Items, ", ") + "}"
		default:
			out[r.Name] = s.Amount(r.Name)
		}
	}
	return out
}

func rangesView(in []resource.Range) string {
	parts := make([]string, len(in))
	for i, r := range in {
		parts[i] = r.String()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
