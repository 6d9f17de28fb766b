package launch

import (
	"maps"
	"slices"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/spec"
)

// template is what all tasks of an app version have in common, encoded.
type template struct {
	head        []byte // TaskInfo.name
	command     []byte // CommandInfo without its environment
	environment []byte // the variables that do not depend on the task
	tail        []byte // labels, kill policy
	discovery   []byte // DiscoveryInfo without its ports
	entries     []portEntry
	variables   variables
}

// portEntry is one port of the discovery info: one per protocol of a definition.
type portEntry struct {
	definition int
	rest       []byte // all but the number
}

// newTemplate encodes what an app version's tasks share.
func newTemplate(key templateKey) *template {
	name := key.app.ID.Reversed()
	t := &template{
		head:    appendText(nil, 1, name),
		command: commandOf(key.app),
		tail:    appendLabels(nil, 10, key.app.Labels),
	}
	for _, v := range contextOf(key) {
		t.environment = appendVariable(t.environment, v.name, v.value)
	}
	if grace := key.app.TaskKillGracePeriod; grace != nil {
		b, policy := openMessage(t.tail, 12)
		b, period := openMessage(b, 1)
		t.tail = closeMessage(closeMessage(appendVarint(b, 1, uint64(grace.Nanoseconds())), period), policy)
	}
	t.discovery = appendVarint(nil, 1, uint64(mesos.FRAMEWORK))
	t.discovery = appendText(t.discovery, 2, name)
	t.entries = entriesOf(key.app.PortDefinitions)
	t.variables = variablesOf(key)
	return t
}

// commandOf encodes what runs. A command goes to the shell; arguments are given
// in full, the program's name included.
func commandOf(app *spec.App) []byte {
	var b []byte
	switch {
	case app.Cmd != "":
		b = appendText(b, 3, app.Cmd)
	case len(app.Args) > 0:
		b = appendText(b, 3, app.Args[0])
	}
	if app.User != "" {
		b = appendText(b, 5, app.User)
	}
	shell := uint64(0)
	if app.Cmd != "" {
		shell = 1
	}
	b = appendVarint(b, 6, shell)
	if app.Cmd == "" {
		for _, arg := range app.Args {
			b = appendText(b, 7, arg)
		}
	}
	return b
}

// appendLabels appends labels in the order of their keys; nothing for none.
func appendLabels(b []byte, field int, labels map[string]string) []byte {
	if len(labels) == 0 {
		return b
	}
	b, all := openMessage(b, field)
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		var one int
		b, one = openMessage(b, 1)
		b = appendText(b, 1, key)
		b = closeMessage(appendText(b, 2, labels[key]), one)
	}
	return closeMessage(b, all)
}

// entriesOf makes an entry per protocol: "udp,tcp" are two with one number.
func entriesOf(definitions []spec.PortDefinition) []portEntry {
	var entries []portEntry
	for i, d := range definitions {
		for protocol := range strings.SplitSeq(d.Protocol, ",") {
			var rest []byte
			if d.Name != "" {
				rest = appendText(rest, 2, d.Name)
			}
			if protocol != "" {
				rest = appendText(rest, 3, protocol)
			}
			entries = append(entries, portEntry{i, appendLabels(rest, 5, d.Labels)})
		}
	}
	return entries
}

// appendCommand appends TaskInfo.command.
func (t *template) appendCommand(b []byte, task *Task) []byte {
	b, command := openMessage(b, 7)
	b, environment := openMessage(b, 2)
	b = append(b, t.environment...)
	b = t.variables.append(b, task)
	b = closeMessage(b, environment)
	return closeMessage(append(b, t.command...), command)
}

// appendDiscovery appends TaskInfo.discovery. Fewer ports than definitions leave
// the last ones out.
func (t *template) appendDiscovery(b []byte, ports []uint16) []byte {
	b, discovery := openMessage(b, 11)
	b = append(b, t.discovery...)
	if len(t.entries) > 0 {
		var list int
		b, list = openMessage(b, 6)
		for _, e := range t.entries {
			if e.definition >= len(ports) {
				break
			}
			var one int
			b, one = openMessage(b, 1)
			b = appendVarint(b, 1, uint64(ports[e.definition]))
			b = closeMessage(append(b, e.rest...), one)
		}
		b = closeMessage(b, list)
	}
	return closeMessage(b, discovery)
}
