package spec

import (
	"slices"
	"strings"
)

// checkRole allows what the rules say. Reservations are made for a role, so
// resident apps need one of their own and keep it unless that is forced.
func (a *App) checkRole(f *Faults, r Rules) {
	if !slices.Contains(r.Roles.Allowed, a.Role) {
		f.Add("/role", "got "+short(a.Role)+", expected one of: ["+strings.Join(r.Roles.Allowed, ", ")+"]")
	}
	if a.Resident() {
		if a.Role == "*" {
			f.Add("/role", "Resident apps cannot have the role *")
		}
		if r.Current != nil && r.Current.Resident() && r.Current.Role != a.Role && !r.Force {
			f.Add("/role", roleChange(r.Current.Role, a.Role))
		}
	}
	a.checkAcceptedRoles(f)
}

func roleChange(before, after string) string {
	return "It is not possible to change the role for existing reservations. If you proceed with this change, " +
		"all existing instances will continue to run under the previous role, " + before +
		". Only new instances will be allocated with the new role, " + short(after) +
		". In order to continue, retry your request with ?force=true"
}

func (a *App) checkAcceptedRoles(f *Faults) {
	if a.Resident() && len(a.AcceptedResourceRoles) > 0 && !slices.Equal(a.AcceptedResourceRoles, []string{"*"}) {
		f.Add("/acceptedResourceRoles", "A resident app must have `acceptedResourceRoles = [\"*\"]`.")
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
