package spec

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MarshalJSON returns the app as the API shows it, with its version info.
func (a *App) MarshalJSON() ([]byte, error) {
	return append(a.AppendFields(append(make([]byte, 0, 1024), '{'), true), '}'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, versions included. It is for
// stored apps: absent fields get their defaults, and text is taken as it is, so
// that a rule made later keeps nobody from reading what an earlier version took.
func (a *App) UnmarshalJSON(data []byte) error {
	r := newReading()
	r.stored = true
	u, err := r.parse(data, Whole, false)
	if err != nil {
		return err
	}
	*a = *u.App(*u.ID, "")
	replace(&a.Version, u.Version)
	if u.VersionInfo != nil {
		a.LastScalingAt, a.LastConfigChangeAt = u.VersionInfo.LastScalingAt, u.VersionInfo.LastConfigChangeAt
	}
	return nil
}

// AppendFields appends the members of the app's JSON object without the braces,
// for callers that add members of their own. The version info is left out on
// demand, and when nothing has set it.
func (a *App) AppendFields(b []byte, withVersionInfo bool) []byte {
	b = append(AppendText(append(b, `"id":`...), string(a.ID)), `,"executor":""`...)
	b = a.appendCommand(b)
	b = a.appendResources(b)
	b = a.appendPlacement(b)
	b = a.appendPorts(b)
	b = a.appendTiming(b)
	if a.Version != 0 {
		b = appendTime(append(b, `,"version":`...), a.Version)
	}
	if withVersionInfo && a.LastConfigChangeAt != 0 {
		b = appendTime(append(b, `,"versionInfo":{"lastScalingAt":`...), a.LastScalingAt)
		b = appendTime(append(b, `,"lastConfigChangeAt":`...), a.LastConfigChangeAt)
		b = append(b, '}')
	}
	return b
}

// appendCommand leaves out what is empty but for the labels, which clients read
// without asking.
func (a *App) appendCommand(b []byte) []byte {
	if a.Cmd != "" {
		b = AppendText(append(b, `,"cmd":`...), a.Cmd)
	}
	if len(a.Args) > 0 {
		b = AppendTexts(append(b, `,"args":`...), a.Args)
	}
	if a.User != "" {
		b = AppendText(append(b, `,"user":`...), a.User)
	}
	if len(a.Env) > 0 {
		b = appendTextMap(append(b, `,"env":`...), a.Env)
	}
	return appendTextMap(append(b, `,"labels":`...), a.Labels)
}

// appendResources prints amounts as doubles, even whole ones: statically typed
// clients take the type from the form.
func (a *App) appendResources(b []byte) []byte {
	b = strconv.AppendInt(append(b, `,"instances":`...), int64(a.Instances), 10)
	b = append(append(b, `,"cpus":`...), decimal(a.CPUs)...)
	b = append(append(b, `,"mem":`...), decimal(a.Mem)...)
	b = append(append(b, `,"disk":`...), decimal(a.Disk)...)
	return strconv.AppendInt(append(b, `,"gpus":`...), int64(a.GPUs), 10)
}

func (a *App) appendPlacement(b []byte) []byte {
	for i, c := range a.Constraints {
		b = append(b, pick(i == 0, `,"constraints":[`, ",")...)
		fields := []string{c.Field, c.Operator, c.Value}
		if !c.HasValue {
			fields = fields[:2]
		}
		b = AppendTexts(b, fields)
	}
	if len(a.Constraints) > 0 {
		b = append(b, ']')
	}
	if len(a.AcceptedResourceRoles) > 0 {
		b = AppendTexts(append(b, `,"acceptedResourceRoles":`...), a.AcceptedResourceRoles)
	}
	if a.Role != "" {
		b = AppendText(append(b, `,"role":`...), a.Role)
	}
	return AppendText(append(b, `,"killSelection":`...), a.KillSelection.String())
}

// appendPorts also says which network the ports are of: one known proxy reads
// the first network without asking whether there is one.
func (a *App) appendPorts(b []byte) []byte {
	b = append(b, `,"networks":[{"mode":"host"}],"portDefinitions":[`...)
	for i, d := range a.PortDefinitions {
		b = strconv.AppendInt(append(b, pick(i == 0, `{"port":`, `,{"port":`)...), int64(d.Port), 10)
		if d.Name != "" {
			b = AppendText(append(b, `,"name":`...), d.Name)
		}
		b = AppendText(append(b, `,"protocol":`...), d.Protocol)
		if len(d.Labels) > 0 {
			b = appendTextMap(append(b, `,"labels":`...), d.Labels)
		}
		b = append(b, '}')
	}
	return strconv.AppendBool(append(b, `],"requirePorts":`...), a.RequirePorts)
}

// appendTiming prints whole seconds, the API's only unit.
func (a *App) appendTiming(b []byte) []byte {
	b = appendSeconds(append(b, `,"backoffSeconds":`...), a.Backoff)
	b = append(append(b, `,"backoffFactor":`...), decimal(a.BackoffFactor)...)
	b = appendSeconds(append(b, `,"maxLaunchDelaySeconds":`...), a.MaxLaunchDelay)
	if a.TaskKillGracePeriod != nil {
		b = appendSeconds(append(b, `,"taskKillGracePeriodSeconds":`...), *a.TaskKillGracePeriod)
	}
	b = append(append(b, `,"upgradeStrategy":{"minimumHealthCapacity":`...), decimal(a.UpgradeStrategy.MinimumHealthCapacity)...)
	b = append(append(b, `,"maximumOverCapacity":`...), decimal(a.UpgradeStrategy.MaximumOverCapacity)...)
	if a.UnreachableStrategy.Disabled {
		return append(b, `},"unreachableStrategy":"disabled"`...)
	}
	b = appendSeconds(append(b, `},"unreachableStrategy":{"inactiveAfterSeconds":`...), a.UnreachableStrategy.InactiveAfter)
	b = appendSeconds(append(b, `,"expungeAfterSeconds":`...), a.UnreachableStrategy.ExpungeAfter)
	return append(b, '}')
}

// AppendText appends s as a JSON string.
func AppendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return appendEscaped(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendEscaped is the way for the rare text with something to escape.
func appendEscaped(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // no string makes it fail
		return append(b, `""`...)
	}
	return append(b, text...)
}

// AppendTexts appends a JSON array of strings.
func AppendTexts(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendText(b, s)
	}
	return append(b, ']')
}

// appendTextMap sorts the keys: equal apps have equal bytes.
func appendTextMap(b []byte, m map[string]string) []byte {
	b = append(b, '{')
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendText(append(AppendText(b, key), ':'), m[key])
	}
	return append(b, '}')
}

func appendTime(b []byte, t Timestamp) []byte { return AppendText(b, t.String()) }

func appendSeconds(b []byte, d time.Duration) []byte {
	return strconv.AppendInt(b, int64(d/time.Second), 10)
}

// decimal prints a double so that it is seen to be one: "1.0".
func decimal(f float64) string {
	if math.Abs(f) >= 1e15 || f != 0 && math.Abs(f) < 1e-9 {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// pick returns what goes before the first item of a list, or the others.
func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
