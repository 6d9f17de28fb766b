package launch

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	mesos "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/spec"
)

// Limits beyond which a label does not become a variable, in characters.
const (
	labelNameLimit  = 493
	labelValueLimit = 512
)

// variable is one environment variable. That of a secret has the secret's source
// as its value, for the agent to resolve.
type variable struct {
	name, value string
	secret      bool
}

// contextOf lists the variables that are the same for all tasks: those about
// the app and its labels, then the user's own in the order of their names. A
// later one of a name wins.
func contextOf(key templateKey) []variable {
	app := key.app
	enforced := "FALSE"
	if key.enforceGroupRole {
		enforced = "TRUE"
	}
	list := []variable{
		{name: "MARATHON_APP_ID", value: string(app.ID)},
		{name: "MARATHON_APP_VERSION", value: app.Version.String()},
		{name: "MARATHON_APP_RESOURCE_CPUS", value: decimal(app.CPUs)},
		{name: "MARATHON_APP_RESOURCE_MEM", value: decimal(app.Mem)},
		{name: "MARATHON_APP_RESOURCE_DISK", value: decimal(app.Disk)},
		{name: "MARATHON_APP_RESOURCE_GPUS", value: strconv.Itoa(app.GPUs)},
		{name: "MARATHON_APP_ENFORCE_GROUP_ROLE", value: enforced},
	}
	if c := app.Container; c != nil && c.Type == spec.DockerContainer && c.Docker != nil {
		list = append(list, variable{name: "MARATHON_APP_DOCKER_IMAGE", value: c.Docker.Image})
	}
	list = append(list, labelVariables(app.Labels)...)
	return lastWins(append(list, usersOf(app)...))
}

// usersOf lists the user's own variables, plain ones and secrets, by their names.
func usersOf(app *spec.App) []variable {
	list := make([]variable, 0, len(app.Env)+len(app.EnvSecrets))
	for name, value := range app.Env {
		list = append(list, variable{name: name, value: value})
	}
	for name, secret := range app.EnvSecrets {
		list = append(list, variable{name, sourceOf(app, secret), true})
	}
	slices.SortFunc(list, func(a, b variable) int { return strings.Compare(a.name, b.name) })
	return list
}

// sourceOf is where the secret of that name comes from. A name that the app does
// not declare stands for itself.
func sourceOf(app *spec.App, name string) string {
	if source, ok := app.Secrets[name]; ok {
		return source
	}
	return name
}

// append appends the variable as an element of Environment.
func (v *variable) append(b []byte) []byte {
	if !v.secret {
		return appendVariable(b, v.name, v.value)
	}
	b, start := openMessage(b, 1)
	b = appendText(b, 1, v.name)
	b = appendVarint(b, 3, uint64(mesos.Environment_Variable_SECRET))
	return closeMessage(appendSecret(b, 4, v.value), start)
}

// appendSecret appends a secret as a reference: what it refers to is the business
// of the agent's secret resolver.
func appendSecret(b []byte, field int, source string) []byte {
	b, secret := openMessage(b, field)
	b = appendVarint(b, 1, uint64(mesos.Secret_REFERENCE))
	return closeMessage(appendID(b, 2, source), secret)
}

// lastWins drops all but the last of each name, which takes the place of the first.
func lastWins(list []variable) []variable {
	at := map[string]int{}
	kept := list[:0]
	for _, v := range list {
		if i, ok := at[v.name]; ok {
			kept[i] = v
			continue
		}
		at[v.name] = len(kept)
		kept = append(kept, v)
	}
	return kept
}

// labelVariables makes MARATHON_APP_LABELS and a variable for each label that is
// short enough.
func labelVariables(labels map[string]string) []variable {
	list := []variable{{name: "MARATHON_APP_LABELS"}}
	var names []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		value := labels[key]
		if utf8.RuneCountInString(key) >= labelNameLimit || utf8.RuneCountInString(value) >= labelValueLimit {
			continue
		}
		name := escape(key)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		list = append(list, variable{name: "MARATHON_APP_LABEL_" + name, value: value})
	}
	list[0].value = strings.Join(names, " ")
	return list
}

// escape makes a label's name one of a variable: each run of other characters
// than letters, digits and "_" becomes one "_"; letters become upper case.
func escape(name string) string {
	var out strings.Builder
	run := false
	for _, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
		if letter {
			out.WriteByte(c)
		} else if !run {
			out.WriteByte('_')
		}
		run = !letter
	}
	return strings.ToUpper(out.String())
}

// decimal is the text of a number as Marathon's tasks know it: the shortest that
// reads back the same, with at least one digit behind the point; from ten
// million on and below a thousandth with an exponent, "1.0E7".
func decimal(v float64) string {
	size := v
	if size < 0 {
		size = -size
	}
	if size == 0 || size >= 1e-3 && size < 1e7 {
		return withFraction(strconv.FormatFloat(v, 'f', -1, 64))
	}
	mantissa, exponent, found := strings.Cut(strconv.FormatFloat(v, 'e', -1, 64), "e")
	if !found {
		return mantissa // not a number, or infinite
	}
	n, err := strconv.Atoi(exponent)
	if err != nil {
		return mantissa
	}
	return withFraction(mantissa) + "E" + strconv.Itoa(n)
}

// withFraction gives whole numbers their ".0".
func withFraction(text string) string {
	if strings.Contains(text, ".") {
		return text
	}
	return text + ".0"
}
