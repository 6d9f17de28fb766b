package spec

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Form is which of the two shapes a body has.
type Form uint8

const (
	// Whole is a complete app: an absent field means its default.
	Whole Form = iota
	// Partial keeps what it does not name.
	Partial
)

// String returns a word for errors.
func (f Form) String() string { return [...]string{"whole", "partial"}[f] }

// The bounds that keep later arithmetic exact; Mesos has no agent of that size.
const (
	maxScalar    = 1e12
	maxInstances = 1_000_000
	// maxConstraints bounds what policies are asked for one app.
	maxConstraints = 1000
)

// ParseUpdate reads one app. A whole one must have an id, unless the caller has
// one already and says so with hasID. Relative ids are resolved against the
// root. The error is a *SyntaxError or *Faults.
func ParseUpdate(data []byte, form Form, hasID bool) (*Update, error) {
	return newReading().parse(data, form, hasID)
}

func (r *reading) parse(data []byte, form Form, hasID bool) (*Update, error) {
	value, err := parseDocument(data)
	if err != nil {
		return nil, err
	}
	u := r.update(r.object("", value), form, form == Whole && !hasID)
	return u, r.err()
}

// ParseUpdates reads an array of apps; every item must have an id. Paths of
// faults begin with the item: "/(1)/cpus".
func ParseUpdates(data []byte, form Form) ([]*Update, error) {
	value, err := parseDocument(data)
	if err != nil {
		return nil, err
	}
	r := newReading()
	items, ok := value.([]any)
	if !ok {
		r.form.Add("/", keyArray)
	}
	updates := make([]*Update, len(items))
	for i, item := range items {
		updates[i] = r.update(r.object(at("/", i), item), form, form == Whole)
	}
	return updates, r.err()
}

// err returns the faults of form before those of the rules.
func (r *reading) err() error {
	if err := r.form.Err(); err != nil {
		return err
	}
	return r.rules.Err()
}

// update reads one app. It never returns nil.
func (r *reading) update(o *object, form Form, needsID bool) *Update {
	first := len(r.unknown)
	u := &Update{}
	u.ID = o.appID("id")
	if _, _, ok := o.take("id"); needsID && o.fields != nil && !ok {
		o.missing("id")
	}
	u.readCommand(o)
	u.readResources(o)
	u.readPlacement(o)
	u.readPorts(o)
	u.readTiming(o)
	u.readVersion(o)
	o.refuseUncovered()
	u.readRollback(o, form)
	o.ignore(readOnlyFields()...)
	o.finish()
	u.Unknown = slices.Clone(r.unknown[first:])
	return u
}

// readOnlyFields returns the members that only the API's answers have. A client
// that sends back what it got must not be told that they are unknown.
func readOnlyFields() []string {
	return []string{
		"tasksStaged", "tasksRunning", "tasksHealthy", "tasksUnhealthy", "deployments", "readinessCheckResults",
		"tasks", "lastTaskFailure", "tasksStats", "taskStats",
	}
}

// appID reads an id. One that is badly written is a fault of form, one that no app
// may have a fault of the rules.
func (o *object) appID(name string) *PathID {
	s := o.text(name, 1)
	if s == nil {
		return nil
	}
	id, err := ParsePathID(*s, Root)
	if err != nil {
		o.form.Add(o.path+"/"+name, keyPattern)
		return nil
	}
	if message := id.appFault(); message == messageNotRoot {
		o.rules.Add(orRoot(o.path), message)
	} else if message != "" {
		o.rules.Add(o.path+"/"+name, message)
	}
	return &id
}

func (u *Update) readCommand(o *object) {
	u.Cmd = o.text("cmd", 1)
	u.Args = o.texts("args")
	u.User = o.text("user", 0)
	u.Env = o.textMap("env", func(path string, value any) bool {
		// {"secret": …} is well-formed, so it must not be called a wrong type.
		_, isObject := value.(map[string]any)
		if isObject {
			o.rules.Add(path, messageUncovered)
		}
		return isObject
	})
	if u.Env != nil {
		if _, empty := (*u.Env)[""]; empty { // it sorts first
			o.rules.Add(o.path+"/env/keys(0)", "must not be empty")
		}
	}
	u.Labels = o.textMap("labels", nil)
}

// readResources bounds the amounts: those beyond cannot be counted exactly in
// thousandths, and no instance of such a size would ever find a place.
func (u *Update) readResources(o *object) {
	u.Instances = o.integer("instances", maxInstances)
	u.CPUs = o.number("cpus", 0.001, maxScalar)
	u.Mem = o.number("mem", 0, maxScalar)
	u.Disk = o.number("disk", 0, maxScalar)
	u.GPUs = o.integer("gpus", math.MaxInt32)
}

func (u *Update) readPlacement(o *object) {
	u.Constraints = o.constraints("constraints")
	u.Role = o.text("role", 1)
	u.AcceptedResourceRoles = o.texts("acceptedResourceRoles")
	if u.AcceptedResourceRoles != nil {
		if len(*u.AcceptedResourceRoles) == 0 {
			o.rules.Add(o.path+"/acceptedResourceRoles", "must not be empty")
		}
		u.AcceptedResourceRoles = new(unique(*u.AcceptedResourceRoles))
	}
	if s := o.enum("killSelection", YoungestFirst.String(), OldestFirst.String()); s != nil {
		u.KillSelection = new(YoungestFirst)
		if *s == OldestFirst.String() {
			u.KillSelection = new(OldestFirst)
		}
	}
}

// constraints reads their shape. What an operator makes of its value is for the
// policy that offers it to say.
func (o *object) constraints(name string) *[]Constraint {
	items, path, ok := o.list(name)
	if !ok {
		return nil
	}
	list := make([]Constraint, 0, len(items))
	for i, item := range items {
		parts, ok := item.([]any)
		if !ok {
			o.form.Add(at(path, i), keyArray)
			continue
		}
		texts := *o.checkTexts(at(path, i), parts)
		switch {
		case len(texts) != 2 && len(texts) != 3:
			o.rules.Add(at(path, i), "Each constraint must have either 2 or 3 fields")
			continue
		case texts[0] == "":
			o.rules.Add(at(path, i), "illegal constraint specification")
		}
		c := Constraint{Field: texts[0], Operator: strings.ToUpper(strings.TrimSpace(texts[1]))}
		if len(texts) == 3 {
			c.Value, c.HasValue = texts[2], true
		}
		list = append(list, c)
	}
	if list = unique(list); len(list) > maxConstraints {
		o.rules.Add(path, fmt.Sprintf("got %d constraints, expected %d or less", len(list), maxConstraints))
	}
	return &list
}

// unique drops what is there already; the API's schema calls these lists sets.
func unique[T comparable](items []T) []T {
	var kept []T
	seen := make(map[T]bool, len(items))
	for _, item := range items {
		if !seen[item] {
			kept = append(kept, item)
		}
		seen[item] = true
	}
	return kept
}
