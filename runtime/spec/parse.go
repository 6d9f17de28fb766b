package spec

import "slices"

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
	if needsID {
		o.need("id")
	}
	u.readCommand(o)
	u.readResources(o)
	u.readPlacement(o)
	u.readArtifacts(o)
	u.readNetworks(o, u.readContainer(o))
	u.readPorts(o)
	u.readChecks(o)
	u.readTiming(o)
	u.readVersion(o)
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
