package spec

import "strings"

// PathID is the absolute path of an app or a group: "/" or "/a/b", in normal
// form (no empty segment, no "." or "..", no trailing slash). ParsePathID makes
// and checks one from text.
type PathID string

// Root is the path of the outermost group.
const Root PathID = "/"

// Safe returns the segments joined with "_": "/a/b" is "a_b". It is the form
// that task ids and Mesos paths use.
func (p PathID) Safe() string {
	return strings.ReplaceAll(strings.Trim(string(p), "/"), "/", "_")
}

// Parent returns the enclosing group's path; the root's is the root.
func (p PathID) Parent() PathID {
	i := strings.LastIndexByte(string(p), '/')
	if i <= 0 {
		return Root
	}
	return p[:i]
}

// Reversed returns the segments from last to first joined with ".": "/prod/web"
// is "web.prod". Mesos shows it as the task's name.
func (p PathID) Reversed() string {
	segments := strings.Split(strings.Trim(string(p), "/"), "/")
	for i, j := 0, len(segments)-1; i < j; i, j = i+1, j-1 {
		segments[i], segments[j] = segments[j], segments[i]
	}
	return strings.Join(segments, ".")
}

// Top returns the name of the top-level group that the path is in; "" for a path
// directly in the root, and for the root.
func (p PathID) Top() string {
	name, _, ok := strings.Cut(strings.TrimPrefix(string(p), "/"), "/")
	if !ok {
		return ""
	}
	return name
}

// TopLevel tells whether the path is directly in the root.
func (p PathID) TopLevel() bool { return p != Root && p.Parent() == Root }
