package spec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// appID reads an id. One that is badly written is a fault of form, one that no
// app may have a fault of the rules.
func (o *object) appID(name string) *PathID {
	s := o.text(name, 1)
	if s == nil {
		return nil
	}
	id, err := ParsePathID(*s, o.base)
	if err != nil {
		o.form.Add(o.path+"/"+name, pathKey(err))
		return nil
	}
	if message := id.appFault(); o.hasID {
		return &id
	} else if message == messageNotRoot {
		o.rules.Add(orRoot(o.path), message)
	} else if message != "" {
		o.rules.Add(o.path+"/"+name, message)
	}
	return &id
}

// paths reads an array of paths as a set.
func (o *object) paths(name string) *[]PathID {
	items, path, ok := o.list(name)
	if !ok {
		return nil
	}
	var list []PathID
	for i, text := range *o.checkTexts(path, items) {
		if _, isText := items[i].(string); !isText {
			continue
		}
		id, err := ParsePathID(text, o.base)
		switch {
		case text == "":
			o.form.Add(at(path, i), keyMinLen)
		case err != nil:
			o.form.Add(at(path, i), pathKey(err))
		case id.appFault() == messageReserved:
			o.rules.Add(at(path, i), messageReserved)
		}
		list = append(list, id)
	}
	return new(unique(list))
}

func (u *Update) readCommand(o *object) {
	u.Cmd = o.text("cmd", 1)
	u.Args = o.texts("args")
	u.User = o.text("user", 0)
	u.readEnv(o)
	u.readSecrets(o)
	u.Labels = o.textMap("labels", nil)
	u.Executor = o.matching("executor", executorName)
	u.TTY = o.boolean("tty")
}

// readEnv tells values and references to secrets apart.
func (u *Update) readEnv(o *object) {
	secrets := map[string]string{}
	u.Env = o.textMap("env", func(path string, value any) bool {
		if _, ok := value.(map[string]any); !ok {
			return false
		}
		reference := o.object(path, value)
		if name := reference.simple("secret"); name != nil {
			secrets[strings.TrimPrefix(path, o.path+"/env/")] = *name
		}
		reference.finish()
		return true
	})
	if u.Env == nil {
		return
	}
	for name := range secrets {
		delete(*u.Env, name)
	}
	if len(*u.Env) == 0 {
		*u.Env = nil
	}
	if len(secrets) == 0 {
		secrets = nil
	}
	u.EnvSecrets = &secrets
}

// simple reads a string that has to be there, in a type whose absence the API
// tells in other words than that of fields elsewhere.
func (o *object) simple(name string) *string {
	if _, path, ok := o.take(name); !ok && o.fields != nil {
		o.form.Add(path, keyMissing)
	}
	return o.text(name, 0)
}

func (u *Update) readSecrets(o *object) {
	value, path, ok := o.take("secrets")
	if !ok {
		return
	}
	all := o.object(path, value)
	var secrets map[string]string
	if len(all.fields) > 0 {
		secrets = make(map[string]string, len(all.fields))
	}
	for i, name := range sortedKeys(all.fields) {
		if o.hasNUL(name) {
			o.rules.Add(at(path+"/keys", i), messageNUL)
		}
		secret := o.object(path+"/"+name, all.fields[name])
		secret.need("source")
		secrets[name] = orElse(secret.text("source", 1), "")
		secret.finish()
	}
	u.Secrets = &secrets
}

// executorName tells whether s is "//cmd", a path, or nothing at all.
func executorName(s string) bool {
	if s == "" || s == "//cmd" {
		return true
	}
	return !slices.Contains(strings.Split(strings.TrimPrefix(s, "/"), "/"), "")
}

func (u *Update) readPlacement(o *object) {
	u.Constraints = o.constraints("constraints")
	u.Dependencies = o.paths("dependencies")
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
	o.inner("residency", func(r *object) {
		u.Residency = &Residency{
			RelaunchEscalationTimeoutSeconds: int64(orElse(r.integer("relaunchEscalationTimeoutSeconds", math.MaxInt32), 3600)),
			TaskLostBehavior:                 orElse(r.enum("taskLostBehavior", "WAIT_FOREVER", "RELAUNCH_AFTER_TIMEOUT"), "WAIT_FOREVER"),
		}
	})
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
			list = append(list, placeOf(i))
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

// placeOf keeps the place of a constraint that is none, so that those after it are
// told by theirs. Without a field nothing else takes it for one.
func placeOf(i int) Constraint { return Constraint{Value: strconv.Itoa(i)} }

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

// uniqueFunc is unique for items that are the same when their encodings are.
func uniqueFunc[T any](items []T, encode func([]byte, *T) []byte) []T {
	var kept []T
	seen := make(map[string]bool, len(items))
	for i := range items {
		key := string(encode(nil, &items[i]))
		if !seen[key] {
			kept = append(kept, items[i])
		}
		seen[key] = true
	}
	return kept
}

// orElse returns the value, or the fallback when there is none.
func orElse[T any](value *T, fallback T) T {
	if value == nil {
		return fallback
	}
	return *value
}
