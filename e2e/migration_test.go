package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// guideScripts writes the scripts of the migration guide into a folder, under the
// names that it gives them.
func guideScripts(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/migration.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(?:jq|bash)\n(.*?)```").FindAllSubmatch(page, -1)
	names := []string{"clean.jq", "export", "check", "import", "move"}
	if len(blocks) != len(names) {
		t.Fatalf("%d scripts in the guide, want %v", len(blocks), names)
	}
	dir := t.TempDir()
	for i, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), blocks[i][1], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// sleeper is an app of a group's definition that runs until it is killed.
func sleeper(id, more string) string {
	return fmt.Sprintf(`{"id":%q,"cmd":"exec sleep 100000","cpus":0.1,"mem":16%s}`, id, more)
}

// TestMigrationGuide moves apps from one server to another with the scripts of the
// guide. The one in Marathon's place shows what Marathon shows.
func TestMigrationGuide(t *testing.T) {
	dir := guideScripts(t)
	_, from := dev(t, dataDir(t))
	_, to := dev(t, dataDir(t))
	script := func(line string) string {
		t.Helper()
		return shell(t, fmt.Sprintf("cd %s && export MARATHON=%s PACER=%s && %s", dir, from, to, line))
	}
	from.must(t, "POST", "/v2/apps", sleeper("/solo", `,"instances":2`))
	from.must(t, "PUT", "/v2/groups/prod", fmt.Sprintf(
		`{"groups":[{"id":"db","apps":[%s]},{"id":"web","dependencies":["/prod/db"],"apps":[%s]}]}`,
		sleeper("pg", `,"labels":{"version":"1"},"env":{"deployments":"2"}`), sleeper("fe", `,"portDefinitions":[{"port":0,"name":"http"}]`)))
	apps := map[string]int{"/solo": 2, "/prod/db/pg": 1, "/prod/web/fe": 1}
	for id, n := range apps {
		from.running(t, id, n)
	}
	definitions := script("bash ./export && cat defs/*.json")

	for _, kept := range []string{`"version": "1"`, `"deployments": "2"`, `"name": "http"`} {
		if !strings.Contains(definitions, kept) {
			t.Errorf("exported without %s:\n%s", kept, definitions)
		}
	}
	if got := script("bash ./check"); strings.Count(got, `{"apps":`) != 2 {
		t.Errorf("check answers %s, want what becomes of 2 files", got)
	}
	script("SUSPENDED=1 bash ./import defs/*.json")
	for id := range apps {
		to.running(t, id, 0)
	}
	for _, id := range []string{"/prod/db/pg", "/prod/web/fe", "/solo"} {
		script("echo | bash ./move " + id)
		to.running(t, id, apps[id])
		from.running(t, id, 0)
	}
	// What was moved is the definition as it was.
	if got := script("MARATHON=$PACER bash ./export && cat defs/*.json"); got != definitions {
		t.Errorf("after the move:\n%s\nwant\n%s", got, definitions)
	}
}
