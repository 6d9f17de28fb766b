package spec

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// everything is an app in which every field is set, nested ones too. Off the
// host's network it could not have ports of the host, so those are put in.
func everything(tb rapid.TB) *App {
	tb.Helper()
	u, err := ParseUpdate([]byte(everythingJSON), Whole, false)
	if err != nil {
		tb.Fatal(err)
	}
	if len(u.Unknown) > 0 {
		tb.Fatalf("not fields of an app: %v", u.Unknown)
	}
	app := u.App(*u.ID, "r", Settings{})
	app.PortDefinitions = []PortDefinition{{Port: 80, Name: "p", Protocol: "udp", Labels: map[string]string{"k": "v"}}}
	app.RequirePorts = true
	app.UnreachableStrategy = UnreachableStrategy{InactiveAfter: time.Second, ExpungeAfter: 2 * time.Second}
	app.Version, app.LastScalingAt, app.LastConfigChangeAt = 1600000000001, 1600000000002, 1600000000003
	return app
}

const everythingJSON = `{"id": "/g/a", "cmd": "x", "args": ["y"], "user": "u", "env": {"A": "a", "B": {"secret": "s"}}, "instances": 2, "cpus": 0.5,
 "mem": 64, "disk": 10, "gpus": 1, "executor": "/x", "executorResources": {"cpus": 1, "mem": 33, "disk": 11},
 "resourceLimits": {"cpus": 1, "mem": "unlimited"}, "fetch": [{"uri": "u", "executable": true, "cache": true, "destPath": "d"}],
 "container": {"type": "MESOS", "docker": {"image": "i", "forcePullImage": true, "privileged": true, "parameters": [{"key": "k", "value": "v"}],
   "pullConfig": {"secret": "s"}},
  "volumes": [{"containerPath": "a", "hostPath": "h", "mode": "RO"}, {"containerPath": "b", "secret": "s"},
   {"containerPath": "c", "mode": "RO", "persistent": {"type": "mount", "size": 1, "maxSize": 2, "profileName": "p", "constraints": [["path", "LIKE", "x"]]}},
   {"containerPath": "d", "mode": "RO", "external": {"name": "n", "provider": "dvdi", "size": 1, "options": {"k": "v"}, "shared": true}},
   {"containerPath": "e", "mode": "RO", "external": {"name": "m", "provider": "csi", "options": {"pluginName": "p",
    "capability": {"accessMode": "MULTI_NODE_MULTI_WRITER", "accessType": "mount", "fsType": "f", "mountFlags": ["m"]},
    "nodeStageSecret": {"a": "b"}, "nodePublishSecret": {"c": "d"}, "volumeContext": {"e": "f"}}}}],
  "portMappings": [{"containerPort": 1, "hostPort": 2, "servicePort": 3, "protocol": "udp", "name": "p", "labels": {"k": "v"}, "networkNames": ["n"]}],
  "linuxInfo": {"seccomp": {"profileName": "p", "unconfined": true}, "ipcInfo": {"mode": "PRIVATE", "shmSize": 1}}},
 "networks": [{"mode": "container", "name": "n", "labels": {"k": "v"}}],
 "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/p", "port": 1, "portIndex": 2, "command": {"value": "c"}, "gracePeriodSeconds": 1, "intervalSeconds": 2,
  "timeoutSeconds": 3, "maxConsecutiveFailures": 4, "delaySeconds": 5, "ignoreHttp1xx": true, "ipProtocol": "IPv6"}],
 "check": {"http": {"port": 1, "portIndex": 2, "path": "/p", "scheme": "HTTPS"}, "tcp": {"port": 1, "portIndex": 2}, "exec": {"command": {"shell": "s"}},
  "intervalSeconds": 1, "timeoutSeconds": 2, "delaySeconds": 3},
 "readinessChecks": [{"name": "r", "protocol": "HTTPS", "path": "/r", "portName": "p", "intervalSeconds": 3, "timeoutSeconds": 2, "httpStatusCodesForReady": [201], "preserveLastResponse": true}],
 "secrets": {"s": {"source": "x"}}, "tty": true, "residency": {"relaunchEscalationTimeoutSeconds": 5, "taskLostBehavior": "RELAUNCH_AFTER_TIMEOUT"},
 "dependencies": ["/d"], "constraints": [["a", "LIKE", "b"]], "backoffSeconds": 2, "backoffFactor": 2, "maxLaunchDelaySeconds": 3,
 "taskKillGracePeriodSeconds": 4, "upgradeStrategy": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0.25}, "killSelection": "OLDEST_FIRST",
 "labels": {"k": "v"}, "acceptedResourceRoles": ["r"], "role": "r"}`

// leaves calls visit with every value below v that has no parts, by its path, and
// with every pointer that is nil.
func leaves(v reflect.Value, path string, visit func(path string, leaf reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for field, value := range v.Fields() {
			leaves(value, path+"."+field.Name, visit)
		}
	case reflect.Pointer:
		if v.IsNil() {
			visit(path, v)
		} else {
			leaves(v.Elem(), path, visit)
		}
	case reflect.Slice:
		visit(path, v)
		for i := range v.Len() {
			leaves(v.Index(i), at(path, i), visit)
		}
	default:
		visit(path, v)
	}
}

// unset are the fields that stand for something else than those that everything
// has set, so that both at once have no meaning.
func unset(path string) bool {
	for _, kind := range []string{".Host", ".Secret", ".Persistent", ".External"} {
		if strings.HasPrefix(path, ".Container.Volumes(") && strings.HasSuffix(path, kind) {
			return true
		}
	}
	switch path {
	case ".Container.Volumes(3).External.CSI", ".Container.Volumes(4).External.Size", ".Container.Volumes(4).External.Options",
		".Container.Volumes(4).External.Shared", ".Container.Volumes(1).ReadOnly", ".ResourceLimits.Mem.Value":
		return true
	}
	return false
}

func TestEverythingIsSet(t *testing.T) {
	leaves(reflect.ValueOf(everything(t)).Elem(), "", func(path string, leaf reflect.Value) {
		excluded := path == ".ResourceLimits.CPUs.Unlimited" || path == ".UnreachableStrategy.Disabled" // by the values beside them
		if leaf.IsZero() && !unset(path) && !excluded {
			t.Errorf("%s is not set", path)
		}
	})
}

// TestEveryFieldCounts changes one field at a time, found by reflection: a field
// added anywhere in App and forgotten in Compare, or in its JSON, is found here.
func TestEveryFieldCounts(t *testing.T) {
	var paths []string
	leaves(reflect.ValueOf(everything(t)).Elem(), "", func(path string, _ reflect.Value) { paths = append(paths, path) })
	shown := everything(t).AppendFields(nil, true)
	for _, target := range paths {
		if unset(target) {
			continue
		}
		old, changed := everything(t), everything(t)
		leaves(reflect.ValueOf(changed).Elem(), "", func(path string, leaf reflect.Value) {
			if path == target {
				alter(leaf)
			}
		})
		if got, want := Compare(old, changed), changeOf(target); got != want {
			t.Errorf("changing %s: %v, want %v", target, got, want)
		}
		if bytes.Equal(changed.AppendFields(nil, true), shown) {
			t.Errorf("changing %s is not shown", target)
		}
	}
}

// changeOf is what a change of the field means.
func changeOf(path string) Change {
	switch name, _, _ := strings.Cut(path[1:], "."); name {
	case "ID", "Version", "LastScalingAt", "LastConfigChangeAt", "ExecutorResources", "Residency":
		return Unchanged
	case "Instances":
		return Scaled
	default:
		return Reconfigured
	}
}

// alter gives v another value.
func alter(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1e9)
	case reflect.Uint8:
		v.SetUint((v.Uint() + 1) % 2)
	case reflect.Float64:
		v.SetFloat(v.Float() + 1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k2"), reflect.ValueOf("v2"))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

// TestEveryFieldIsRead: what is shown can be sent back.
func TestEveryFieldIsRead(t *testing.T) {
	want := everything(t)
	want.PortDefinitions, want.RequirePorts = nil, false // those of the host, see everything
	checkComesBack(t, want)
}

// TestPlainJSONKeepsEveryField: an app without its methods is what is stored.
func TestPlainJSONKeepsEveryField(t *testing.T) {
	type fields App
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Make[fields]().Draw(t, "app")
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got fields
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestCompareTakesListsOfTheAPIAsSets(t *testing.T) {
	a, b := Defaults(), Defaults()
	a.AcceptedResourceRoles, b.AcceptedResourceRoles = []string{"*", "r"}, []string{"r", "*"}
	a.Constraints = []Constraint{{Field: "a", Operator: "UNIQUE"}, {Field: "b", Operator: "UNIQUE"}}
	b.Constraints = []Constraint{a.Constraints[1], a.Constraints[0]}
	a.Dependencies, b.Dependencies = []PathID{"/a", "/b"}, []PathID{"/b", "/a"}
	a.HealthChecks = []HealthCheck{{Port: new(1)}, {Port: new(2)}}
	b.HealthChecks = []HealthCheck{{Port: new(2)}, {Port: new(1)}}
	if got := Compare(a, b); got != Unchanged {
		t.Errorf("Compare = %v, want unchanged", got)
	}
	b.Dependencies = []PathID{"/b", "/b"}
	if got := Compare(a, b); got != Reconfigured {
		t.Errorf("Compare = %v, want reconfigured", got)
	}
}

// TestCompareTakesNothingForEmpty: the API does not tell the two apart, nor the
// host's network from none.
func TestCompareTakesNothingForEmpty(t *testing.T) {
	a, b := &App{}, &App{
		Args: []string{}, Env: map[string]string{}, EnvSecrets: map[string]string{}, Fetch: []Artifact{}, HealthChecks: []HealthCheck{},
		ReadinessChecks: []ReadinessCheck{}, Secrets: map[string]string{}, Dependencies: []PathID{}, Constraints: []Constraint{},
		PortDefinitions: []PortDefinition{}, Labels: map[string]string{}, AcceptedResourceRoles: []string{}, Networks: []Network{{}},
	}
	if got := Compare(a, b); got != Unchanged {
		t.Errorf("Compare = %v, want unchanged", got)
	}
}
