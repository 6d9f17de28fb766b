package launch

import (
	"maps"
	"slices"

	mesos "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/placement"
)

// template is what all tasks of an app version have in common, encoded.
type template struct {
	head        []byte // TaskInfo.name
	command     []byte // CommandInfo without its environment
	environment []byte // the variables that do not depend on the task
	tail        []byte // labels, kill policy, limits
	discovery   []byte // DiscoveryInfo without its ports
	ports       []port
	mapped      bool // the ports are those of a container
	entries     []portEntry
	variables   variables
	container   *container // nil: none
	probes      []probe
	executor    bool // an executor of the app's own runs the task
	need        placement.Share
}

// newTemplate encodes what an app version's tasks share.
func newTemplate(key templateKey) *template {
	app := key.app
	name := app.ID.Reversed()
	t := &template{
		head:      appendText(nil, 1, name),
		command:   commandOf(key),
		tail:      appendLimits(appendLabels(nil, 10, taskLabels(key)), app.ResourceLimits),
		ports:     portsOf(app),
		mapped:    !app.OnHost(),
		container: containerOf(key),
		probes:    probesOf(app),
		executor:  app.ExecutorPath() != "",
	}
	t.need.Scalars = placement.ExecutorNeed(app)
	for _, v := range contextOf(key) {
		t.environment = v.append(t.environment)
	}
	if grace := app.TaskKillGracePeriod; grace != nil {
		b, policy := openMessage(t.tail, 12)
		b, period := openMessage(b, 1)
		t.tail = closeMessage(closeMessage(appendVarint(b, 1, uint64(grace.Nanoseconds())), period), policy)
	}
	t.discovery = appendVarint(nil, 1, uint64(mesos.FRAMEWORK))
	t.discovery = appendText(t.discovery, 2, name)
	t.entries = entriesOf(t.ports)
	t.variables = variablesOf(key, t.ports)
	return t
}

// append appends all of a task but its name and ids.
func (t *template) append(b []byte, task *Task, ports *assigned) []byte {
	if t.executor {
		b = t.appendExecutor(b, task, ports)
	} else {
		for i := range task.Place.Take {
			b = appendShare(b, 4, &task.Place.Take[i])
		}
		b = t.appendCommand(b, task, ports)
		b = t.container.append(b, 9, task, ports)
	}
	for i := range task.Place.Disks {
		b = appendDisk(b, 4, &task.Place.Disks[i])
	}
	for i := range t.probes {
		b = t.probes[i].append(b, ports)
	}
	b = append(b, t.tail...)
	return t.appendDiscovery(b, ports)
}

// appendLabels appends labels in the order of their keys; nothing for none.
func appendLabels(b []byte, field int, labels map[string]string) []byte {
	if len(labels) == 0 {
		return b
	}
	b, all := openMessage(b, field)
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		b = appendPair(b, 1, key, labels[key])
	}
	return closeMessage(b, all)
}

// appendPair appends a message of two texts: a label, a parameter, an entry of a map.
func appendPair(b []byte, field int, key, value string) []byte {
	b, pair := openMessage(b, field)
	return closeMessage(appendText(appendText(b, 1, key), 2, value), pair)
}

// appendCommand appends TaskInfo.command, which is ExecutorInfo.command too.
func (t *template) appendCommand(b []byte, task *Task, ports *assigned) []byte {
	b, command := openMessage(b, 7)
	b, environment := openMessage(b, 2)
	b = append(b, t.environment...)
	b = t.variables.append(b, task, ports)
	b = closeMessage(b, environment)
	return closeMessage(append(b, t.command...), command)
}
