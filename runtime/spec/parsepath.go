package spec

import (
	"errors"
	"slices"
	"strings"
)

// segmentPattern is shown to users; validSegment is the code for it.
const segmentPattern = `^(([a-z0-9]|[a-z0-9][a-z0-9\-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9\-]*[a-z0-9])|(\.|\.\.)$`

// Messages of the API about ids.
const (
	messageSegment  = "must fully match regular expression '" + segmentPattern + "'"
	messageReserved = "must not end with any of the following reserved keywords: restart, tasks, versions, ., .."
	messageNotRoot  = "must not be root"
	messageLong     = "must not be longer than 1024 characters"
)

// maxPath bounds what is repeated in every id and message about a path. Mesos
// takes no task of an app whose id is longer than a quarter of it.
const maxPath = 1024

// PathError is a text that is no path, or no path of an app. Message is the
// text of the API.
type PathError struct {
	Text    string
	Message string
}

// Error names the text and what is expected of it.
func (e *PathError) Error() string { return "id " + e.Text + ": " + e.Message }

// ParsePathID reads a path and resolves a relative one against base. Empty
// segments are dropped, "." and ".." collapse, and ".." at the root stays at the
// root. The error is a *PathError.
func ParsePathID(text string, base PathID) (PathID, error) {
	segments := base.Segments()
	if strings.HasPrefix(text, "/") {
		segments = nil
	}
	for segment := range strings.SplitSeq(text, "/") {
		switch {
		case segment == "" || segment == ".":
		case segment == "..":
			segments = segments[:max(0, len(segments)-1)]
		case validSegment(segment):
			segments = append(segments, segment)
		default:
			return "", &PathError{Text: text, Message: messageSegment}
		}
	}
	id := PathID("/" + strings.Join(segments, "/"))
	if len(id) > maxPath {
		return "", &PathError{Text: short(text), Message: messageLong}
	}
	return id, nil
}

// pathKey is the key of the API for a path that ParsePathID does not take.
func pathKey(err error) string {
	if fault, ok := errors.AsType[*PathError](err); ok && fault.Message == messageLong {
		return keyMaxLen
	}
	return keyPattern
}

// ParseAppID is ParsePathID for an app: not the root, and no word of the API's
// own at the end.
func ParseAppID(text string, base PathID) (PathID, error) {
	id, err := ParsePathID(text, base)
	if err != nil {
		return "", err
	}
	if message := id.appFault(); message != "" {
		return "", &PathError{Text: text, Message: message}
	}
	return id, nil
}

// appFault says why the path cannot name an app; "" when it can.
func (p PathID) appFault() string {
	segments := p.Segments()
	if len(segments) == 0 {
		return messageNotRoot
	}
	if slices.Contains([]string{"restart", "tasks", "versions"}, segments[len(segments)-1]) {
		return messageReserved
	}
	return ""
}

// Segments returns the names from the outermost to the last; none for the root.
func (p PathID) Segments() []string {
	trimmed := strings.Trim(string(p), "/")
	if trimmed == "" {
		return nil
	}
	return strings.Split(trimmed, "/")
}

// Within tells whether the path is below the group, at any depth. A path is not
// within itself.
func (p PathID) Within(group PathID) bool {
	if group == Root {
		return p != Root
	}
	return strings.HasPrefix(string(p), string(group)+"/")
}

// validSegment tells whether the text is one or more DNS labels joined by dots.
func validSegment(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if !validLabel(label, "-") {
			return false
		}
	}
	return true
}

// validLabel tells whether s is of lower-case letters, digits and the bytes of
// inner, which must not be the first or the last.
func validLabel(s, inner string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case strings.IndexByte(inner, c) >= 0 && i > 0 && i < len(s)-1:
		default:
			return false
		}
	}
	return s != ""
}
