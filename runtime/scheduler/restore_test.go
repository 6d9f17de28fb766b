package scheduler

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// fill sets every field of a value to something that is not its zero.
func fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth)
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, depth)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), depth+i)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, depth)
		fill(value, depth)
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("s<>&\u2028é")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(0.1)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(7 + depth))
	default:
		panic("restore_test: cannot fill " + v.Type().String())
	}
}

// TestDefinitionSurvives: a field added to spec.App cannot be forgotten in its
// record.
func TestDefinitionSurvives(t *testing.T) {
	app := &spec.App{}
	fill(reflect.ValueOf(app).Elem(), 0)
	app.ID, app.Instances, app.Constraints = "/a/b", 0, nil
	s := New(Config{Principal: "p"}) // which persistent volumes need
	s.Step(1000, ChangeTree{Request: 1, DeploymentID: "d", Put: []PutApp{{App: app}}})
	s.Step(1000, Subscribed{FrameworkID: "f"})
	e := s.Effects(1000)
	restored, err := Restore(Config{}, 2000, merge(nil, e.Save))
	if err != nil {
		t.Fatal(err)
	}
	want, got := s.apps["/a/b"].spec, restored.apps["/a/b"].spec
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("definition changed (-want +got):\n%s", diff)
	}
}

// TestInstanceSurvives: what is saved of an instance comes back whole, and all
// instances of an agent share its facts.
func TestInstanceSurvives(t *testing.T) {
	s := New(Config{})
	app := newApp("/web", map[string]string{"instances": "2"})
	agent := &placement.Agent{
		ID: "a1", Hostname: "h1", IP: "10.0.0.1", Port: 5051, Region: "r", Zone: "z",
		Attributes: []placement.Attribute{{Name: "rack", Value: "r1"}, {Name: "rack", Value: "r2"}},
	}
	offer := &placement.Offer{ID: "o1", Agent: agent, Role: "*"}
	var records []Record
	collect := func(ev Event) Effects {
		s.Step(1000, ev)
		e := s.Effects(1000)
		records = merge(records, e.Save)
		return e
	}
	collect(Subscribed{FrameworkID: "f"})
	collect(ChangeTree{Request: 1, DeploymentID: "d", Put: []PutApp{{App: app}}})
	match := collect(Offers{Offers: []*placement.Offer{offer}}).Match
	place := placement.Placement{App: match.Wanted[0].App, Offer: offer, Ports: []uint16{31000, 31001}}
	e := collect(Matched{Result: placement.Result{Placements: []placement.Placement{place, place}}, MatchedOffers: match.Offers})
	healthy := true
	for _, task := range e.Calls[0].(Accept).Tasks {
		collect(StatusUpdate{Status: Status{TaskID: task.ID, State: TaskRunning, Healthy: &healthy, IPs: []string{"172.17.0.2"}, UUID: [16]byte{1}}})
	}
	restored, err := Restore(Config{}, 1000, records)
	if err != nil {
		t.Fatal(err)
	}
	byID := func(s *Scheduler) map[UUID]*Instance {
		out := map[UUID]*Instance{}
		for id, m := range s.members {
			out[id] = m.inst
		}
		return out
	}
	if diff := cmp.Diff(byID(s), byID(restored)); diff != "" {
		t.Errorf("instances changed (-want +got):\n%s", diff)
	}
	members := restored.apps["/web"].members
	if members[0].inst.Agent != members[1].inst.Agent {
		t.Error("instances of one agent do not share its facts")
	}
}

func merge(records, changes []Record) []Record {
	for _, c := range changes {
		kept := records[:0]
		for _, r := range records {
			if r.Key != c.Key {
				kept = append(kept, r)
			}
		}
		if records = kept; c.Value != nil {
			records = append(records, c)
		}
	}
	return records
}

// TestRestoreRefuses: a record that cannot be read ends the start with its name.
func TestRestoreRefuses(t *testing.T) {
	for _, c := range []struct {
		key, value, want string
	}{
		{"framework", `{"format":99,"id":"f"}`, "newer than this version"},
		{"framework", `{"format":1,"id":"f"}`, "older than this version"},
		{"framework", `{`, "unexpected end"},
		{"app/web", `{"version":7}`, "has no record"},
		{"version/web@7", `[]`, "cannot unmarshal"},
		{"group/g", `[]`, "cannot unmarshal"},
		{"revision/x", `{}`, "invalid syntax"},
		{"revision/7", `{"apps":[{"app":"/web","after":7}]}`, "has no record"},
		{"deployment/d", `{"kill":{"/web":["x"]}}`, "uuid"},
		{"ended/d", `[]`, "cannot unmarshal"},
		{"failure/web", `[]`, "cannot unmarshal"},
		{"app/web", `[]`, "cannot unmarshal"},
		{"instance/x", `{}`, "uuid"},
		{"instance/6ba7b810-9dad-41d1-80b4-00c04fd430c8", `{"app":"/gone"}`, "its app /gone has no record"},
		{"volume/1", `{}`, "kind not known"},
		{"backoff/web", `"x"`, "cannot unmarshal"},
		{"deployment/d", `7`, "cannot unmarshal"},
	} {
		_, err := Restore(Config{}, 1, []Record{{Key: c.key, Value: []byte(c.value)}})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.key) {
			t.Errorf("%s=%s: %v, want %q", c.key, c.value, err, c.want)
		}
	}
}

func TestSplitKeepsOffersWhole(t *testing.T) {
	a, b, c := &placement.Offer{ID: "a"}, &placement.Offer{ID: "b"}, &placement.Offer{ID: "c"}
	var m Matched
	for _, o := range []*placement.Offer{a, b, a, c, a, b} {
		m.Result.Placements = append(m.Result.Placements, placement.Placement{Offer: o})
	}
	m.MatchedOffers = []*placement.Offer{a, b, c}
	var got []string
	pieces := m.Split(3)
	for i, p := range pieces {
		var text strings.Builder
		for _, x := range p.Result.Placements {
			text.WriteString(x.Offer.ID)
		}
		got = append(got, text.String())
		if p.Partial != (i < len(pieces)-1) {
			t.Errorf("piece %d: Partial is %v", i, p.Partial)
		}
	}
	if diff := cmp.Diff([]string{"aaa", "bbc"}, got); diff != "" {
		t.Errorf("pieces (-want +got):\n%s", diff)
	}
	if len(pieces[1].MatchedOffers) != 3 {
		t.Error("the last piece does not carry the offers")
	}
}

// TestSnapshotSharesWhatDidNotChange: the cost of a batch is that of what it changed.
func TestSnapshotSharesWhatDidNotChange(t *testing.T) {
	s := New(Config{})
	for i, id := range []string{"/a", "/b"} {
		s.Step(1000, ChangeTree{Request: RequestID(i), DeploymentID: id, Put: []PutApp{{App: newApp(id, nil)}}})
	}
	s.Effects(1000)
	before := s.Snapshot()
	if s.Snapshot() != before {
		t.Error("a snapshot without changes is a new one")
	}
	s.Step(2000, ChangeTree{Request: 9, DeploymentID: "x", Remove: []spec.PathID{"/b"}, Force: true})
	s.Effects(2000)
	after := s.Snapshot()
	a1, _ := before.Apps.Get([]byte("/a"))
	a2, _ := after.Apps.Get([]byte("/a"))
	if a1 != a2 {
		t.Error("the view of an app that did not change was built anew")
	}
	if _, ok := before.Apps.Get([]byte("/b")); !ok {
		t.Error("an earlier snapshot changed")
	}
	if _, ok := after.Apps.Get([]byte("/b")); ok {
		t.Error("a removed app is still shown")
	}
}

func TestReviveTokensRefill(t *testing.T) {
	s := New(Config{ReviveInterval: time.Second})
	s.now = 1000
	for i := range reviveBurst {
		if at := s.reviveAllowedAt(); at != 1000 {
			t.Fatalf("revive %d not before %d", i, at)
		}
		s.demand.tokens--
	}
	if at := s.reviveAllowedAt(); at != 2000 {
		t.Errorf("after the burst: %d, want 2000", at)
	}
	s.now = 60_000
	if at := s.reviveAllowedAt(); at != 60_000 || s.demand.tokens != reviveBurst {
		t.Errorf("after a minute: %d with %d tokens", at, s.demand.tokens)
	}
}
