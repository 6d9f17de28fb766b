package spec

import (
	"fmt"
	"slices"
	"strings"
)

const secondsPath = "/unreachableStrategy/inactiveAfterSeconds"

// Validate checks the rules that concern more than one field of a complete app.
// role is the framework's role; current is the app as it is now, nil when it is
// new: it may keep its role. The error is *Faults.
func (a *App) Validate(role string, current *App) error {
	f := &Faults{Message: MessageInvalidObject}
	a.checkCommand(f)
	a.checkSingleInstance(f)
	a.checkRole(f, role, current)
	if s := a.UnreachableStrategy; s.InactiveAfter > s.ExpungeAfter {
		f.Add(secondsPath, fmt.Sprintf("inactiveAfterSeconds (%d) must be less or equal to expungeAfterSeconds, which is %d",
			int(s.InactiveAfter.Seconds()), int(s.ExpungeAfter.Seconds())))
	}
	if _, migrates := a.Labels["DCOS_MIGRATION_API_VERSION"]; migrates {
		if a.Labels["DCOS_PACKAGE_FRAMEWORK_NAME"] == "" || a.Labels["DCOS_MIGRATION_API_PATH"] == "" {
			f.Add("/", "DCOS_PACKAGE_FRAMEWORK_NAME and DCOS_MIGRATION_API_PATH must be defined when using DCOS_MIGRATION_API_VERSION")
		}
	}
	return f.Err()
}

// checkCommand asks for one of the two; with both nobody could tell which is meant.
func (a *App) checkCommand(f *Faults) {
	if (a.Cmd == "") == (len(a.Args) == 0) {
		f.Add("/", "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.")
	}
}

// checkSingleInstance keeps the promise of a label: never two at a time.
func (a *App) checkSingleInstance(f *Faults) {
	if a.Labels["MARATHON_SINGLE_INSTANCE_APP"] != "true" {
		return
	}
	if a.Instances > 1 {
		f.Add("/", "Single instance app may only have one instance")
	}
	if v := a.UpgradeStrategy.MinimumHealthCapacity; v != 0 {
		f.Add("/upgradeStrategy/minimumHealthCapacity", "got "+decimal(v)+", expected 0.0")
	}
	if v := a.UpgradeStrategy.MaximumOverCapacity; v != 0 {
		f.Add("/upgradeStrategy/maximumOverCapacity", "got "+decimal(v)+", expected 0.0")
	}
}

// checkRole allows the framework's role, the name of the outermost group, and
// whatever the app has already.
func (a *App) checkRole(f *Faults, role string, current *App) {
	allowed := []string{role}
	if segments := a.ID.Segments(); len(segments) > 1 {
		allowed = append(allowed, segments[0])
	}
	if current != nil && !slices.Contains(allowed, current.Role) {
		allowed = append(allowed, current.Role)
	}
	if !slices.Contains(allowed, a.Role) {
		f.Add("/role", "got "+a.Role+", expected one of: ["+strings.Join(allowed, ", ")+"]")
	}
	for _, accepted := range a.AcceptedResourceRoles {
		if message := roleFault(accepted); message != "" {
			f.Add("/acceptedResourceRoles", message)
		} else if accepted != "*" && accepted != a.Role {
			f.Add("/acceptedResourceRoles", onlyRoles(a.Role))
		}
	}
}

func onlyRoles(role string) string {
	if role == "*" {
		return "acceptedResourceRoles can only contain *"
	}
	return "acceptedResourceRoles can only contain * and " + role
}

// roleFault says why Mesos would not take the role's name; "" when it would.
func roleFault(role string) string {
	switch {
	case role == "", role == ".", role == "..":
		return `A role name must not be "` + role + `".`
	case strings.HasPrefix(role, "-"):
		return "A role name must not start with a '-'."
	}
	for _, c := range role {
		if name, bad := roleNever(c); bad {
			return "A role name must not include a " + name + " character."
		}
	}
	return ""
}

// roleNever names a character that no role has.
func roleNever(c rune) (name string, bad bool) {
	switch c {
	case '/':
		return "slash", true
	case '\b':
		return "backspace", true
	case ' ', '\t', '\n', '\v', '\f', '\r':
		return "whitespace", true
	default:
		return "", false
	}
}
