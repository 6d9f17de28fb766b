package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParsePathID(t *testing.T) {
	tests := []struct {
		text string
		base PathID
		want PathID // "" for an error
	}{
		{"/a/b", "/", "/a/b"},
		{"a/b", "/", "/a/b"},
		{"a/b", "/g", "/g/a/b"},
		{"//a///b//", "/g", "/a/b"},
		{"../x", "/g/h", "/g/x"},
		{"../../../x", "/g", "/x"},
		{"./x/./y", "/g", "/g/x/y"},
		{"/", "/g", "/"},
		{"", "/g", "/g"},
		{"/a.b-c.d1", "/", "/a.b-c.d1"},
		{"/A", "/", ""},
		{"/a_b", "/", ""},
		{"/-a", "/", ""},
		{"/a-", "/", ""},
		{"/a..b", "/", ""},
		{"/a.", "/", ""},
		{"/...", "/", ""},
		{"/ä", "/", ""},
		{"/a b", "/", ""},
	}
	for _, tt := range tests {
		got, err := ParsePathID(tt.text, tt.base)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("ParsePathID(%q, %q) = %q, %v, want %q", tt.text, tt.base, got, err, tt.want)
		}
	}
}

func TestParseAppIDRefusesWordsOfTheAPI(t *testing.T) {
	for text, want := range map[string]string{
		"/": messageNotRoot, "/a/..": messageNotRoot, "/a/restart": messageReserved, "/tasks": messageReserved,
		"/a/versions": messageReserved, "/a/!": messageSegment, "/tasks/a": "",
	} {
		_, err := ParseAppID(text, Root)
		var fault *PathError
		if got := errors.As(err, &fault); got != (want != "") || got && fault.Message != want {
			t.Errorf("ParseAppID(%q) = %v, want %q", text, err, want)
		}
	}
}

func TestPathIDWithin(t *testing.T) {
	for _, tt := range []struct {
		path, group PathID
		want        bool
	}{
		{"/a/b", "/a", true}, {"/a/b", "/", true}, {"/ab", "/a", false}, {"/a", "/a", false}, {"/", "/", false},
	} {
		if got := tt.path.Within(tt.group); got != tt.want {
			t.Errorf("%s.Within(%s) = %v", tt.path, tt.group, got)
		}
	}
}

func FuzzParsePathID(f *testing.F) {
	for _, seed := range []string{"/", "a/../b", "//x//", "/a.b-c/..", "/ä", "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParsePathID(text, "/base")
		if err != nil {
			return
		}
		if again, err := ParsePathID(string(id), Root); err != nil || again != id {
			t.Errorf("%q gives %q, which gives %q, %v", text, id, again, err)
		}
		if id != Root && (!strings.HasPrefix(string(id), "/") || strings.HasSuffix(string(id), "/") || strings.Contains(string(id), "//")) {
			t.Errorf("%q gives %q, which is not in normal form", text, id)
		}
	})
}

// FuzzParseUpdate feeds any text: it is refused with one of two kinds of error,
// or becomes an app whose own JSON reads back as the same app.
func FuzzParseUpdate(f *testing.F) {
	f.Add(`{"id":"a","cmd":"x"}`)
	f.Add(`{"id":"/a/b","args":["x"],"env":{"A":"b"},"ports":[1,0],"cpus":1e-3,"backoffFactor":1e9,"unreachableStrategy":"disabled"}`)
	f.Add(`{"id":"a","constraints":[["a","b"],["a","b","c"]],"upgradeStrategy":{"minimumHealthCapacity":1e-12,"maximumOverCapacity":0.1}}`)
	f.Add(`{"id":"a","networks":[{"mode":"host"}],"portDefinitions":[{"name":"x","labels":{"a":"\u0000"}}],"version":"2020-01-01T00:00:00Z"}`)
	f.Add("{\"id\":\"a\",\"cmd\":\"\\u0000\\ud800\xff\"}")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseUpdate([]byte(text), Whole, false)
		var faults *Faults
		var syntax *SyntaxError
		if err != nil {
			if !errors.As(err, &faults) && !errors.As(err, &syntax) {
				t.Fatalf("%q: an error of another kind: %v", text, err)
			}
			return
		}
		app := u.App(*u.ID, "*", Settings{})
		if s := fmt.Sprint(app); strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
			t.Errorf("%q: an app that no process can be started for: %q", text, s)
		}
		first, err := json.Marshal(app)
		if err != nil {
			t.Fatal(err)
		}
		var again App
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if Compare(app, &again) != Unchanged || app.ID != again.ID {
			t.Errorf("not the same app: %s", cmp.Diff(app, &again))
		}
	})
}

func TestStoredAppKeepsItsVersions(t *testing.T) {
	want := Defaults()
	want.ID, want.Cmd, want.Role = "/a", "x", "*"
	want.TaskKillGracePeriod = new(3 * time.Second)
	want.Version, want.LastScalingAt, want.LastConfigChangeAt = 1600000000001, 1600000000002, 1600000000003
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got := new(App)
	if err := json.Unmarshal(text, got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestStoredAppIsNotJudged: a rule that is newer than a record must not keep a
// leader from reading its state.
func TestStoredAppIsNotJudged(t *testing.T) {
	want := Defaults()
	want.ID, want.Cmd, want.Role, want.Labels = "/a", "x\x00", "*", map[string]string{"k\x00": "\x00"}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got := new(App)
	if err := json.Unmarshal(text, got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestTextThatIsNotUTF8: to read it as something else would start something else
// than what was asked for.
func TestTextThatIsNotUTF8(t *testing.T) {
	for body, want := range map[string]string{
		"{\"id\":\"a\",\"cmd\":\"\xff\"}":           "invalid UTF-8 at byte 17 (line 1, column 18)",
		"{\n \"id\": \"a\",\n \"cmd\": \"ö\xc3(\"}": "invalid UTF-8 at byte 25 (line 3, column 11)",
		"\xef\xbf": "invalid UTF-8 at byte 0 (line 1, column 1)",
		"{\"id\":\"a\",\"cmd\":\"\xed\xa0\x80\"}":          "invalid UTF-8 at byte 17 (line 1, column 18)",
		`{"id":"a","cmd":"\ud800"}`:                        `unpaired surrogate \ud800 at byte 17 (line 1, column 18)`,
		`{"id":"a","cmd":"\ud83d\ud83d\ude00"}`:            `unpaired surrogate \ud83d at byte 17 (line 1, column 18)`,
		`{"id":"a","cmd":"\\\uDE00"}`:                      `unpaired surrogate \uDE00 at byte 19 (line 1, column 20)`,
		`{"id":"a","labels":{"\ud800x\u0041\udc00":""}}`:   `unpaired surrogate \ud800 at byte 21 (line 1, column 22)`,
		`{"id":"a","cmd":"\ud83d\ude00 \\ud800 \ufffd �"}`: "",
		`{"id":"a","cmd":"\ud8`:                            "unexpected EOF",
		`{"id":"a","cmd":"\ud80g"}`:                        "invalid character 'g' in \\u hexadecimal character escape",
	} {
		_, err := ParseUpdate([]byte(body), Whole, false)
		var syntax *SyntaxError
		if got := errors.As(err, &syntax); got != (want != "") || got && syntax.Detail != want {
			t.Errorf("%q: %v, want %q", body, err, want)
		}
	}
}

// TestCompareLooksAtEveryField changes one field at a time, found by reflection:
// a field added to App and forgotten in Compare is found here.
func TestCompareLooksAtEveryField(t *testing.T) {
	want := map[string]Change{
		"ID": Unchanged, "Version": Unchanged, "LastScalingAt": Unchanged,
		"LastConfigChangeAt": Unchanged, "Instances": Scaled, "ExecutorResources": Unchanged, "Residency": Unchanged,
	}
	for i := range reflect.TypeFor[App]().NumField() {
		old, changed := Defaults(), Defaults()
		field := reflect.ValueOf(changed).Elem().Field(i)
		alter(field)
		name := reflect.TypeFor[App]().Field(i).Name
		expected, ok := want[name]
		if !ok {
			expected = Reconfigured
		}
		if got := Compare(old, changed); got != expected {
			t.Errorf("changing %s: %v, want %v", name, got, expected)
		}
	}
}

// alter gives v another value.
func alter(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint8:
		v.SetUint(v.Uint() + 1)
	case reflect.Float64:
		v.SetFloat(v.Float() + 1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), reflect.ValueOf("v"))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Struct:
		for _, field := range v.Fields() {
			alter(field)
		}
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

func TestCompareTakesListsOfTheAPIAsSets(t *testing.T) {
	a, b := Defaults(), Defaults()
	a.AcceptedResourceRoles, b.AcceptedResourceRoles = []string{"*", "r"}, []string{"r", "*"}
	a.Constraints = []Constraint{{Field: "a", Operator: "UNIQUE"}, {Field: "b", Operator: "UNIQUE"}}
	b.Constraints = []Constraint{a.Constraints[1], a.Constraints[0]}
	if got := Compare(a, b); got != Unchanged {
		t.Errorf("Compare = %v, want unchanged", got)
	}
}

// TestHugeBodiesAreCheap: work that grows with the square of a body's size would
// keep these from ending within the test's time.
func TestHugeBodiesAreCheap(t *testing.T) {
	const n = 60_000
	var constraints strings.Builder
	for i := range n / 2 {
		fmt.Fprintf(&constraints, `["f%d","LIKE"],`, i)
	}
	for name, body := range map[string]string{
		"faults":      `{"id":"a","constraints":[` + strings.Repeat("1,", n) + `1]}`,
		"constraints": `{"id":"a","constraints":[` + constraints.String() + `["x","LIKE"]]}`,
		"roles":       `{"id":"a","acceptedResourceRoles":[` + strings.Repeat(`"r",`, n) + `"r"],"ports":[` + strings.Repeat("0,", n) + `"x"]}`,
	} {
		_, err := ParseUpdate([]byte(body), Whole, false)
		var faults *Faults
		if !errors.As(err, &faults) || len(faults.Details) > mostFaults {
			t.Errorf("%s: no faults, or too many", name)
		}
	}
}
