package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// support says what becomes of an option that Marathon has.
type support uint8

const (
	used  support = iota // it does what it does there
	idle                 // taken with a warning: nothing here depends on it
	later                // refused, unless it asks for what happens anyway
)

// option is one flag of `pacer serve`. Its name has Marathon's underscores;
// dashes are taken as well, and so is the environment variable, see envPrefixes.
type option struct {
	name    string
	def     string // "" for none; of a toggle: "on" or "off"
	kind    kind
	use     support
	meaning string
}

// kind is the form of an option's value.
type kind uint8

const (
	text kind = iota
	number
	millis // a whole number of milliseconds
	toggle // --x and --disable_x
)

// values are the options of one run, after flags and environment.
type values struct {
	given map[string]string // by name, only those that differ from not being given
	table map[string]option
	errs  []error
}

// envPrefixes are what the environment variable of an option begins with; an
// earlier one wins.
var envPrefixes = [...]string{"PACER_", "MARATHON_"} //nolint:gochecknoglobals // a constant

// addOptions registers the table's flags.
func addOptions(flags *pflag.FlagSet, table []option) {
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "-", "_"))
	})
	for _, o := range table {
		if o.kind == toggle {
			flags.Bool(o.name, o.def == "on", o.meaning)
			flags.Bool("disable_"+o.name, o.def != "on", "the opposite of --"+o.name)
			flags.MarkHidden("disable_" + o.name) //nolint:errcheck // it was just defined
		} else {
			flags.String(o.name, o.def, o.meaning)
		}
		if o.use != used {
			flags.MarkHidden(o.name) //nolint:errcheck // it was just defined
		}
	}
}

// readOptions joins flags and environment; flags win. The error names every
// option that is not known, not supported or not well-formed.
func readOptions(flags *pflag.FlagSet, table []option, environ []string) (*values, []string, error) {
	v := &values{given: map[string]string{}, table: map[string]option{}}
	for _, o := range table {
		v.table[o.name] = o
	}
	v.readEnvironment(environ)
	flags.Visit(func(f *pflag.Flag) {
		if _, ok := v.lookup(f.Name); ok {
			v.set(f.Name, f.Value.String(), "--"+f.Name)
		}
	})
	var warnings []string
	for _, o := range table {
		if got, ok := v.given[o.name]; ok {
			warnings = append(warnings, v.check(o, got)...)
		}
	}
	slices.Sort(warnings)
	return v, warnings, errors.Join(v.errs...)
}

// defaultOptions are the options of `pacer serve` with none of them given.
func defaultOptions() *values {
	v := &values{given: map[string]string{}, table: map[string]option{}}
	for _, o := range serveOptions() {
		v.table[o.name] = o
	}
	return v
}

// lookup finds an option by its name or its toggle's second name.
func (v *values) lookup(name string) (o option, ok bool) {
	if o, ok = v.table[name]; ok {
		return o, true
	}
	if rest, cut := strings.CutPrefix(name, "disable_"); cut {
		o, ok = v.table[rest]
		return o, ok && o.kind == toggle
	}
	return option{}, false
}

// readEnvironment takes PACER_X and MARATHON_X for --x. Marathon sets
// MARATHON_APP_… for the tasks it runs, and Pacer may be one of them.
func (v *values) readEnvironment(environ []string) {
	aliases := envAliases()
	for _, entry := range environ {
		key, value, _ := strings.Cut(entry, "=")
		if name, ok := aliases[key]; ok {
			v.set(name, value, key)
		}
	}
	for _, prefix := range slices.Backward(envPrefixes[:]) {
		for _, entry := range environ {
			key, value, _ := strings.Cut(entry, "=")
			name, ok := strings.CutPrefix(key, prefix)
			if !ok || strings.HasPrefix(key, "MARATHON_APP_") {
				continue
			}
			name = strings.ToLower(name)
			o, known := v.lookup(name)
			if !known {
				v.fail("environment variable %s: there is no option --%s", key, name)
				continue
			}
			if o.kind == toggle && value == "" {
				value = "true" // as a flag without a value
			}
			v.set(name, value, key)
		}
	}
}

// set notes a value, under the first name of a toggle. origin is for messages.
func (v *values) set(name, value, origin string) {
	o, _ := v.lookup(name)
	if o.kind == toggle {
		on, err := strconv.ParseBool(value)
		if err != nil {
			v.fail("%s: %q: expected true or false", origin, value)
			return
		}
		value = "off"
		if on == (name == o.name) {
			value = "on"
		}
	}
	v.given[o.name] = value
}

// check refuses what is not supported or not of its kind, and reports what has no effect.
func (v *values) check(o option, got string) (warnings []string) {
	if o.kind == number || o.kind == millis {
		if _, err := strconv.Atoi(got); err != nil && got != "" {
			v.fail("--%s: %q: expected a whole number", o.name, got)
			return nil
		}
	}
	switch {
	case o.use == idle:
		return []string{"--" + o.name + " has no effect: " + o.meaning}
	case o.use == later && got != o.def:
		name := o.name
		if o.kind == toggle && got == "off" {
			name = "disable_" + name
		}
		v.fail("--%s is not supported by this version of Pacer: %s", name, o.meaning)
	}
	return nil
}

func (v *values) fail(format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf(format, args...))
}

// text returns a value as it was given, else its default.
func (v *values) text(name string) string {
	if got, ok := v.given[name]; ok {
		return got
	}
	return v.table[name].def
}

// oneOf returns an option's value, which must be one of the words.
func (v *values) oneOf(name string, words ...string) string {
	got := v.text(name)
	if !slices.Contains(words, got) {
		v.fail("--%s: %q: expected %s", name, got, strings.Join(words, " or "))
	}
	return got
}

// on returns a toggle.
func (v *values) on(name string) bool { return v.text(name) == "on" }

// number returns a whole number within the bounds, both inclusive.
func (v *values) number(name string, least, most int) int {
	n, err := strconv.Atoi(v.text(name))
	if err != nil || n < least || n > most {
		v.fail("--%s: %q: expected a whole number from %d to %d", name, v.text(name), least, most)
	}
	return n
}

// maxMillis keeps durations far from overflow: 100 years.
const maxMillis = 100 * 365 * 24 * 3600 * 1000

// millis returns a duration that is given in milliseconds.
func (v *values) millis(name string) time.Duration {
	return time.Duration(v.number(name, 0, maxMillis)) * time.Millisecond
}

// secret returns the value of name, else what the file called name_file holds
// without the newline at its end.
func (v *values) secret(name string) string {
	file := v.text(name + "_file")
	switch {
	case file == "":
		return v.text(name)
	case v.text(name) != "":
		v.fail("--%s and --%s_file exclude each other", name, name)
		return ""
	}
	b, err := os.ReadFile(file)
	if err != nil {
		v.fail("--%s_file: %w", name, err)
	}
	return strings.TrimRight(string(b), "\r\n")
}

// err is everything that was wrong, nil for nothing.
func (v *values) err() error { return errors.Join(v.errs...) }
