package launch_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/spec"
)

// FuzzTaskInfo makes tasks of apps that the API takes, given all of their ports,
// none of the host and too few: each is a task that mesos-go can read.
func FuzzTaskInfo(f *testing.F) {
	files, err := filepath.Glob("testdata/tasks/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "\ntask")[1:] {
			_, body, _ := strings.Cut(part, "\n")
			body, _, _ = strings.Cut(body, "\n----")
			f.Add(body)
		}
	}
	settings := spec.Settings{
		Features: []string{spec.FeatureSecrets, spec.FeatureExternalVolumes, spec.FeatureGPUs}, DefaultNetwork: "n",
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := spec.ParseUpdate([]byte(text), spec.Whole, false)
		if err != nil {
			return
		}
		app := u.App(*u.ID, "*", settings)
		if app.Validate(spec.Rules{Settings: settings, Roles: spec.Roles{Default: "*", Allowed: []string{app.Role}}}) != nil {
			return
		}
		for _, ports := range [][]uint16{nil, make([]uint16, app.Ports()), {31000}} {
			one := task(app, free, ports...)
			info := launch.TaskInfo(one)
			if info.TaskID.Value != one.ID || (info.Command == nil) == (info.Executor == nil) {
				t.Errorf("%s became %v", text, info)
			}
		}
	})
}
