package spec

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckLaunch(t *testing.T) {
	long := strings.Repeat("x", 128<<10)
	for _, tt := range []struct {
		name string
		app  App
		want []Fault
	}{
		{"as much as there is room for", App{
			ID: PathID("/a/" + strings.Repeat("b", 191)), Cmd: long[1:], Args: []string{long[1:]},
			Env: map[string]string{"A": long[3:], "a b": ""}, EnvSecrets: map[string]string{"S": "s"},
			HealthChecks: []HealthCheck{{Protocol: CheckCommand, Command: long[1:]}},
			Container:    &Container{Docker: &DockerImage{Parameters: []Parameter{{"key", long[7:]}}}},
		}, nil},
		{"one too many", App{
			ID: PathID("/a/" + strings.Repeat("b", 192)), Cmd: long, Args: []string{"", long},
			Env:          map[string]string{"A": long[2:]},
			HealthChecks: []HealthCheck{{Protocol: CheckCommand, Command: long}},
			Container:    &Container{Docker: &DockerImage{Parameters: []Parameter{{"key", long[6:]}}}},
		}, []Fault{
			{"/id", []string{"is too long for the ids of its tasks, which are limited to 255 bytes by Mesos: " +
				"expected at most 193 bytes besides the leading slash, got 194"}},
			{"/cmd", []string{tooLong}},
			{"/args(1)", []string{tooLong}},
			{"/env/A", []string{tooLong}},
			{"/container/docker/parameters(0)", []string{tooLong}},
			{"/healthChecks(0)/command/value", []string{tooLong}},
		}},
		{"names that no variable can have", App{
			ID: "/a", Env: map[string]string{"A=B": "c", "F": "g=h"}, EnvSecrets: map[string]string{"H=": "h"},
		}, []Fault{
			{"/env/A=B", []string{noName}},
			{"/env/H=", []string{noName}},
		}},
	} {
		f := &Faults{Message: MessageInvalidObject}
		tt.app.checkLaunch(f)
		if diff := cmp.Diff(tt.want, f.Details); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

const (
	tooLong = "is too long for Linux to start a process with: expected at most 131071 bytes, " +
		"the name and '=' of a variable included, got 131072"
	noName = "the name of a variable must not contain '='"
)

// TestLaunchIsValidated: the rules are among those of an app.
func TestLaunchIsValidated(t *testing.T) {
	app := Defaults()
	app.ID, app.Cmd, app.Env = "/a", "true", map[string]string{"A=B": "c"}
	var faults *Faults
	if err := app.Validate(Rules{}); !errors.As(err, &faults) || faults.Details[0].Path != "/env/A=B" {
		t.Errorf("error %v", err)
	}
}
