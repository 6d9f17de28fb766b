package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "write docs/flags.md anew")

// TestFlagsPage holds docs/flags.md to the options there are.
func TestFlagsPage(t *testing.T) {
	const path = "../../docs/flags.md"
	want := flagsPage()
	if *rewrite {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/flags.md is outdated (go test ./cmd/pacer -run FlagsPage -rewrite), -want +got:\n%s", diff)
	}
}

func flagsPage() string {
	var b strings.Builder
	b.WriteString(`# Options of pacer serve

All that Marathon 1.11 has, and Pacer's own. Names are written with ` + "`_` or `-`" + `; each is also an environment variable,
` + "`PACER_X` or `MARATHON_X` for `--x`" + `. A toggle is switched off by ` + "`--disable_x`" + `. An option that is not known, not
supported, or whose value is wrong ends the start with exit code 112 and a message that names it. Times are milliseconds
where nothing else is said. This page is written by a test.
`)
	for _, section := range []struct {
		use         support
		title, note string
	}{
		{used, "Options that work", "meaning"},
		{idle, "Taken without effect", "why there is none; the log says so, too"},
		{later, "Refused", "why. A value that asks for what happens anyway, as the default does, is taken"},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| option | default | %s |\n|---|---|---|\n", section.title, section.note)
		for _, o := range serveOptions() {
			if o.use != section.use {
				continue
			}
			name, def := "`"+o.name+"`", o.def
			if o.kind == toggle {
				name = "`[disable_]" + o.name + "`"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", name, strings.ReplaceAll(def, "*", "`*`"), o.meaning)
		}
	}
	return b.String()
}
