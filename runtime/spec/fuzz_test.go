package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// seeds are the bodies of the scripts in a folder of testdata.
func seeds(f *testing.F, folder string) {
	f.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.txt"))
	if err != nil || len(paths) == 0 {
		f.Fatalf("no scripts in %s: %v", folder, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for block := range strings.SplitSeq(string(text), "\n----\n") {
			if i := strings.IndexAny(block, "{["); i >= 0 {
				f.Add(block[i:])
			}
		}
	}
}

// refused tells whether the error is one of the two kinds that bad input has.
func refused(t rapid.TB, text string, err error) bool {
	t.Helper()
	if err == nil {
		return false
	}
	var faults *Faults
	var syntax *SyntaxError
	if !errors.As(err, &faults) && !errors.As(err, &syntax) {
		t.Fatalf("%q: an error of another kind: %v", text, err)
	}
	return true
}

// FuzzParseUpdate feeds any text: it is refused with one of two kinds of error,
// or becomes an app whose own JSON reads back as the same app. An app that is
// valid stays as it is when nothing is asked of it.
func FuzzParseUpdate(f *testing.F) {
	seeds(f, "app")
	f.Add(everythingJSON)
	f.Add(`{"id":"a","constraints":[["a","b"],["a","b","c"]],"upgradeStrategy":{"minimumHealthCapacity":1e-12,"maximumOverCapacity":0.1}}`)
	f.Add(`{"id":"a","networks":[{"mode":"host"}],"portDefinitions":[{"name":"x","labels":{"a":"\u0000"}}],"version":"2020-01-01T00:00:00Z"}`)
	f.Add("{\"id\":\"a\",\"cmd\":\"\\u0000\\ud800\xff\"}")
	f.Fuzz(func(t *testing.T, text string) { checkWhole(t, text) })
}

func checkWhole(t rapid.TB, text string) {
	t.Helper()
	u, err := ParseUpdate([]byte(text), Whole, false)
	if refused(t, text, err) {
		return
	}
	s := Settings{Features: []string{FeatureSecrets, FeatureExternalVolumes, FeatureGPUs}, DefaultNetwork: "n"}
	app := u.App(*u.ID, "*", s)
	if err := app.Validate(Rules{Settings: s, Roles: Roles{"*", []string{app.Role}}, Sent: u}); refused(t, text, err) {
		return
	}
	first := app.AppendFields(nil, true)
	if bytes.Contains(first, []byte(`\u0000`)) || !utf8.Valid(first) {
		t.Errorf("%q: an app that no process can be started for: %s", text, first)
	}
	var again App
	if err := json.Unmarshal(slices.Concat([]byte{'{'}, first, []byte{'}'}), &again); err != nil {
		t.Fatalf("%s: %v", first, err)
	}
	if second := again.AppendFields(nil, true); !bytes.Equal(first, second) {
		t.Errorf("not the same app:\n%s\n%s", first, second)
	}
	if same := app.ValidateChange(app); same != nil {
		t.Errorf("%s may not stay as it is: %v", first, same)
	}
	if kept := new(Update).Apply(app, s); !same(app, kept) {
		t.Errorf("an update of nothing changes:\n%s", cmp.Diff(app, kept))
	}
	app.Uncovered()
}

// FuzzApplyUpdate feeds partial updates of an app that has everything. Whatever
// comes, the app itself is left alone.
func FuzzApplyUpdate(f *testing.F) {
	seeds(f, "app")
	f.Fuzz(func(t *testing.T, text string) { checkPartial(t, text) })
}

func checkPartial(t rapid.TB, text string) {
	t.Helper()
	u, err := ParseUpdate([]byte(text), Partial, true)
	if refused(t, text, err) || u.Rollback {
		return
	}
	for _, base := range []*App{everything(t), Defaults()} {
		before := base.AppendFields(nil, true)
		app := u.Apply(base, Settings{DefaultNetwork: "n"})
		if after := base.AppendFields(nil, true); !bytes.Equal(before, after) {
			t.Errorf("%q changes the app itself:\n%s\n%s", text, before, after)
		}
		if again := u.Apply(app, Settings{DefaultNetwork: "n"}); !same(app, again) {
			t.Errorf("%q twice changes more:\n%s", text, cmp.Diff(app, again))
		}
		refused(t, text, app.Validate(Rules{Current: base, Sent: u}))
		refused(t, text, app.ValidateChange(base))
	}
}

// TestRandomBodies does the same with bodies that are nearly right: fields are left
// out, repeated and given other values of their kind.
func TestRandomBodies(t *testing.T) {
	const legacy = `{"uris": ["a.tgz"], "ports": [0, 1], "ipAddress": {"networkName": "mesos-bridge", "discovery": {"ports": [{"name": "p", "number": 1}]}},
	 "container": {"type": "DOCKER", "docker": {"image": "i", "network": "BRIDGE", "portMappings": [{"containerPort": 1}]}}, "networks": [{"mode": "host"}]}`
	var model map[string]any
	for _, text := range []string{everythingJSON, legacy} {
		var part map[string]any
		if err := json.Unmarshal([]byte(text), &part); err != nil {
			t.Fatal(err)
		}
		if model == nil {
			model = part
		} else {
			model = merged(model, part)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		body := vary(r, model).(map[string]any)
		body["id"] = "/g/a"
		text, err := json.Marshal(body)
		if err != nil {
			r.Fatal(err)
		}
		checkWhole(t, string(text))
		checkPartial(t, string(text))
		if t.Failed() {
			r.Fatalf("%s", text)
		}
	})
}

// merged adds what is in b to a, at any depth.
func merged(a, b map[string]any) map[string]any {
	for name, value := range b {
		inner, isObject := value.(map[string]any)
		if before, ok := a[name].(map[string]any); ok && isObject {
			value = merged(before, inner)
		}
		a[name] = value
	}
	return a
}

// vary makes another value of the same kind.
func vary(r *rapid.T, value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, name := range sortedKeys(v) {
			if rapid.IntRange(0, 2).Draw(r, name) > 0 {
				out[name] = vary(r, v[name])
			}
		}
		return out
	case []any:
		out := []any{}
		for range rapid.IntRange(0, 3).Draw(r, "items") {
			out = append(out, vary(r, rapid.SampledFrom(v).Draw(r, "item")))
		}
		return out
	case float64:
		return rapid.SampledFrom([]float64{v, 0, 1, 2, v + 1}).Draw(r, "number")
	case string:
		return rapid.SampledFrom([]string{
			v, v, v, "", "host", "container", "container/bridge", "HTTP", "TCP", "COMMAND", "MESOS", "DOCKER", "RO", "RW", "dvdi", "unlimited", "disabled",
		}).Draw(r, "text")
	default:
		return v
	}
}

// FuzzGroupUpdate feeds groups: refused, or a change that leaves a tree in which
// every app and group has its group, none of them has the id of another, and
// nothing is left to do when the same is asked for again.
func FuzzGroupUpdate(f *testing.F) {
	seeds(f, "group")
	f.Add(`{"id":"..","enforceRole":true,"apps":[]}`)
	f.Add(`{"apps":[{"id":"x"},{"id":"x"}],"groups":[{"id":"x"},{}]}`)
	base := newTreeChange()
	for _, id := range []PathID{"/g", "/g/h", "/shop"} {
		base.Groups[id] = &Group{ID: id}
	}
	for _, id := range []PathID{"/top", "/g/a", "/g/h/b"} {
		app := Defaults()
		app.ID, app.Cmd, app.Role, app.Version = id, "x", "*", 1
		base.Apps[id] = app
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree := Tree{}.With(base)
		for _, at := range []PathID{"/g", Root} {
			u, err := ParseGroupUpdate([]byte(text), at)
			if refused(t, text, err) || u.Version != nil {
				return
			}
			c, err := u.Apply(tree, Settings{})
			if refused(t, text, err) {
				return
			}
			next := tree.With(c)
			checkTree(t, text, next)
			if u.ScaleBy != nil {
				return
			}
			again, err := u.Apply(next, Settings{})
			if err != nil || len(again.Apps)+len(again.Groups) > 0 {
				t.Errorf("%q twice: %v, changes %v %v", text, err, slices.Collect(maps.Keys(again.Apps)), slices.Collect(maps.Keys(again.Groups)))
			}
			undone := next.With(next.Restore(tree, Root))
			if back := tree.Restore(undone, Root); len(back.Apps)+len(back.Groups) > 0 {
				t.Errorf("%q: not restored: %v", text, back)
			}
		}
	})
}

func checkTree(t rapid.TB, text string, tree Tree) {
	t.Helper()
	member := func(id PathID) {
		if tree.Group(id.Parent()) == nil {
			t.Errorf("%q: %s has no group", text, id)
		}
	}
	for g := range tree.Groups(Root) {
		member(g.ID)
		if tree.App(g.ID) != nil {
			t.Errorf("%q: %s is a group and an app", text, g.ID)
		}
	}
	for a := range tree.Apps(Root) {
		member(a.ID)
	}
}
