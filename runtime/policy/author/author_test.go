package author_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/plugins/admission"
	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/plugins/fetchers"
	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/policy/author"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

const plugins = "../../../plugins/"

func builtins() author.Builtins {
	return author.Builtins{
		Constraints: constraints.All(), Fetches: fetchers.All(), Upgrades: upgrades.All(), Healths: health.All(), Admissions: admission.All(),
	}
}

func envelope() author.Envelope {
	return author.Envelope{
		Bounds: func(n int, minimumHealth, maximumOver float64, resident bool) (int, int) {
			app := &spec.App{Instances: n, UpgradeStrategy: spec.UpgradeStrategy{MinimumHealthCapacity: minimumHealth, MaximumOverCapacity: maximumOver}}
			if resident {
				app.Container = &spec.Container{Volumes: []spec.Volume{{Persistent: &spec.PersistentVolume{}}}}
			}
			e := deployment.EnvelopeOf(app)
			return e.MinHealthy, e.MaxTotal
		},
		Cut: func(s *sdk.UpgradeState, step *sdk.UpgradeStep) author.Allowed {
			return author.Allowed(deployment.Cut(s, step))
		},
		Excess: deployment.Excess,
	}
}

// file writes a file for the test.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) []author.Case {
	t.Helper()
	cases, err := author.ReadCases(path, envelope())
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s has no cases", path)
	}
	return cases
}

// failures are the causes of what did not pass.
func failures(r *author.TestReport) []string {
	var causes []string
	for _, c := range r.Cases {
		if c.Verdict != author.Pass {
			causes = append(causes, c.Text+": "+c.Cause)
		}
	}
	return causes
}

// The policies that are built in pass their own vectors, of every kind, when they are
// asked by messages.
func TestBuiltinsPassTheirVectors(t *testing.T) {
	for _, name := range []string{
		"constraints/testdata/vectors.txt", "fetchers/testdata/vectors.txt", "admission/testdata/vectors.json",
		"upgrades/testdata/batch.txt", "upgrades/testdata/rolling.txt", "upgrades/testdata/rollingsteps.txt",
	} {
		cases := read(t, plugins+name)
		report := author.Test(t.Context(), builtins().Module(), cases, &author.Against{Module: builtins().Module(), Label: "itself"})
		if report.Failed > 0 || report.Passed < len(cases) {
			t.Errorf("%s: %d passed, %d failed: %v", name, report.Passed, report.Failed, failures(report))
		}
	}
}

func TestTestTellsWhatFailed(t *testing.T) {
	path := file(t, "vectors.txt", "LIKE value a quota a=* b=0\nLIKE value a quota a=0\nNONE quota a=0\n")
	report := author.Test(t.Context(), builtins().Module(), read(t, path), nil)
	want := []string{
		"LIKE value a quota a=0: \"a\": quota *, want 0",
		"NONE quota a=0: the module has no constraint called NONE; it has UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE, IS",
	}
	if diff := cmp.Diff(want, failures(report)); diff != "" {
		t.Error(diff)
	}
	if first := report.Cases[len(report.Cases)-3]; first.Verdict != author.Pass || first.Line != 1 || first.File != path {
		t.Errorf("%+v", first)
	}
}

func TestAgainst(t *testing.T) {
	cases := read(t, file(t, "vectors.txt", "LIKE value a.* quota a=* b=0 -=0\n"))
	for name, want := range map[string]string{"LIKE": "", "UNLIKE": "UNLIKE answers LIKE value a.* quota a=0 b=* -=*"} {
		report := author.Test(t.Context(), builtins().Module(), cases, &author.Against{Module: builtins().Module(), Name: name, Label: name})
		switch got := strings.Join(failures(report), ""); {
		case want == "" && got != "":
			t.Errorf("%s: %s", name, got)
		case !strings.Contains(got, want):
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// What is updated passes, and only what was wrong is changed.
func TestUpdate(t *testing.T) {
	for _, tt := range []struct{ name, before, after string }{
		{
			"vectors.txt", "# kept\nLIKE value a quota a=0 -=*\n\nLIKE value \"[\" quota a=0\nLIKE  value  a quota a=*\nMAX_PER value 2 placed r1 quota r1=7 flags volatile\n",
			"# kept\nLIKE value a quota a=* -=0\n\nLIKE value \"[\" invalid \"\\\"[\\\" is not a valid regular expression: missing closing ]: [\"\n" +
				"LIKE  value  a quota a=*\nMAX_PER value 2 placed r1 quota r1=1\n",
		},
		{"fetch.txt", "schemes \"http\" http://a allowed\n", "schemes \"http\" http://a denied \"the scheme http is forbidden\"\n"},
		{"upgrade.txt", "batch instances 4 min 0.5 old 4 healthy 4 says start 4\n", "batch instances 4 min 0.5 old 4 healthy 4 says kill 2\n"},
		{"health.txt", "consecutive max 2 course +-- is healthy\n", "consecutive max 2 course +-- is unhealthy replace\n"},
		{
			"script.txt", "# kept\nupgrade n=4 min=0.5 over=0.25\n----\nno idea\n\n# kept, too\ndeaths 2\n\nrun n=1 min=1 over=1\n----\nat least 1 healthy, at most 2 in all\nK0 L1; +1⇒K1; -1⇒done\n",
			"# kept\nupgrade n=4 min=0.5 over=0.25\n----\nat least 2 healthy, at most 5 in all\nK2 L1\n\n# kept, too\ndeaths 2\n----\nL2\n\n" +
				"run n=1 min=1 over=1\n----\nat least 1 healthy, at most 2 in all\nK0 L1; +1⇒K1; -1⇒done\n",
		},
		{
			"admission.json", "[\n  {\"policy\": \"labels\", \"settings\": \"team\", \"invalid\": \"x\", \"verb\": \"create\",\n   \"subject\": \"app\", \"id\": \"/a\", \"new\": {\"id\": \"/a\"}},\n" +
				"  {\"policy\": \"caps\", \"invalid\": \"needs settings\"},  {\"policy\": \"caps\", \"invalid\": \"x\"}\n]\n",
			"[\n  {\"policy\": \"labels\", \"settings\": \"team\", \"verb\": \"create\",\n   \"subject\": \"app\", \"id\": \"/a\", \"new\": {\"id\": \"/a\"}, \"denied\": \"every app needs the label team\", \"path\": \"/labels/team\"},\n" +
				"  {\"policy\": \"caps\", \"invalid\": \"needs settings\"},  {\"policy\": \"caps\", \"invalid\": \"the admission policy caps needs settings such as cpus=4;mem=8192;instances=20, the most that an app may ask for\"}\n]\n",
		},
	} {
		path := file(t, tt.name, tt.before)
		if _, err := author.Update(t.Context(), builtins().Module(), read(t, path)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.after, string(got)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if report := author.Test(t.Context(), builtins().Module(), read(t, path), nil); report.Failed > 0 {
			t.Errorf("%s: %v", tt.name, failures(report))
		}
	}
}

func TestKindsOfVectors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a.txt", "LIKE value a quota a=*\n", "constraint"},
		{"a.txt", "# nothing\n\nmirror \"a=b\" http://a allowed\n", "fetch"},
		{"a.txt", "mirror \"\" invalid \"needs\"\n", "fetch"},
		{"a.txt", "rolling instances 1 says start 1\n", "upgrade"},
		{"a.txt", "run n=1 min=1 over=0\n----\nK0 L1\n", "upgrade"},
		{"a.txt", "window course + is healthy\n", "health"},
		{"a.txt", "# kind: health\nwindow invalid \"x\"\n", "health"},
		{"my-upgrade.txt", "rolling invalid \"x\"\n", "upgrade"},
		{"a.json", `[{"policy": "caps", "settings": "", "invalid": "x"}]`, "admission"},
	} {
		if got := read(t, file(t, tt.name, tt.text))[0].Kind.String(); got != tt.want {
			t.Errorf("%s %q: got %s, want %s", tt.name, tt.text, got, tt.want)
		}
	}
	for text, want := range map[string]string{
		"what is this":              "its kind cannot be told",
		"# kind: offers\nx":         `kind "offers": expected one of`,
		"LIKE quota a=x\n":          "line 1: quota of",
		"run n=1\nrest\n----\nok\n": "expected ---- behind the command",
		"run n=x\n----\n":           "line 1: n=x: expected a whole number",
		"run n=1 min=x\n----\n":     "line 1: min=x: expected a number from 0 to 1",
		"run n=1 over=NaN\n----\n":  "line 1: over=NaN: expected a number from 0 to 1",
		"x over 2 says nothing\n":   `line 1: over "2": expected a number from 0 to 1`,
		"{\"policy\": \"x\"}":       "expected a list",
		"[{]":                       "invalid character",
	} {
		if _, err := author.ReadCases(file(t, "a.txt", text), envelope()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", text, err, want)
		}
	}
}

func TestBench(t *testing.T) {
	text := "LIKE invalid \"x\"\nLIKE value rack-[1-3] quota rack-1=* rack-9=0\nUNLIKE value x quota x=0\n"
	measures, err := author.Bench(t.Context(), builtins().Module(), read(t, file(t, "vectors.txt", text)), author.BenchOptions{
		Sizes: []int{1, 50}, Native: &author.Against{Module: builtins().Module(), Name: "LIKE", Label: "builtin:LIKE"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range measures {
		got = append(got, m.Policy)
		if m.Nanos <= 0 || m.Median < m.Nanos || m.NativeNanos <= 0 || m.Ratio <= 0 {
			t.Errorf("%+v", m)
		}
	}
	if diff := cmp.Diff([]string{"LIKE", "LIKE", "UNLIKE", "UNLIKE"}, got); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"upgrade.txt:rolling instances 3 old 3 healthy 3 says start 1", "health.txt:window course + is healthy", "fetch.txt:marathon \"\" http://a allowed"} {
		base, line, _ := strings.Cut(name, ":")
		measures, err := author.Bench(t.Context(), builtins().Module(), read(t, file(t, base, line+"\n")), author.BenchOptions{Sizes: []int{2}})
		if err != nil || len(measures) != 1 {
			t.Errorf("%s: %v, %v", base, measures, err)
		}
	}
}
