package spec

import (
	"fmt"
	"strings"
)

// What the machines that run tasks cannot carry. Without these rules such an app
// would be accepted and every launch of it fail.
const (
	// maxTaskID is the most that Mesos takes as a task's id, in bytes: it is the
	// name of a directory.
	maxTaskID = 255
	// taskIDTail is what a task's id has besides the path of its app:
	// ".instance-", a UUID, "._app." and a count of up to ten digits.
	taskIDTail = len(".instance-") + 36 + len("._app.") + 10
	// maxExecText is the longest argument, or environment variable with its name
	// and "=", that Linux starts a process with, in bytes: 128 KiB with the NUL at
	// its end.
	maxExecText = 128<<10 - 1
)

// checkLaunch looks for what no task can be launched with.
func (a *App) checkLaunch(f *Faults) {
	if most := maxTaskID - taskIDTail; len(a.ID.Safe()) > most {
		f.Add("/id", fmt.Sprintf("is too long for the ids of its tasks, which are limited to %d bytes by Mesos: "+
			"expected at most %d bytes besides the leading slash, got %d", maxTaskID, most, len(a.ID.Safe())))
	}
	f.checkExec("/cmd", a.Cmd)
	for i, arg := range a.Args {
		f.checkExec(at("/args", i), arg)
	}
	for _, name := range sortedKeys(a.Env) {
		f.checkEnvName(name)
		f.checkExecLength("/env/"+short(name), len(name)+1+len(a.Env[name]))
	}
	for _, name := range sortedKeys(a.EnvSecrets) {
		f.checkEnvName(name)
	}
	if a.Container != nil && a.Container.Docker != nil {
		for i, p := range a.Container.Docker.Parameters {
			f.checkExec(at("/container/docker/parameters", i), "--"+p.Key+"="+p.Value)
		}
	}
	for i := range a.HealthChecks {
		f.checkExec(at("/healthChecks", i)+"/command/value", a.HealthChecks[i].Command)
	}
	if a.Check != nil && a.Check.Exec != nil {
		f.checkExec("/check/exec/command/shell", *a.Check.Exec)
	}
}

// checkEnvName refuses names that a process would read otherwise than they were
// written, or not at all.
func (f *Faults) checkEnvName(name string) {
	if strings.Contains(name, "=") {
		f.Add("/env/"+short(name), "the name of a variable must not contain '='")
	}
}

func (f *Faults) checkExec(path, text string) {
	f.checkExecLength(path, len(text))
}

func (f *Faults) checkExecLength(path string, length int) {
	if length > maxExecText {
		f.Add(path, fmt.Sprintf("is too long for Linux to start a process with: expected at most %d bytes, "+
			"the name and '=' of a variable included, got %d", maxExecText, length))
	}
}
