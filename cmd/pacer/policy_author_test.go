package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/author"
	"github.com/pacer-run/pacer/runtime/policy/recording"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// policyRun carries out a command line of pacer policy.
func policyRun(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, said bytes.Buffer
	code = run(t.Context(), shell{append([]string{"policy"}, args...), nil, &out, &said})
	return out.String(), said.String(), code
}

// policyOK is one that has to succeed.
func policyOK(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := policyRun(t, args...)
	if code != exitOK {
		t.Fatalf("%v: exit code %d\n%s%s", args, code, stdout, stderr)
	}
	return stdout
}

// steady leaves out what differs from machine to machine.
func steady(text, dir string) string {
	text = strings.ReplaceAll(text, dir, "DIR")
	for _, r := range [][2]string{
		{`[0-9a-f]{64}`, "DIGEST"},
		{`\d+ bytes( \([0-9.]+ KiB\))?`, "N bytes"},
		{`\d+(\.\d+)?(ns|µs|ms|s)\b`, "TIME"},
		{`\b\d{4,}\b`, "FUEL"},
		{` +\n`, "\n"},
		{`  +`, "  "},
		{`\d+ pages of memory`, "N pages of memory"},
		{`import  .*\n`, ""},
	} {
		text = regexp.MustCompile(r[0]).ReplaceAllString(text, r[1])
	}
	return text
}

// The way of an author, from new to a tested module, in the language that builds
// quickest.
func TestAuthorCommands(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "two-a-rack")
	policyOK(t, "new", dir, "--lang", "c", "--kind", "constraint")
	policyOK(t, "build", dir)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"check", dir}, `ok  manifest  two-a-rack@0.1.0, ABI 1.1
ok  code  N bytes, 1 imports, N pages of memory at the start
ok  grants  none
ok  start  loaded, metered, compiled and started
ok  description  two-a-rack@0.1.0, ABI 1.1
ok  constraint  TWO_A_RACK
ok  agreement  the manifest and the module say the same
`},
		{[]string{"inspect", dir}, `file  DIR/two-a-rack.wasm
digest  DIGEST
size  N bytes
name  two-a-rack
version  0.1.0
abi  1.1
constraint  TWO_A_RACK
description  at most N instances on agents with the same value of a field.
grants  none
memory  1 to FUEL pages of 64 KiB
export  constraint_evaluate (i32, i32) -> (i64)
export  constraint_prepare (i32) -> (i64)
export  constraint_release (i32) -> ()
export  memory memory
export  policy_abi_v1 () -> ()
export  policy_buffer (i32) -> (i32)
export  policy_configure (i32) -> (i64)
export  policy_describe () -> (i64)
`},
		{[]string{"test", dir}, `VERDICT  KIND  FUEL  TIME  WHERE  CASE
pass  constraint  FUEL  TIME  DIR/vectors.txt:3  TWO_A_RACK value 2 quota r1=2 r2=2 -=0
pass  constraint  FUEL  TIME  DIR/vectors.txt:4  TWO_A_RACK value 2 placed r1 quota r1=1 r2=2 -=0
pass  constraint  FUEL  TIME  DIR/vectors.txt:5  TWO_A_RACK value 2 placed r1 r1 r2 quota r1=0 r2=1
pass  constraint  FUEL  TIME  DIR/vectors.txt:6  TWO_A_RACK value 1 placed r1 r1 r1 quota r1=0 r2=1
pass  constraint  FUEL  TIME  DIR/vectors.txt:9  TWO_A_RACK invalid "requires a number of instances above 0"
pass  constraint  FUEL  TIME  DIR/vectors.txt:10  TWO_A_RACK value 0 invalid "requires a number of instances above 0"
pass  constraint  FUEL  TIME  DIR/vectors.txt:11  TWO_A_RACK value two invalid "requires a number of instances above 0"
two-a-rack@0.1.0: 7 passed, 0 failed
`},
		{[]string{"test", dir, "-q"}, "two-a-rack@0.1.0: 7 passed, 0 failed\n"},
	} {
		if diff := cmp.Diff(tt.want, steady(policyOK(t, tt.args...), dir)); diff != "" {
			t.Errorf("%v: %s", tt.args, diff)
		}
	}
	for _, args := range [][]string{
		{"build", dir},
		{"check", dir},
		{"inspect", dir},
		{"test", dir},
		{"bench", dir, "--time", "1ms", "--sizes", "1,10", "--against", "builtin:MAX_PER"},
		{"fuzz", dir, "--rounds", "100"},
		{"test", dir, "--update"},
	} {
		if out := policyOK(t, append(args, "-o", "json")...); !json.Valid([]byte(out)) {
			t.Errorf("%v: not JSON: %s", args, out)
		}
	}
	if out := policyOK(t, "bench", dir, "--time", "1ms", "--sizes", "5"); !strings.Contains(out, "constraint  TWO_A_RACK  5 ") {
		t.Error(out)
	}
	if out := policyOK(t, "fuzz", dir, "--rounds", "50"); !strings.Contains(out, "two-a-rack@0.1.0: 50 questions") {
		t.Error(out)
	}
	failing := filepath.Join(t.TempDir(), "vectors.txt")
	writeText(t, failing, "TWO_A_RACK value 2 quota r1=7\n")
	out, stderr, code := policyRun(t, "test", dir, failing)
	if code != exitFailed || stderr != "pacer: 1 of 1 cases failed\n" || strings.Count(out, `"r1": quota 2, want 7`) != 1 {
		t.Errorf("exit code %d, %s %s", code, stderr, out)
	}
	if out := policyOK(t, "test", dir, failing, "--update"); out != "1 of 1 vectors changed\n" {
		t.Error(out)
	}
	policyOK(t, "test", dir, failing)
	if _, stderr, code := policyRun(t, "test", dir, "--against", "builtin:MAX_PER"); code != exitFailed || !strings.Contains(stderr, "1 of 7 cases failed") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// What fuzzing finds is told with a command that shows it again.
func TestAuthorFuzz(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "flawed")
	policyOK(t, "new", dir, "--lang", "c", "--kind", "fetch")
	source, err := os.ReadFile(filepath.Join(dir, "policy.c"))
	if err != nil {
		t.Fatal(err)
	}
	const before = "\t(void)state;\n"
	if !strings.Contains(string(source), before) {
		t.Fatalf("no %q in %s", before, source)
	}
	writeText(t, filepath.Join(dir, "policy.c"), strings.Replace(string(source), before, before+
		"if (uri->uri.size > 3 && uri->uri.at[3] == 'p') __builtin_trap();\n", 1))
	policyOK(t, "build", dir)
	out, stderr, code := policyRun(t, "fuzz", dir, "--rounds", "500")
	found := regexp.MustCompile(`(?s)^trap fetch flawed: .*unreachable\n  flawed "" "...p" allowed\n  in (.*/testdata/fuzz-fetch.txt):2\n  again: pacer policy (.*?)\n.* 1 failures\n$`).FindStringSubmatch(out)
	if code != exitFailed || stderr != "pacer: it failed on 1 sort of questions\n" || found == nil {
		t.Fatalf("exit code %d, %s %s", code, stderr, out)
	}
	// A folder that cannot be written to loses nothing of what was found.
	out, stderr, code = policyRun(t, "fuzz", dir, "--rounds", "500", "--dir", filepath.Join(dir, "policy.c"))
	if code != exitFailed || !strings.HasPrefix(out, "trap fetch flawed: ") || !strings.Contains(stderr, "not a directory") {
		t.Errorf("exit code %d, %s %s", code, stderr, out)
	}
	// Where there is no file to test, the same questions are made of the same words.
	vectors, module := filepath.Join(dir, "vectors.txt"), filepath.Join(dir, "flawed.wasm")
	out, stderr, code = policyRun(t, "fuzz", module, vectors, "--rounds", "500", "--seed", "3")
	if code != exitFailed || !strings.Contains(out, "  again: pacer policy fuzz "+module+" "+vectors+" --seed 3 --rounds ") {
		t.Errorf("exit code %d, %s %s", code, stderr, out)
	}
	again, stderr, code := policyRun(t, strings.Fields(found[2])...)
	if code != exitFailed || !strings.Contains(again, "unreachable") {
		t.Errorf("%s: exit code %d, %s %s", found[2], code, stderr, again)
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAuthorExitCodes(t *testing.T) {
	dir := t.TempDir()
	path := func(name, text string) string {
		writeText(t, filepath.Join(dir, name), text)
		return filepath.Join(dir, name)
	}
	notWasm := path("no.wasm", "hello")
	unread := path("odd.txt", "what is this")
	whole := string(likes(t, "abc"))
	empty := path("empty.rec", string(recordOf(t)))
	likeVector := path("like.txt", "LIKE value a quota a=*\n")
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"inspect", dir + "/none.wasm"}, 3, "no such file"},
		{[]string{"build", dir}, 3, "policy.yaml"},
		{[]string{"inspect", notWasm}, 5, "not a WASM module"},
		{[]string{"check", notWasm}, 5, "not a WASM module"},
		{[]string{"test", "builtin", dir + "/none.txt"}, 3, "no such file"},
		{[]string{"test", "builtin", unread}, 5, "its kind cannot be told"},
		{[]string{"test", "builtin", path("v.txt", "LIKE value a quota a=*\n"), "--against", "builtin:NOPE"}, 2, `has nothing called "NOPE"`},
		{[]string{"test", "builtin", path("v2.txt", "LIKE value a quota a=*\n"), "--against", "builtin:window"}, 2, "--against: builtin:window has no policy that the vectors are about"},
		{[]string{"bench", "builtin", path("v3.txt", "LIKE value a quota a=*\n"), "--against", "builtin:window", "--time", "1ms"}, 2, "--against: builtin:window has no policy"},
		{[]string{"test", "--nope"}, 2, "unknown flag"},
		{[]string{"test", "builtin", "-o", "yaml"}, 2, `--output: "yaml"`},
		{[]string{"new", dir + "/x", "--kind", "offer"}, 2, `--kind: kind "offer": expected one of constraint`},
		{[]string{"new", dir + "/x", "--lang", "cobol"}, 2, `language "cobol"`},
		{[]string{"new", dir, "--name", "x"}, 4, "not empty"},
		{[]string{"new", "", "--name", "x"}, 2, "expected a folder"},
		{[]string{"new", notWasm + "/x"}, 1, "not a directory"},
		{[]string{"test", "builtin", "--settings", "{"}, 2, "--settings: expected an object in JSON"},
		{[]string{"test", "builtin", "--settings", "@" + notWasm}, 5, "no.wasm: expected an object in JSON"},
		{[]string{"replay", "builtin", notWasm}, 5, "not a recording"},
		{[]string{"diff", "builtin", "builtin"}, 2, "--recording"},
		{[]string{"sim", "builtin", path("s.txt", "run n=1 strategy=nope")}, 1, "no upgrade called nope"},
		{[]string{"sim", "builtin", path("t.txt", "run n=1 min=1 over=0\n----\nnothing\n")}, 1, "line 1: run n=1"},
		{[]string{"bench", "builtin", "--sizes", "0"}, 2, "--sizes: 0"},
		{[]string{"bench", "builtin", "--sizes", "1,x"}, 2, `--sizes: "1,x", expected whole numbers such as 1,10`},
		{[]string{"bench", "builtin", "--time", "10"}, 2, `--time: "10", expected a time such as 30s`},
		{[]string{"bench", "builtin", "--time", "-1s"}, 2, "--time: -1s, expected a time above 0"},
		{[]string{"fuzz", "builtin", "--seed", "-1"}, 2, `--seed: "-1", expected a whole number from 0`},
		{[]string{"fuzz", "builtin", "--rounds", "x"}, 2, `--rounds: "x", expected a whole number`},
		{[]string{"test", "builtin", "--quiet=x"}, 2, `--quiet: "x", expected true or false`},
		{[]string{"check", "builtin"}, 2, "builtin: expected a file or a folder"},
		{[]string{"inspect", "builtin"}, 2, "builtin: expected a file or a folder"},
		{[]string{"keygen", ""}, 2, `NAME: "", expected the name of a file without its end`},
		{[]string{"keygen", dir + "/"}, 2, "expected the name of a file without its end"},
		{[]string{"verify", dir + "/none.wasm", "--key", "k.pub", "--digest", "sha256:00"}, 2, `--digest: digest "sha256:00": expected sha256: and 64`},
		{[]string{"sim", "builtin", path("u.txt", "upgrade n=x")}, 5, "line 1: n=x: expected a whole number"},
		{[]string{"sim", "builtin", path("w.txt", "upgrade n=1\n\njumps 3\n")}, 5, "line 3: jumps 3: no such command"},
		{[]string{"sim", "builtin", path("w2.txt", "deaths 3\n")}, 5, "line 1: deaths 3: expected upgrade or run first"},
		{[]string{"sim", "builtin", path("w3.txt", "upgrade n=1\n\nafter x\n")}, 5, "line 3: after x: expected a time such as 10m"},
		{[]string{"sim", "builtin", path("w4.txt", "upgrade n=1\n\npromote\n")}, 1, "line 3: promote: it is not paused"},
		{[]string{"fuzz", "builtin", "--time", "0s"}, 2, "--time: 0s"},
		{[]string{"fuzz", "builtin", "--rounds", "-1"}, 2, "--rounds: -1"},
		{[]string{"check", dir}, 3, "expected the folder of a project"},
		{[]string{"jump"}, 2, `there is no command "jump"`},
		{[]string{"record", "x", dir + "/r.rec", "--server", "nowhere"}, 2, "--server"},
		{[]string{"record", "x", dir + "/r.rec", "--server", "ftp://a.example"}, 2, `--server: "ftp://a.example", expected a URL`},
		{[]string{"record", "x", dir + "/r.rec", "--user", "me"}, 2, "--user: expected name:password"},
		{[]string{"replay", "builtin", empty}, 1, "the recording has no calls"},
		{[]string{"diff", "builtin", "builtin", "--recording", empty}, 1, "the recording has no calls"},
		{[]string{"test", "builtin", empty}, 1, "1 of 3 cases failed"},
		{[]string{"replay", "builtin", path("short.rec", whole[:5])}, 5, "short.rec: the recording is cut off in its header"},
		{[]string{"test", "builtin", path("short2.rec", whole[:5])}, 5, "short2.rec: the recording is cut off in its header"},
		{[]string{"test", "builtin", path("short3.rec", whole[:12])}, 5, "short3.rec: the recording is cut off in its header"},
		{[]string{"test", "builtin", "--update", path("whole.rec", whole)}, 2, "--update: expected files of vectors"},
		{[]string{"test", "builtin", "--update", likeVector, "--against", "builtin:LIKE"}, 2, "--update and --against"},
		{[]string{"record", "x", dir + "/r.rec", "--time", "11m"}, 2, "--time: 11m0s"},
	} {
		if out, stderr, code := policyRun(t, tt.args...); code != tt.code || !strings.Contains(stderr, tt.want) {
			t.Errorf("%v: exit code %d, want %d: %s%s", tt.args, code, tt.code, out, stderr)
		}
	}
}

// What the file system refuses has the code of what is not allowed, wherever it is met.
func TestWhatIsNotAllowedHasItsOwnCode(t *testing.T) {
	refused := &fs.PathError{Op: "open", Path: "x.wasm", Err: fs.ErrPermission}
	for _, err := range []error{refused, exit(shipInvalid, refused), fmt.Errorf("--key: %w", refused)} {
		if code, said := shipCode(err); code != shipDenied || said.Error() != err.Error() {
			t.Errorf("%v: exit code %d, %v", err, code, said)
		}
	}
}

// Who interrupts a command is not told that the module, or the tool chain, is no good.
func TestAnInterruptIsNoVerdict(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "first")
	policyOK(t, "new", dir, "--lang", "rust")
	for _, args := range [][]string{
		{"policy", "test", "../../runtime/policy/wasm/testdata/good.wasm"},
		{"policy", "check", "../../runtime/policy/wasm/testdata/good.wasm"},
		{"policy", "build", dir},
	} {
		var out, said bytes.Buffer
		if code := run(ctx, shell{args, nil, &out, &said}); code != exitFailed || !strings.Contains(said.String(), "context canceled") {
			t.Errorf("%v: exit code %d: %s%s", args, code, &out, &said)
		}
	}
}

// The scripts of the strategies that are built in say what they do.
func TestSimulateBuiltin(t *testing.T) {
	const script = "../../plugins/upgrades/testdata/rolling.txt"
	out := policyOK(t, "sim", "builtin", script)
	if !strings.HasPrefix(out, "run n=7 min=0.4 over=0\n----\nat least 3 healthy, at most 7 in all\nK4 L0; ") {
		t.Error(out)
	}
	if !json.Valid([]byte(policyOK(t, "sim", "builtin", script, "-o", "json"))) {
		t.Error("not JSON")
	}
	own := filepath.Join(t.TempDir(), "script.txt")
	writeText(t, own, "upgrade n=1\n\nrest\n----\nno idea\n")
	if out := policyOK(t, "sim", "builtin", own, "--update"); out != "2 of 2 commands changed\n" {
		t.Error(out)
	}
	if out := policyOK(t, "sim", "builtin", own, "--update", "-o", "json"); !strings.Contains(out, `"changed": 0`) {
		t.Error(out)
	}
}

// recordOf is a recording without a call.
func recordOf(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := recording.NewWriter(&out, 1<<20, recording.Header{Module: "builtin"}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// likes is a recording of one question to LIKE.
func likes(t *testing.T, value string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := recording.NewWriter(&out, 1<<20, recording.Header{Module: "builtin"})
	if err != nil {
		t.Fatal(err)
	}
	m := builtins().Module()
	spec := wire.AppendSpec(nil, sdk.ConstraintSpec{Field: "rack", Operator: "LIKE", Value: "a.*", HasValue: true, App: sdk.AppFacts{ID: "/app"}})
	p, err := m.Prepare(context.Background(), remote.KindConstraint, spec)
	if err != nil {
		t.Fatal(err)
	}
	input := wire.AppendInput(nil, sdk.ConstraintInput{Values: []string{"", value}, First: -1})
	call := recording.Call{Op: recording.Ask, Prepared: 1, Items: 2, Input: input}
	if err := p.Ask(context.Background(), input, 2, func(b []byte) error { call.Answer = bytes.Clone(b); return nil }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []recording.Call{{Op: recording.Prepare, Prepared: 1, Input: spec, Traits: uint32(p.Traits())}, call} {
		if err := w.Write(c); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestRecordAndReplay(t *testing.T) {
	want := likes(t, "abc")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if r.Method != http.MethodPost || r.URL.Path != "/pacer/v1/policies/spread/record" || r.URL.Query().Get("seconds") != "3" || user+password != "me" {
			http.Error(w, "no such module", http.StatusNotFound)
			return
		}
		_, _ = w.Write(want)
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "cycles.rec")
	policyOK(t, "record", "spread", path, "--server", server.URL, "--time", "3s", "--user", "m:e")
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, stderr, code := policyRun(t, "record", "other", path, "--server", server.URL); code != shipNotFound || !strings.Contains(stderr, "404 Not Found: no such module") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if out := policyOK(t, "replay", "builtin", path); !strings.HasSuffix(out, "2 calls, 0 answers changed\n") {
		t.Error(out)
	}
	if out := policyOK(t, "test", "builtin", path); !regexp.MustCompile(`pass +recording`).MatchString(out) {
		t.Error(out)
	}
	if out := policyOK(t, "diff", "builtin", "builtin", "--recording", path, "-o", "json"); !json.Valid([]byte(out)) {
		t.Error(out)
	}
	cut := filepath.Join(t.TempDir(), "cut.rec")
	writeText(t, cut, string(want[:len(want)-1]))
	if out := policyOK(t, "test", "builtin", cut); !strings.Contains(out, "1 call, 0 answers changed; the recording ends in the middle of a call") {
		t.Error(out)
	}
	writeText(t, path, strings.Replace(string(want), "abc", "xyz", 1)) // what was answered fits it no more
	out, stderr, code := policyRun(t, "replay", "builtin", path)
	if code != exitFailed || stderr != "pacer: 1 of 2 answers changed\n" || !regexp.MustCompile(`1 +constraint +rack LIKE a\.\* +xyz +/app +any +0\n`).MatchString(out) {
		t.Errorf("exit code %d: %s%s", code, stderr, out)
	}
}

// The page about the tools has all commands, and vectors that can be read.
func TestToolsPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/policy-tools.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range policyCommand().Commands() {
		if !regexp.MustCompile("(?m)^\\| .*`" + cmd.Name() + "[` ]").Match(page) {
			t.Errorf("the table has no %s", cmd.Name())
		}
	}
	_, vectors, _ := strings.Cut(string(page), "texts may be quoted as in Go.\n")
	vectors, _, _ = strings.Cut(vectors, "\n- **constraint**")
	kinds := []string{"constraint", "constraint", "fetch", "upgrade", "health"}
	for line := range strings.Lines(strings.TrimSpace(vectors)) {
		path := filepath.Join(t.TempDir(), "a.txt")
		writeText(t, path, strings.TrimSpace(line)+"\n")
		cases, err := author.ReadCases(path, upgradeEnvelope())
		if err != nil || len(kinds) == 0 || cases[0].Kind.String() != kinds[0] {
			t.Fatalf("%s: %+v, %v", line, cases, err)
		}
		kinds = kinds[1:]
	}
	if len(kinds) > 0 {
		t.Errorf("no vector of %v", kinds)
	}
}

// The tools of authors read files: what is elsewhere is fetched first.
func TestToolsOfAuthorsTellHowToFetch(t *testing.T) {
	for _, ref := range []string{"oci-layout:registry:1.0.0", "oci://registry.example/rules:1.0.0"} {
		_, stderr, code := policyRun(t, "inspect", ref)
		if code != shipNotFound || !strings.Contains(stderr, "pacer policy pull "+ref+" --out FILE") {
			t.Errorf("%s: exit code %d, %q", ref, code, stderr)
		}
	}
}
