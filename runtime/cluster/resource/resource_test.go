package resource_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

func parse(t testing.TB, text string) resource.Set {
	t.Helper()
	s, err := resource.Parse(text, "*")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParse(t *testing.T) {
	for _, tc := range []struct{ in, role, want string }{
		{"", "*", ""},
		{"cpus:4; mem:1024;", "*", "cpus:4; mem:1024"},
		{"cpus:0.1234", "*", "cpus:0.123"},
		{"cpus:1;cpus:2", "*", "cpus:3"},
		{"ports:[31000-32000, 80, 81-90]", "*", "ports:[80-90, 31000-32000]"},
		{"cpus(web):1;cpus:2", "*", "cpus(reservations: [(STATIC,web)]):1; cpus:2"},
		{"cpus:1;mem(*):2", "web", "cpus(reservations: [(STATIC,web)]):1; mem:2"},
		{"bugs(a):{x,y,x}", "*", "bugs(reservations: [(STATIC,a)]):{x, y}"},
		{"disk:0;cpus:1", "*", "cpus:1"},
	} {
		got, err := resource.Parse(tc.in, tc.role)
		if err != nil || got.String() != tc.want {
			t.Errorf("%q: %q, %v; want %q", tc.in, got, err, tc.want)
		}
	}
	for _, in := range []string{
		"cpus", "cpus:", ":1", "cpus:x", "cpus:-1", "cpus:NaN", "cpus:Inf", "a:b:c", "cpus(:1", "cpus():1",
		"ports:[5-3]", "ports:[1-2", "ports:[a-b]", "s:{a", "gpus:0.5", "cpus:1e300",
	} {
		if s, err := resource.Parse(in, "*"); err == nil {
			t.Errorf("%q is taken as %q", in, s)
		}
	}
}

func TestArithmetic(t *testing.T) {
	have := parse(t, "cpus:2;cpus(web):1;mem:100;ports:[10-19,30-39];set:{a,b}")
	for _, tc := range []struct {
		want     string
		contains bool
		rest     string
	}{
		{"cpus:0.1;mem:100", true, "cpus:1.9; cpus(reservations: [(STATIC,web)]):1; ports:[10-19, 30-39]; set:{a, b}"},
		{"cpus:2;ports:[12-13,39]", true, "cpus(reservations: [(STATIC,web)]):1; mem:100; ports:[10-11, 14-19, 30-38]; set:{a, b}"},
		{"cpus(web):1;set:{b}", true, "cpus:2; mem:100; ports:[10-19, 30-39]; set:{a}"},
		{"cpus:2.5", false, ""},
		{"cpus(other):1", false, ""},
		{"ports:[19-30]", false, ""},
		{"gpus:1", false, ""},
		{"set:{c}", false, ""},
	} {
		want := parse(t, tc.want)
		if got := have.Contains(want); got != tc.contains {
			t.Errorf("contains %q: %v", tc.want, got)
		} else if got && have.Minus(want).String() != tc.rest {
			t.Errorf("minus %q: %q, want %q", tc.want, have.Minus(want), tc.rest)
		}
	}
	if got := have.Amount("cpus"); got != 3 {
		t.Errorf("cpus: %v", got)
	}
	if got := have.Text("r"); !strings.HasPrefix(got, "cpus(allocated: r):2; cpus(allocated: r)(reservations: [(STATIC,web)]):1; ") {
		t.Errorf("text: %s", got)
	}
}

func TestOfferableTo(t *testing.T) {
	s := parse(t, "cpus:1;cpus(a):2;cpus(a/b):4;cpus(ab):8")
	for role, want := range map[string]float64{"*": 1, "a": 3, "a/b": 7, "a/b/c": 7, "ab": 9, "x": 1} {
		if got := s.OfferableTo(role, true).Amount("cpus"); got != want {
			t.Errorf("%s: %v, want %v", role, got, want)
		}
	}
}

func TestFromProto(t *testing.T) {
	role := "web"
	old := mesos.Resource{Name: "cpus", Type: mesos.SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: 0.3}, Role: &role}
	s, err := resource.FromProto([]mesos.Resource{old})
	if err != nil || s.String() != "cpus(reservations: [(STATIC,web)]):0.3" {
		t.Errorf("%v %v", s, err)
	}
	if got := s.Proto("web", resource.Shape{}); !cmp.Equal(got, []mesos.Resource{old}) {
		t.Errorf("back: %v", got)
	}
	for want, r := range map[string]mesos.Resource{
		"Invalid scalar resource: value < 0": {Name: "x", Type: mesos.SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: -1}},
		"Invalid ranges resource: begin > end": {
			Name: "x", Type: mesos.RANGES.Enum(),
			Ranges: &mesos.Value_Ranges{Range: []mesos.Value_Range{{Begin: 2, End: 1}}},
		},
		"Unsupported resource type": {Name: "x", Type: mesos.TEXT.Enum()},
		"Empty resource name":       {Type: mesos.SCALAR.Enum()},
	} {
		if _, err := resource.FromProto([]mesos.Resource{r}); err == nil || err.Error() != want {
			t.Errorf("%v: %v, want %s", r, err, want)
		}
	}
}

// What is taken and given back, in any order, leaves the same set; and what is not there cannot be taken.
func TestTakeAndGiveBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole, err := resource.Parse("cpus:100;mem:1000;ports:[1-200]", "*")
		if err != nil {
			t.Fatal(err)
		}
		free, taken := whole, []resource.Set{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			if len(taken) > 0 && rapid.Bool().Draw(t, "give back") {
				i := rapid.IntRange(0, len(taken)-1).Draw(t, "which")
				free = free.Plus(taken[i])
				taken = append(taken[:i], taken[i+1:]...)
				continue
			}
			low := rapid.Uint64Range(1, 190).Draw(t, "port")
			part := resource.Set{
				{Name: "cpus", Milli: rapid.Int64Range(1, 30000).Draw(t, "cpus")},
				{Name: "ports", Kind: resource.Ranges, Ranges: []resource.Range{{Begin: low, End: low + rapid.Uint64Range(0, 10).Draw(t, "n")}}},
			}
			if !free.Contains(part) {
				continue
			}
			free, taken = free.Minus(part), append(taken, part)
			if free.Contains(resource.Set{part[1]}) {
				t.Fatalf("%v still has %v", free, part[1])
			}
		}
		for _, part := range taken {
			free = free.Plus(part)
		}
		if !free.Contains(whole) || !whole.Contains(free) {
			t.Fatalf("%v, want %v", free, whole)
		}
	})
}

// FuzzParse checks that what is accepted survives being written and read again.
func FuzzParse(f *testing.F) {
	f.Add("cpus:4;mem:1024;ports:[31000-32000]")
	f.Add("cpus(web):1;bugs:{a,b};ports:[1,18446744073709551615]")
	f.Add(`[{"name":"disk","type":"SCALAR","scalar":{"value":1},"role":"a","disk":{"source":{"type":"PATH","path":{"root":"/a"}}}}]`)
	f.Add(`[{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":1,"end":2}]},"reservations":[{"type":"STATIC","role":"a"}]}]`)
	f.Fuzz(func(t *testing.T, in string) {
		s, err := resource.Parse(in, "*")
		if err != nil {
			return
		}
		again, err := resource.FromProto(s.Proto("*", resource.Shape{Refinement: true}))
		if err != nil || again.String() != s.String() {
			t.Fatalf("%q: %q, then %q %v", in, s, again, err)
		}
	})
}
