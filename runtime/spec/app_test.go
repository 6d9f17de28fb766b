package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestServicePorts(t *testing.T) {
	host := &App{PortDefinitions: []PortDefinition{{Port: 0, Name: "a"}, {Port: 7}}}
	bridge := &App{Networks: []Network{{Mode: BridgeNetwork}}, Container: &Container{PortMappings: []PortMapping{{ServicePort: 5}, {}}}}
	tests := []struct {
		name string
		app  *App
		want []int
	}{
		{"host", host, []int{0, 7}},
		{"host, and a container with mappings left", &App{PortDefinitions: host.PortDefinitions, Container: bridge.Container}, []int{0, 7}},
		{"bridge", bridge, []int{5, 0}},
		{"bridge, and definitions left", &App{Networks: bridge.Networks, Container: bridge.Container, PortDefinitions: host.PortDefinitions}, []int{5, 0}},
		{"none", &App{}, []int{}},
		{"no container", &App{Networks: []Network{{Mode: ContainerNetwork}}}, []int{}},
		{"no mappings", &App{Networks: bridge.Networks, Container: &Container{PortMappings: []PortMapping{}}}, []int{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := tt.app.AppendFields(nil, true)
			if diff := cmp.Diff(tt.want, tt.app.ServicePorts()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			other := make([]int, len(tt.want))
			for i := range other {
				other[i] = 100 + i
			}
			if diff := cmp.Diff(other, tt.app.WithServicePorts(other).ServicePorts()); diff != "" {
				t.Errorf("set: -want +got:\n%s", diff)
			}
			if after := tt.app.AppendFields(nil, true); string(after) != string(before) {
				t.Errorf("the app itself changed:\n%s\n%s", before, after)
			}
		})
	}
}

func TestUncovered(t *testing.T) {
	if got := Defaults().Uncovered(); got != nil {
		t.Errorf("a plain app: %v", got)
	}
	app := everything(t)
	want := []string{"check", "container"}
	if diff := cmp.Diff(want, app.Uncovered()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	docker := func(v ...Volume) *Container {
		return &Container{Type: DockerContainer, Docker: &DockerImage{Image: "i", Privileged: true}, Volumes: v}
	}
	for _, tt := range []struct {
		app  App
		want string
	}{
		{App{Executor: "//cmd"}, ""},
		{App{Executor: "/opt/run", ExecutorResources: &ExecutorResources{CPUs: 1}}, ""},
		{App{TTY: new(true)}, ""},
		{App{Fetch: []Artifact{{URI: "http://a/b"}}, ResourceLimits: &ResourceLimits{CPUs: &Limit{Unlimited: true}}}, ""},
		{App{Networks: []Network{{Mode: ContainerNetwork, Name: "n"}}, Container: &Container{Type: MesosContainer}}, ""},
		{App{Networks: []Network{{Mode: BridgeNetwork}}, Container: docker()}, ""},
		{App{Container: docker(Volume{Host: new("/a")}, Volume{External: &ExternalVolume{Provider: "dvdi"}})}, ""},
		{App{Container: docker(Volume{External: &ExternalVolume{Provider: "csi"}})}, "container"},
		{App{Container: docker(Volume{Secret: new("s")})}, "container"},
		{App{Container: &Container{Type: MesosContainer, Volumes: []Volume{{Secret: new("s")}}}}, ""},
		{App{Container: &Container{Type: MesosContainer, Docker: &DockerImage{Privileged: true}}}, "container"},
		{App{EnvSecrets: map[string]string{"A": "s"}}, ""},
		{App{EnvSecrets: map[string]string{"A": "s"}, Container: docker()}, "env"},
		{App{HealthChecks: []HealthCheck{{Protocol: CheckCommand}, {Protocol: CheckMesosHTTPS}}}, ""},
		{App{HealthChecks: []HealthCheck{{Protocol: CheckMesosTCP}, {Protocol: CheckHTTP}}}, ""},
		{App{HealthChecks: []HealthCheck{{Protocol: CheckHTTPS}}}, ""},
		{App{HealthChecks: []HealthCheck{{Protocol: CheckTCP}}}, ""},
		{App{Check: &Check{HTTP: &CheckHTTPRequest{Scheme: "HTTP"}}}, ""},
		{App{Check: &Check{HTTP: &CheckHTTPRequest{Scheme: "HTTPS"}}}, "check"},
		{App{ReadinessChecks: []ReadinessCheck{{}}}, ""},
		{App{Container: &Container{Type: MesosContainer, Volumes: []Volume{{Persistent: &PersistentVolume{}}}}}, ""},
	} {
		if got := strings.Join(tt.app.Uncovered(), ","); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.app, got, tt.want)
		}
	}
}

// TestValidateWhatNoBodyBecomes: definitions that are not read but made.
func TestValidateWhatNoBodyBecomes(t *testing.T) {
	app := Defaults()
	app.Cmd, app.Role, app.PortDefinitions = "x", "*", nil
	app.Networks = []Network{{Mode: BridgeNetwork}}
	app.Container = &Container{Type: MesosContainer, PortMappings: []PortMapping{{Protocol: "tcp"}}}
	err := app.Validate(Rules{Roles: Settings{}.Roles("/a", nil, nil)})
	if want := "Object is not valid: /container/portMappings(0): hostPort is required for BRIDGE mode."; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestGroupsOfARandomLife applies updates one after the other: a tree is a value,
// its parts fit, a change has nothing in it that stays, and can be undone.
func TestGroupsOfARandomLife(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		tree := Tree{}
		for range rapid.IntRange(1, 6).Draw(r, "steps") {
			text, err := json.Marshal(randomGroup(r, 0))
			if err != nil {
				r.Fatal(err)
			}
			at := rapid.SampledFrom([]PathID{"/", "/a", "/b", "/a/b"}).Draw(r, "at")
			tree = oneChange(r, tree, string(text), at)
		}
	})
}

// oneChange applies an update and returns the tree after it.
func oneChange(r *rapid.T, tree Tree, text string, at PathID) Tree {
	u, err := ParseGroupUpdate([]byte(text), at)
	if err != nil {
		return tree // ids that do not go together
	}
	before := showTree(tree)
	c, err := u.Apply(tree, Settings{})
	if now := showTree(tree); now != before {
		r.Fatalf("%s changes the tree itself:\n%s\n%s", text, before, now)
	}
	if refused(r, text, err) {
		return tree
	}
	next := tree.With(c)
	checkTree(r, text, next)
	for id, a := range c.Apps {
		if now := tree.App(id); a == nil && now == nil || a != nil && now != nil && same(a, now) {
			r.Errorf("%s: %s is in the change and stays the same", text, id)
		}
	}
	if undone := next.With(next.Restore(tree, Root)); showTree(undone) != before {
		r.Errorf("%s: not restored:\n%s\n%s", text, before, showTree(undone))
	}
	if removed := next.With(next.Remove(u.ID)); u.ID != Root && (removed.Group(u.ID) != nil || !removed.empty(u.ID)) {
		r.Errorf("%s: not removed", text)
	}
	return next
}

func showTree(tree Tree) string {
	all := newTreeChange()
	for g := range tree.Groups(Root) {
		all.Groups[g.ID] = g
	}
	for a := range tree.Apps(Root) {
		all.Apps[a.ID] = a
	}
	return showChange(all)
}

// randomGroup is a body of few names, so that they meet.
func randomGroup(r *rapid.T, depth int) map[string]any {
	body := map[string]any{}
	name := rapid.SampledFrom([]string{"a", "b", "c"})
	if depth > 0 {
		body["id"] = name.Draw(r, "id")
	}
	if rapid.Bool().Draw(r, "with apps") {
		apps := []any{}
		for range rapid.IntRange(0, 2).Draw(r, "apps") {
			apps = append(apps, map[string]any{
				"id": name.Draw(r, "app"), "cmd": name.Draw(r, "cmd"), "instances": rapid.IntRange(0, 2).Draw(r, "instances"),
			})
		}
		body["apps"] = apps
	}
	if depth < 2 && rapid.Bool().Draw(r, "with groups") {
		groups := []any{}
		for range rapid.IntRange(0, 2).Draw(r, "groups") {
			groups = append(groups, randomGroup(r, depth+1))
		}
		body["groups"] = groups
	}
	if rapid.Bool().Draw(r, "with dependencies") {
		body["dependencies"] = []string{"../" + name.Draw(r, "dependency")}
	}
	return body
}

// many repeats a format with numbers in it.
func many(format string) string {
	var b strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&b, format+",", i)
	}
	return b.String()
}

// hugeApps are bodies of apps that are near the limit of what is taken.
func hugeApps() map[string]string {
	const n = 60_000
	long := strings.Repeat("n", 500_000)
	return map[string]string{
		"faults":      `{"id":"a","constraints":[` + strings.Repeat("1,", n) + `1]}`,
		"constraints": `{"id":"a","constraints":[` + many(`["f%d","LIKE"]`) + `["x","LIKE"]]}`,
		"roles":       `{"id":"a","acceptedResourceRoles":[` + strings.Repeat(`"r",`, n) + `"r"],"ports":[` + strings.Repeat("0,", n) + `"x"]}`,
		"checks":      `{"id":"a","healthChecks":[` + many(`{"port":%d}`) + `{}]}`,
		"networks": `{"id":"a","networks":[` + many(`{"name":"n%d"}`) + `{}],"container":{"type":"MESOS","portMappings":[{"networkNames":[` +
			many(`"m%d"`) + `"m"]}]}}`,
		"mappings": `{"id":"a","networks":[{"name":"n"}],"ports":[` + strings.Repeat("0,", n) + `0],"container":{"type":"MESOS"}}`,
		"volumes": `{"id":"a","instances":2,"container":{"type":"MESOS","volumes":[` +
			many(`{"containerPath":"x","mode":"RO","external":{"name":"n%d","provider":"dvdi"}}`) + `{}]}}`,
		"names":   `{"id":"a","role":"` + long + `","env":{"A":{"secret":"` + long + `"}}}`,
		"id":      `{"id":"` + long + `","cmd":"x"}`,
		"secrets": `{"id":"a","env":{` + many(`"A%d":{"secret":"s"}`) + `"B":{"secret":"s"}}}`,
		"depends": `{"id":"a","dependencies":[` + many(`"/d%d"`) + `"D"]}`,
	}
}

// TestHugeBodiesAreCheap: work that grows with the square of a body's size would
// keep these from ending within the test's time, and answers from being sent.
func TestHugeBodiesAreCheap(t *testing.T) {
	for name, body := range hugeApps() {
		u, err := ParseUpdate([]byte(body), Whole, false)
		if err == nil {
			app := u.App(*u.ID, "*", Settings{})
			err = errors.Join(app.Validate(Rules{Sent: u}), app.ValidateChange(everything(t)))
			if Compare(app, u.App(*u.ID, "*", Settings{})) != Unchanged {
				t.Errorf("%s: not the same as itself", name)
			}
		}
		checkSize(t, name, err)
	}
	for name, body := range map[string]string{
		"deep":    strings.Repeat(`{"id":"a","groups":[`, 5000) + strings.Repeat(`]}`, 5000),
		"apps":    `{"apps":[` + many(`{"id":"a%d","role":"x"}`) + `1]}`,
		"same":    `{"apps":[` + strings.Repeat(`{"id":"a"},`, 30_000) + `{"id":"A"}]}`,
		"clashes": `{"groups":[` + many(`{"id":"top%d"}`) + `{"id":"top0"}]}`,
		"enforce": `{"groups":[` + many(`{"id":"g%d","enforceRole":true,"groups":[{"id":"x","enforceRole":true}]}`) + `{}]}`,
	} {
		u, err := ParseGroupUpdate([]byte(body), "/g")
		if err == nil {
			_, err = u.Apply(Tree{}, Settings{})
		}
		checkSize(t, name, err)
	}
}

// checkSize checks that an answer can be sent.
func checkSize(t *testing.T, name string, err error) {
	t.Helper()
	var faults *Faults
	if err == nil {
		return
	}
	if !errors.As(err, &faults) || len(faults.Details) > mostFaults {
		t.Errorf("%s: no faults, or too many", name)
		return
	}
	if size := len(faults.Error()); size > 2<<20 {
		t.Errorf("%s: %d bytes of faults", name, size)
	}
}

// TestApplyReplacesEachField: a field of Update that Apply forgets is found here.
func TestApplyReplacesEachField(t *testing.T) {
	u, err := ParseUpdate([]byte(everythingJSON), Partial, true)
	if err != nil {
		t.Fatal(err)
	}
	u.PortDefinitions = &[]PortDefinition{{Port: 1}}
	u.RequirePorts, u.UnreachableStrategy = new(true), &UnreachableStrategy{ExpungeAfter: time.Second}
	all := reflect.ValueOf(u).Elem()
	for i, field := range slices.Collect(all.Type().Fields()) {
		if !field.IsExported() || field.Type.Kind() != reflect.Pointer {
			continue
		}
		switch field.Name {
		case "ID", "Version", "VersionInfo", "EnvSecrets":
			continue // not fields of the definition, or part of another
		}
		if all.Field(i).IsNil() {
			t.Errorf("%s is not read", field.Name)
			continue
		}
		one := &Update{}
		reflect.ValueOf(one).Elem().Field(i).Set(all.Field(i))
		base := Defaults()
		base.Container = &Container{Type: MesosContainer, Volumes: []Volume{{Persistent: &PersistentVolume{}}}} // for the residency
		if after := one.over(base); same(base, after) && base.Instances == after.Instances {
			t.Errorf("%s changes nothing", field.Name)
		}
	}
}

func BenchmarkAppendFields(b *testing.B) {
	plain := Defaults()
	plain.ID, plain.Cmd, plain.Role, plain.Version, plain.LastConfigChangeAt = "/g/a", "sleep 1", "*", 1, 1
	for _, bb := range []struct {
		name string
		app  *App
	}{{"plain", plain}, {"everything", everything(b)}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf = bb.app.AppendFields(buf[:0], true)
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	x, y := everything(b), everything(b)
	b.ReportAllocs()
	for b.Loop() {
		if Compare(x, y) != Unchanged {
			b.Fatal("not the same")
		}
	}
}
