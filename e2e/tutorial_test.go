package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// lesson is one piece of the tutorial: commands, and lines that they print in this
// order, with … for what is another one each time.
type lesson struct {
	how, script string // how is "", "until" for what may come later, or "fails"
	prints      []string
}

// lessons are those of the tutorial.
func lessons(t *testing.T) []lesson {
	t.Helper()
	page, err := os.ReadFile("../docs/policy-tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	var list []lesson
	for _, m := range regexp.MustCompile("(?ms)^```(bash|text) ?(\\w*)\n(.*?)^```").FindAllStringSubmatch(string(page), -1) {
		if m[1] == "bash" {
			list = append(list, lesson{how: m[2], script: m[3]})
		} else {
			list[len(list)-1].prints = strings.Split(strings.TrimSpace(m[3]), "\n")
		}
	}
	return list
}

// missing is the first line that the output lacks; "" when all are there.
func (l lesson) missing(output string) string {
	for _, line := range l.prints {
		parts := strings.Split(strings.TrimSpace(line), "…")
		for i, part := range parts {
			parts[i] = regexp.QuoteMeta(part)
		}
		at := regexp.MustCompile(strings.Join(parts, ".*")).FindStringIndex(output)
		if at == nil {
			return line
		}
		output = output[at[1]:]
	}
	return ""
}

// TestTutorial does all that the tutorial says, in its order.
func TestTutorial(t *testing.T) {
	dir := t.TempDir()
	var a api
	run := func(l lesson) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, "bash", "-e", "-o", "pipefail", "-c", l.script)
		cmd.WaitDelay = time.Second // for what it has left behind
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+build.dir+":"+os.Getenv("PATH"), "PACER="+string(a))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, l := range lessons(t) {
		if args, ok := strings.CutPrefix(l.script, "pacer dev "); ok {
			args = strings.TrimSpace(strings.Replace(args, "policies.yaml", filepath.Join(dir, "policies.yaml"), 1))
			_, a = dev(t, dataDir(t), strings.Fields(args)...)
			continue
		}
		out, err := run(l)
		if l.how == "until" {
			until(t, l.script, func() bool {
				out, err = run(l)
				return err == nil && l.missing(out) == ""
			})
		}
		if (err != nil) != (l.how == "fails") {
			t.Fatalf("%s%v\n%s", l.script, err, out)
		}
		if line := l.missing(out); line != "" {
			t.Fatalf("%sprints no line %q:\n%s", l.script, line, out)
		}
		if strings.HasPrefix(l.script, "pacer policy new ") {
			dir = filepath.Join(dir, strings.Fields(l.script)[3])
		}
	}
}
