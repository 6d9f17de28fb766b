package launch

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits beyond which a label does not become a variable, in characters.
const (
	labelNameLimit  = 493
	labelValueLimit = 512
)

// variable is one environment variable.
type variable struct{ name, value string }

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
		{"MARATHON_APP_ID", string(app.ID)},
		{"MARATHON_APP_VERSION", app.Version.String()},
		{"MARATHON_APP_RESOURCE_CPUS", decimal(app.CPUs)},
		{"MARATHON_APP_RESOURCE_MEM", decimal(app.Mem)},
		{"MARATHON_APP_RESOURCE_DISK", decimal(app.Disk)},
		{"MARATHON_APP_RESOURCE_GPUS", strconv.Itoa(app.GPUs)},
		{"MARATHON_APP_ENFORCE_GROUP_ROLE", enforced},
	}
	list = append(list, labelVariables(app.Labels)...)
	for _, name := range slices.Sorted(maps.Keys(app.Env)) {
		list = append(list, variable{name, app.Env[name]})
	}
	return lastWins(list)
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
		list = append(list, variable{"MARATHON_APP_LABEL_" + name, value})
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
