package spec

import "strings"

const messageUncovered = "is not supported by this version of Pacer"

// uncovered returns the fields of the API's app that Pacer does not carry out.
// To accept one silently would start something else than what was asked for, so
// anything but its empty and default values is refused.
func uncovered() []string {
	return []string{
		"check", "container", "dependencies", "executor", "executorResources", "fetch", "healthChecks", "ipAddress",
		"networks", "readinessChecks", "residency", "resourceLimits", "secrets", "tty", "uris",
	}
}

// refuseUncovered notes every field that is not carried out, all at once.
func (o *object) refuseUncovered() {
	for _, name := range uncovered() {
		value, path, ok := o.take(name)
		if ok && !emptyValue(value) && !defaultValue(name, value) {
			o.rules.Add(path, messageUncovered)
		}
	}
}

// emptyValue tells whether a value asks for nothing.
func emptyValue(value any) bool {
	switch v := value.(type) {
	case string:
		return v == ""
	case bool:
		return !v
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	default:
		return value == nil
	}
}

// defaultValue tells whether a value spells out what happens anyhow.
func defaultValue(name string, value any) bool {
	switch name {
	case "executor":
		return value == "//cmd"
	case "networks":
		list, ok := value.([]any)
		return ok && len(list) == 1 && hostNetwork(list[0])
	default:
		return false
	}
}

// hostNetwork tells whether the value is the host's network, without a name or labels.
func hostNetwork(value any) bool {
	fields, ok := value.(map[string]any)
	if !ok {
		return false
	}
	mode, ok := fields["mode"].(string)
	for name, field := range fields {
		if name != "mode" && !emptyValue(field) {
			return false
		}
	}
	return ok && strings.EqualFold(mode, "host")
}
