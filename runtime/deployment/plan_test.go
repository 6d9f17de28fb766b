package deployment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/spec"
)

// text renders steps as in the worked examples of Marathon's documentation:
// "{Stop b}; {Start c}; {Scale a→2, Scale c→1}".
func text(steps []Step) string {
	var out []string
	for _, s := range steps {
		var actions []string
		for _, a := range s.Actions {
			one := fmt.Sprintf("%s %s", strings.TrimSuffix(a.Kind.String(), "Application"), a.App[1:])
			if a.Kind == Scale {
				one += fmt.Sprintf("→%d", a.To)
			}
			actions = append(actions, one)
		}
		out = append(out, "{"+strings.Join(actions, ", ")+"}")
	}
	return strings.Join(out, "; ")
}

func TestSteps(t *testing.T) {
	app := func(id string, n int, version spec.Timestamp) *spec.App {
		return &spec.App{ID: spec.PathID(id), Instances: n, Version: version}
	}
	same := app("/a", 2, 1)
	for _, c := range []struct {
		name    string
		changes []Change
		want    string
	}{
		{"nothing", nil, ""},
		{"no change", []Change{{same, same}}, ""},
		{"new", []Change{{nil, app("/a", 2, 1)}}, "{Start a}; {Scale a→2}"},
		{"new without instances", []Change{{nil, app("/a", 0, 1)}}, "{Start a}; {Scale a→0}"},
		{"scale", []Change{{same, app("/a", 3, 2)}}, "{Scale a→3}"},
		{"suspend", []Change{{same, app("/a", 0, 2)}}, "{Scale a→0}"},
		{"delete", []Change{{same, nil}}, "{Stop a}"},
		{
			"scale, delete and create",
			[]Change{{same, app("/a", 3, 2)}, {app("/b", 1, 1), nil}, {nil, app("/c", 1, 2)}},
			"{Stop b}; {Start c}; {Scale a→3, Scale c→1}",
		},
	} {
		if diff := cmp.Diff(c.want, text(Steps(c.changes))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestPlanApps(t *testing.T) {
	p := Plan{Steps: Steps([]Change{
		{nil, &spec.App{ID: "/b"}}, {&spec.App{ID: "/c"}, nil}, {nil, &spec.App{ID: "/a"}},
	})}
	if diff := cmp.Diff([]spec.PathID{"/a", "/b", "/c"}, p.Apps()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
