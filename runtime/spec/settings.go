package spec

import "slices"

// The features of --enable_features that definitions depend on.
const (
	FeatureSecrets         = "secrets"
	FeatureExternalVolumes = "external_volumes"
	FeatureGPUs            = "gpu_resources"
)

// Settings are what the operator has configured and definitions depend on. The
// zero value is Marathon's defaults.
type Settings struct {
	Role             string   // the framework's; "" means "*"
	Features         []string // those that are enabled
	DefaultNetwork   string   // name of container networks that have none; "" for none
	BridgeName       string   // name that stands for the bridge; "" means "mesos-bridge"
	EnforceNewGroups bool     // new top-level groups enforce their role
}

func (s Settings) role() string {
	if s.Role == "" {
		return "*"
	}
	return s.Role
}

func (s Settings) bridge() string {
	if s.BridgeName == "" {
		return "mesos-bridge"
	}
	return s.BridgeName
}

func (s Settings) enabled(feature string) bool { return slices.Contains(s.Features, feature) }

// NewGroup is a group as it is when it is created without being described.
func (s Settings) NewGroup(id PathID) *Group {
	return &Group{ID: id, EnforceRole: s.EnforceNewGroups && id.TopLevel()}
}

// featureOff is the API's text for what a feature would permit, its stray
// bracket included.
func featureOff(feature string) string {
	return "Feature " + feature + " is not enabled. Enable with --enable_features " + feature + ")"
}

// Roles are those that an app may have.
type Roles struct {
	Default string   // of an app that names none
	Allowed []string // Default is the first of them
}

// Roles says which roles an app may have. top is its top-level group, nil when
// that does not exist yet; current is the app as it is now, nil when it is new.
func (s Settings) Roles(id PathID, top *Group, current *App) Roles {
	name := id.Top()
	if name == "" {
		return Roles{s.role(), []string{s.role()}}
	}
	if top == nil {
		top = s.NewGroup(Root + PathID(name))
	}
	roles := Roles{s.role(), []string{s.role(), name}}
	if top.EnforceRole {
		roles = Roles{name, []string{name}}
	}
	if current != nil && current.Role != "" {
		roles.Allowed = append(roles.Allowed, current.Role)
	}
	roles.Allowed = unique(roles.Allowed)
	return roles
}

// Roles says which roles the app of that id may have.
func (t Tree) Roles(id PathID, s Settings) Roles {
	var top *Group
	if name := id.Top(); name != "" {
		top = t.Group(Root + PathID(name))
	}
	return s.Roles(id, top, t.App(id))
}

// Rules are what an app is checked against.
type Rules struct {
	Settings
	Roles   Roles
	Current *App // the app as it is now; nil when it is new
	// Sent is what the app was made from; nil when that was checked before. The rules
	// that it breaks by itself are told with those that the app breaks.
	Sent  *Update
	Force bool // permits a resident app to change its role
}
