package launch

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/spec"
)

// variables are the names of the variables that differ from task to task. A name
// is "" when the user's environment, or a later variable of that name, has it.
type variables struct {
	taskID string
	host   string
	port   string // the first port
	ports  string // all of them
	each   []portVariables
	// number starts the names made of a port's number; taken are the numbers
	// whose variable somebody else sets.
	number string
	taken  []string
}

// portVariables are those of one port definition.
type portVariables struct {
	index  string // PORT0
	number int    // of PORT_8080; 0: the host port that is assigned
	name   string // PORT_HTTP
}

// variablesOf works out the names once, so that a task only fills in values.
func variablesOf(key templateKey) variables {
	prefix, definitions := key.envPrefix, key.app.PortDefinitions
	free := func(name string) string {
		if _, users := key.app.Env[name]; users {
			return ""
		}
		return name
	}
	v := variables{
		taskID: free("MESOS_TASK_ID"),
		host:   free(prefix + "HOST"),
		number: prefix + "PORT_",
		each:   make([]portVariables, len(definitions)),
	}
	if len(definitions) > 0 {
		v.port, v.ports = free(prefix+"PORT"), free(prefix+"PORTS")
	}
	for name := range key.app.Env {
		if number, ok := strings.CutPrefix(name, v.number); ok {
			v.taken = append(v.taken, number)
		}
	}
	for i, d := range definitions {
		v.each[i] = portVariables{index: free(prefix + "PORT" + strconv.Itoa(i)), number: d.Port}
		if d.Name == "" || namedLater(definitions[i+1:], d.Name) {
			continue
		}
		upper := strings.ToUpper(d.Name)
		v.each[i].name = free(v.number + upper)
		if _, err := strconv.Atoi(upper); err == nil {
			v.taken = append(v.taken, upper)
		}
	}
	return v
}

// namedLater tells whether a later definition's name makes the same variable.
func namedLater(definitions []spec.PortDefinition, name string) bool {
	for _, d := range definitions {
		if strings.EqualFold(d.Name, name) {
			return true
		}
	}
	return false
}

// append appends the variables of one task.
func (v *variables) append(b []byte, task *Task) []byte {
	b = appendNamed(b, v.taskID, task.ID)
	b = appendNamed(b, v.host, task.Place.Offer.Agent.Hostname)
	ports := task.Place.Ports
	if len(ports) == 0 || len(v.each) == 0 {
		return b
	}
	var digits [8]byte
	var room [64]byte
	list := room[:0]
	for i, port := range ports[:min(len(ports), len(v.each))] {
		text := strconv.AppendUint(digits[:0], uint64(port), 10)
		b = appendNamed(b, v.each[i].index, text)
		b = v.appendNumber(b, i, ports, text)
		b = appendNamed(b, v.each[i].name, text)
		if i == 0 {
			b = appendNamed(b, v.port, text)
		} else {
			list = append(list, ',')
		}
		list = append(list, text...)
	}
	return appendNamed(b, v.ports, list)
}

// appendNumber appends the variable that has a number in its name, unless that
// name is somebody else's.
func (v *variables) appendNumber(b []byte, i int, ports []uint16, value []byte) []byte {
	number := v.numberOf(i, ports)
	for j := i + 1; j < min(len(ports), len(v.each)); j++ {
		if v.numberOf(j, ports) == number {
			return b // the last one of a name wins
		}
	}
	var room [64]byte
	name := strconv.AppendInt(append(room[:0], v.number...), int64(number), 10)
	if slices.Contains(v.taken, string(name[len(v.number):])) {
		return b
	}
	b, start := openMessage(b, 1)
	b = appendText(b, 1, name)
	return closeMessage(appendText(b, 2, value), start)
}

// numberOf is the number in the name of the i-th port's variable: that of the
// definition, or the assigned one for a definition that asks for any.
func (v *variables) numberOf(i int, ports []uint16) int {
	if n := v.each[i].number; n != 0 {
		return n
	}
	return int(ports[i])
}

// appendNamed appends the variable unless its name is somebody else's.
func appendNamed[T string | []byte](b []byte, name string, value T) []byte {
	if name == "" {
		return b
	}
	return appendVariable(b, name, value)
}
