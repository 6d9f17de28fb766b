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
// one already and says so with hasID: then the document's is read and means
// nothing. Relative ids are resolved against the root. The error is a
// *SyntaxError or *Faults; rules that the document breaks by itself are in the
// update, for App.Validate to tell with all others.
func ParseUpdate(data []byte, form Form, hasID bool) (*Update, error) {
	return newReading().parse(data, form, hasID)
}

func (r *reading) parse(data []byte, form Form, hasID bool) (*Update, error) {
	value, err := parseDocument(data)
	if err != nil {
		return nil, err
	}
	r.hasID = hasID
	u := r.update(r.object("", value), form, form == Whole && !hasID)
	return u, r.err(u)
}

// ParseUpdates reads an array of apps; every item must have an id. Paths of
// faults in the error begin with the item: "/(1)/cpus".
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
		part := newReading()
		u := part.update(part.object("", item), form, form == Whole)
		for n, name := range u.Unknown {
			u.Unknown[n] = at("", i) + "/" + name
		}
		r.form.Merge(at("/", i), &part.form)
		if u.Rollback {
			r.rules.Merge(at("/", i), &part.rules)
		}
		updates[i] = u
	}
	if err := r.form.Err(); err != nil {
		return nil, err
	}
	return updates, r.rules.Err()
}

// err returns the faults of form. Those of the rules are the update's, unless it
// names a version: then there is no app to tell them with.
func (r *reading) err(u *Update) error {
	if err := r.form.Err(); err != nil || !u.Rollback {
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
	u.broken = &r.rules
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
