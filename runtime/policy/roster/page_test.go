package roster_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/roster"
)

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every example of policies.yaml on the pages can be read.
func TestPageExamples(t *testing.T) {
	block := regexp.MustCompile(`(?m)^    (?:# policies.yaml\n    )?(?:trust|modules):\n(?:(?:    .*)?\n)*`)
	for name, want := range map[string]int{"policies.md": 1, "processes.md": 3, "signing.md": 1} {
		found := block.FindAllString(page(t, name), -1)
		if len(found) != want {
			t.Errorf("%s has %d examples, want %d", name, len(found), want)
		}
		for _, text := range found {
			text = strings.ReplaceAll(text, "sha256:…", "sha256:"+digest)
			if _, err := roster.Parse([]byte(text)); err != nil {
				t.Errorf("%s:\n%s%v", name, text, err)
			}
		}
	}
}

// Every field of a module is in the table of policies.md.
func TestPageFields(t *testing.T) {
	_, err := roster.Parse([]byte("modules: [{none: 1}]"))
	if err == nil {
		t.Fatal("an unknown field was taken")
	}
	_, list, ok := strings.Cut(err.Error(), "expected one of ")
	list, _, _ = strings.Cut(list, "\n")
	text := page(t, "policies.md")
	for field := range strings.SplitSeq(list, ", ") {
		if row := regexp.MustCompile(`(?m)^\| [^|]*` + "`" + field + "`"); !ok || !row.MatchString(text) {
			t.Errorf("policies.md has no row for %s", field)
		}
	}
}
