package resource_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// reserved is a resource for role r, reserved by p for the task t.
const reservation = `"reservations":[{"type":"DYNAMIC","role":"r","principal":"p","labels":{"labels":[{"key":"task","value":"t"}]}}]`

func fromJSON(t *testing.T, parts ...string) resource.Set {
	t.Helper()
	var list []mesos.Resource
	if err := json.Unmarshal([]byte("["+strings.Join(parts, ",")+"]"), &list); err != nil {
		t.Fatal(err)
	}
	s, err := resource.FromProto(list)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	someCPUs = `{"name":"cpus","type":"SCALAR","scalar":{"value":0.5},` + reservation + `}`
	someDisk = `{"name":"disk","type":"SCALAR","scalar":{"value":128},` + reservation + `}`
	aVolume  = `{"name":"disk","type":"SCALAR","scalar":{"value":128},` + reservation +
		`,"disk":{"persistence":{"id":"v1","principal":"p"},"volume":{"mode":"RW","container_path":"data"}}}`
	sameVolume = `{"name":"disk","type":"SCALAR","scalar":{"value":128},` + reservation +
		`,"disk":{"persistence":{"id":"v1"},"volume":{"mode":"RW","container_path":"elsewhere"}}}`
	halfVolume = `{"name":"disk","type":"SCALAR","scalar":{"value":64},` + reservation + `,"disk":{"persistence":{"id":"v1"}}}`
)

func TestConvert(t *testing.T) {
	whole := parse(t, "cpus:2;disk:4096")
	var steps []resource.Conversion
	for _, r := range fromJSON(t, someCPUs, someDisk) {
		steps = append(steps, resource.Reserve(r))
	}
	volume := fromJSON(t, aVolume)[0]
	made, missing := whole.Convert(append(steps, resource.Create(volume)))
	const stack = "(reservations: [(DYNAMIC,r,p,{task: t})])"
	want := "cpus:1.5; disk:3968; cpus" + stack + ":0.5; disk" + stack + "[v1:data]:128"
	if missing != nil || made.String() != want {
		t.Fatalf("%s, lacks %v, want %s", made, missing, want)
	}
	if got := made.Converted().String(); got != "cpus"+stack+":0.5; disk"+stack+"[v1:data]:128" {
		t.Errorf("converted: %s", got)
	}
	if got := volume.Stripped().Text(""); got != "disk:128" {
		t.Errorf("stripped: %s", got)
	}
	left, missing := made.Convert([]resource.Conversion{resource.Unreserve(fromJSON(t, someCPUs)[0]), resource.Unreserve(fromJSON(t, someDisk)[0])})
	if missing == nil || missing.Text("") != "disk"+stack+":128" || left.Amount("cpus") != 2 {
		t.Errorf("disk below a volume: left %s, lacks %v", left, missing)
	}
	back, missing := made.Convert([]resource.Conversion{
		resource.Destroy(volume), resource.Unreserve(fromJSON(t, someDisk)[0]), resource.Unreserve(fromJSON(t, someCPUs)[0]),
	})
	if missing != nil || !back.Contains(whole) || !whole.Contains(back) {
		t.Errorf("back: %s, lacks %v", back, missing)
	}
}

// A volume is known by its id, wherever a task wants to see it, and only to be had as a whole.
func TestVolumesAreWhole(t *testing.T) {
	have := fromJSON(t, aVolume)
	if !have.Contains(fromJSON(t, sameVolume)) {
		t.Error("the volume with another container path is not found")
	}
	if have.Contains(fromJSON(t, halfVolume)) {
		t.Error("half a volume is found")
	}
	if have.Contains(fromJSON(t, someDisk)) {
		t.Error("a volume passes for plain disk")
	}
}

// The old form keeps principal and labels too, and both read back as the same.
func TestDynamicForms(t *testing.T) {
	have := fromJSON(t, someCPUs, aVolume)
	for _, shape := range []resource.Shape{{}, {Refinement: true}, {Allocation: true}, {Allocation: true, Refinement: true}} {
		wire := have.Proto("r", shape)
		again, err := resource.FromProto(wire)
		if err != nil || again.String() != have.String() {
			t.Errorf("%+v: %s, %v, want %s", shape, again, err, have)
		}
		if old := wire[0].Reservation; shape.Refinement != (old == nil) || old != nil && (old.Role != nil || old.Type != nil) {
			t.Errorf("%+v: old form: %v", shape, old)
		}
	}
	both := have.BothForms()[0]
	if both.GetRole() != "r" || both.Reservation.GetPrincipal() != "p" || len(both.Reservations) != 1 {
		t.Errorf("both forms: %v", both)
	}
}

func TestLabelOrderCounts(t *testing.T) {
	cpus := func(labels string) resource.Set {
		return fromJSON(t, `{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"r","labels":{"labels":[`+labels+`]}}]}`)
	}
	ab, ba := cpus(`{"key":"a"},{"key":"b","value":"1"}`), cpus(`{"key":"b","value":"1"},{"key":"a"}`)
	if ab.Contains(ba) || len(ab.Plus(ba)) != 2 {
		t.Errorf("%s is taken for %s", ab, ba)
	}
	if got, want := ab.String(), "cpus(reservations: [(DYNAMIC,r,{a, b: 1})]):1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestParseJSON(t *testing.T) {
	const disks = `[{"name":"cpus","type":"SCALAR","scalar":{"value":4}},
		{"name":"disk","type":"SCALAR","scalar":{"value":100},"role":"db","disk":{"source":{"type":"PATH","path":{"root":"/one"}}}},
		{"name":"disk","type":"SCALAR","scalar":{"value":200},"disk":{"source":{"type":"MOUNT","mount":{"root":"/two"}}}},
		{"name":"disk","type":"SCALAR","scalar":{"value":300}}]`
	s := parse(t, disks)
	if got, want := s.String(), "cpus:4; disk(reservations: [(STATIC,db)])[PATH:/one]:100; disk[MOUNT:/two]:200; disk:300"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	two := s[2]
	two.Milli /= 2
	if s.Contains(resource.Set{two}) {
		t.Error("half a MOUNT disk is to be had")
	}
	for i, want := range map[int]string{1: "/one/volumes/roles/a b/v", 2: "/two"} {
		d := *s[i].Disk
		d.Persistence = "v"
		if got := d.Folder("/var/mesos", "a/b"); got != want {
			t.Errorf("folder: %s, want %s", got, want)
		}
	}
	root := &resource.Disk{Persistence: "v"}
	if diff := cmp.Diff("/var/mesos/volumes/roles/r/v", root.Folder("/var/mesos", "r")); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{
		`[`, `[{"name":"cpus"}]`, `[` + someCPUs + `]`, `[` + aVolume + `]`,
		`[{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"source":{"type":"RAW"}}}]`,
		`[{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"source":{"type":"PATH"}}}]`,
		`[{"name":"disk","type":"SCALAR","scalar":{"value":0},"disk":{"source":{"type":"PATH"}}}]`,
		`[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"revocable":{}}]`,
	} {
		if s, err := resource.Parse(bad, "*"); err == nil {
			t.Errorf("%s is taken as %s", bad, s)
		}
	}
}
