package scheduler

import (
	"testing"
)

func TestReadTaskID(t *testing.T) {
	const id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	for _, c := range []struct {
		in, safe, instance string
		n                  uint32
		foreign            bool
	}{
		{"prod_web.instance-" + id + "._app.3", "prod_web", "prod_web.instance-" + id, 3, false},
		{"prod_web.instance-" + id + "._app", "prod_web", "prod_web.instance-" + id, 1, false},
		{"web.instance-" + id, "web", "web.instance-" + id, 1, false},
		{"a.b.instance-x.instance-" + id + "._app.2", "a.b.instance-x", "a.b.instance-x.instance-" + id, 2, false},
		// Tasks of pods, and of Marathon.
		{"pod.instance-" + id + ".nginx.4", "pod", "pod.instance-" + id, 4, true},
		{"pod.instance-" + id + ".nginx", "pod", "pod.instance-" + id, 1, true},
		{"web.marathon-" + id + "._app", "web", "web.marathon-" + id, 1, true},
		{"web.marathon-" + id + "._app.7", "web", "web.marathon-" + id, 7, true},
		{"web.marathon-" + id, "web", "web.marathon-" + id, 1, true},
		{"prod_web." + id, "prod_web", "prod_web.marathon-" + id, 1, true},
		{"prod_web." + id + ".5", "prod_web", "prod_web.marathon-" + id, 5, true},
		{"prod_web_" + id, "prod_web", "prod_web.marathon-" + id, 1, true},
	} {
		name, err := ReadTaskID(c.in)
		if err != nil || name.SafePath != c.safe || name.InstanceID() != c.instance || name.Incarnation != c.n || name.Foreign != c.foreign {
			t.Errorf("%q: %+v %s %v", c.in, name, name.InstanceID(), err)
		}
	}
	for _, bad := range []string{
		"", "web", id, "." + id, "web" + id, "web.." + id, "web.instance-" + id[1:] + "._app.1", "web.instance-" + id + "x",
		"web.instance-" + id + "._app.1.2", "web." + id + "._app.1", "web." + id + ".-1", "web.instance-" + id + ".",
		".instance-" + id + "._app.1",
	} {
		if name, err := ReadTaskID(bad); err == nil {
			t.Errorf("%q: accepted as %+v", bad, name)
		}
	}
}

// FuzzReadTaskID: what Pacer's own form is read as does not depend on the reader.
func FuzzReadTaskID(f *testing.F) {
	f.Add("prod_web.instance-6ba7b810-9dad-41d1-80b4-00c04fd430c8._app.1")
	f.Add("web.marathon-6ba7b810-9dad-41d1-80b4-00c04fd430c8")
	f.Add("a_6ba7b810-9dad-41d1-80b4-00c04fd430c8.9")
	f.Fuzz(func(t *testing.T, id string) {
		name, err := ReadTaskID(id)
		safe, u, n, ownErr := ParseTaskID(id)
		if ownErr == nil && safe != "" && err == nil && (name.Instance != u || name.Incarnation != n) {
			t.Fatalf("%q reads as %+v, and as %q %s %d", id, name, safe, u, n)
		}
		if err != nil {
			return
		}
		if again, err := ReadTaskID(name.InstanceID()); err != nil || again.InstanceID() != name.InstanceID() {
			t.Fatalf("%q is of %q, which reads as %+v, %v", id, name.InstanceID(), again, err)
		}
	})
}
