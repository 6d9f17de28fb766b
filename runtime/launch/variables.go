package launch

import (
	"slices"
	"strconv"
	"strings"
)

// variables are the names of the variables that differ from task to task. A name
// is "" when the user's environment, or a later variable of that name, has it.
type variables struct {
	taskID string
	host   string
	port   string // the first port
	ports  string // all of the host, then those that were made up
	each   []portVariables
	// number starts the names made of a port's number; taken are the numbers
	// whose variable somebody else sets.
	number string
	taken  []string
	// generates: there is a port that may get a number of its own making.
	generates bool
}

// portVariables are those of one port.
type portVariables struct {
	index  string // PORT0
	number int    // of PORT_8080; 0: the port that is assigned
	name   string // PORT_HTTP
}

// variablesOf works out the names once, so that a task only fills in values.
func variablesOf(key templateKey, ports []port) variables {
	prefix := key.envPrefix
	users := usersOf(key.app)
	free := func(name string) string {
		if slices.ContainsFunc(users, func(v variable) bool { return v.name == name }) {
			return ""
		}
		return name
	}
	v := variables{
		taskID: free("MESOS_TASK_ID"),
		host:   free(prefix + "HOST"),
		number: prefix + "PORT_",
		each:   make([]portVariables, len(ports)),
	}
	if len(ports) > 0 {
		v.port, v.ports = free(prefix+"PORT"), free(prefix+"PORTS")
	}
	for _, u := range users {
		if number, ok := strings.CutPrefix(u.name, v.number); ok {
			v.taken = append(v.taken, number)
		}
	}
	for i, p := range ports {
		v.generates = v.generates || p.mapped && p.number == 0
		v.each[i] = portVariables{index: free(prefix + "PORT" + strconv.Itoa(i)), number: p.number}
		if p.name == "" || namedLater(ports[i+1:], p.name) {
			continue
		}
		upper := strings.ToUpper(p.name)
		v.each[i].name = free(v.number + upper)
		if _, err := strconv.Atoi(upper); err == nil {
			v.taken = append(v.taken, upper)
		}
	}
	return v
}

// namedLater tells whether a later port's name makes the same variable.
func namedLater(ports []port, name string) bool {
	return slices.ContainsFunc(ports, func(p port) bool { return strings.EqualFold(p.name, name) })
}

// append appends the variables of one task.
func (v *variables) append(b []byte, task *Task, ports *assigned) []byte {
	b = appendNamed(b, v.taskID, task.ID)
	b = appendNamed(b, v.host, task.Place.Offer.Agent.Hostname)
	if len(ports.host) == 0 {
		return b
	}
	var digits [8]byte
	var room [64]byte
	list := room[:0]
	for i := range ports.host {
		text := strconv.AppendUint(digits[:0], uint64(ports.reachable(i)), 10)
		b = appendNamed(b, v.each[i].index, text)
		b = v.appendNumber(b, i, ports, text)
		b = appendNamed(b, v.each[i].name, text)
		if ports.host[i] != 0 {
			b, list = v.enlist(b, list, text)
		}
	}
	if v.generates {
		for i, host := range ports.host {
			if host == 0 && v.each[i].number == 0 {
				b, list = v.enlist(b, list, strconv.AppendUint(digits[:0], uint64(ports.inner[i]), 10))
			}
		}
	}
	return appendNamed(b, v.ports, list)
}

// enlist adds a port to the list of all; the first one also has a variable of its own.
func (v *variables) enlist(b, list, text []byte) (buffer, longer []byte) {
	if len(list) == 0 {
		return appendNamed(b, v.port, text), append(list, text...)
	}
	return b, append(append(list, ','), text...)
}

// appendNumber appends the variable that has a number in its name, unless that
// name is somebody else's.
func (v *variables) appendNumber(b []byte, i int, ports *assigned, value []byte) []byte {
	number := v.numberOf(i, ports)
	for j := i + 1; j < len(ports.host); j++ {
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

// numberOf is the number in the name of the i-th port's variable: the one that
// was asked for, or the assigned one where any will do.
func (v *variables) numberOf(i int, ports *assigned) int {
	if n := v.each[i].number; n != 0 {
		return n
	}
	return int(ports.reachable(i))
}

// appendNamed appends the variable unless its name is somebody else's.
func appendNamed[T string | []byte](b []byte, name string, value T) []byte {
	if name == "" {
		return b
	}
	return appendVariable(b, name, value)
}
