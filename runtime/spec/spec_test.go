package spec

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

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

// checkComesBack writes an app as JSON and reads it again.
func checkComesBack(t *testing.T, want *App) {
	t.Helper()
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

func TestStoredAppKeepsItsVersions(t *testing.T) {
	want := Defaults()
	want.ID, want.Cmd, want.Role = "/a", "x", "*"
	want.TaskKillGracePeriod = new(3 * time.Second)
	want.Version, want.LastScalingAt, want.LastConfigChangeAt = 1600000000001, 1600000000002, 1600000000003
	checkComesBack(t, want)
}

// TestStoredAppIsNotJudged: a rule that is newer than a record must not keep a
// leader from reading its state.
func TestStoredAppIsNotJudged(t *testing.T) {
	want := Defaults()
	want.ID, want.Cmd, want.Role, want.Labels = "/a", "x\x00", "*", map[string]string{"k\x00": "\x00"}
	checkComesBack(t, want)
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
