//go:build !race

package author_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// As modules the projects in Go pass the same. The race detector is left out: under it
// they compile for minutes.
func TestGoScaffoldsBuild(t *testing.T) {
	for kind := range remote.Kinds {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			dir := scaffold(t, "go", kind)
			work := filepath.Join(filepath.Dir(dir), "go.work") // of somebody else's modules, above
			if err := os.WriteFile(work, []byte("go 1.26\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			build(t, dir, "")
			passes(t, dir)
		})
	}
}
