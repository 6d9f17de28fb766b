package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// command turns a script's command of a user into an event, nil when it is none:
//
//	app id=/web instances=2 ports=8080,0 backoff=1s unreachable=30s,60s min=0.5 over=0 needs=/db health force
//	change app=/web cmd=v2 to=3 restart timeout=10m rollback
//	restart-app app=/web
//	group id=/shop needs=/data base=new|current
//	put apps=/a,/b:2 groups=/g needs… remove=/c remove-groups=/h
//	scale app=/web to=3        delete app=/web force
//	kill /web.1 /web.2 [wipe]  kill-scale /web.1 force
//	review                     look at what there is; any change, and cancel: reviewed, against that;
//	                           kill-scale: kept=N, instances that the review left to each app
//	any change: rehearse, and then rehearsed: on the basis of the last rehearsal; members=/g
//	promote app=/web  promote deployment=d1
//	cancel d1 [force] [timeout=1m]         reset-delay app=/web     enforce-role group=/dev on
func (w *world) userEvent(d *datadriven.TestData) (Event, error) {
	a := args(d)
	switch d.Cmd {
	case "review":
		w.reviewed = w.s.tree.Version
		return Tick{}, nil
	case "app":
		return w.putApp(a), nil
	case "apps":
		return w.putApps(d), nil
	case "scale", "change":
		return w.changeApp(a), nil
	case "restart-app":
		c := w.change(a)
		c.Restart = []spec.PathID{spec.PathID(a["app"])}
		return c, nil
	case "delete":
		c := w.change(a)
		for id := range strings.SplitSeq(a["app"], ",") {
			c.Remove = append(c.Remove, spec.PathID(id))
		}
		return c, nil
	case "group":
		return w.putGroup(a), nil
	case "remove-group":
		c := w.change(a)
		c.RemoveGroups = []spec.PathID{spec.PathID(a["id"])}
		return c, nil
	case "kill", "kill-scale":
		return w.killNamed(d)
	case "cancel":
		w.requests++
		w.plans++
		timeout, _ := time.ParseDuration(cmp.Or(a["timeout"], "0s"))
		return CancelDeployment{
			Reviewed: w.review(a),
			Request:  w.requests, ID: d.CmdArgs[0].Key, DeploymentID: fmt.Sprintf("d%d", w.plans), Force: a["force"] != "",
			Terms: Terms{Timeout: timeout, RollBack: a["rollback"] != ""},
		}, nil
	case "promote":
		w.requests++
		return Promote{Request: w.requests, App: spec.PathID(a["app"]), Deployment: a["deployment"]}, nil
	case "reset-delay":
		w.requests++
		return ResetDelay{Request: w.requests, App: spec.PathID(a["app"])}, nil
	case "enforce-role":
		w.requests++
		return SetEnforceRole{Request: w.requests, Group: spec.PathID(a["group"]), Enforce: a["off"] == "", Reviewed: w.review(a)}, nil
	}
	return nil, nil
}

func (w *world) change(a map[string]string) ChangeTree {
	w.requests++
	w.plans++
	timeout, _ := time.ParseDuration(cmp.Or(a["timeout"], "0s"))
	c := ChangeTree{
		Request: w.requests, DeploymentID: fmt.Sprintf("d%d", w.plans), Force: a["force"] != "",
		Terms:    Terms{Timeout: timeout, RollBack: a["rollback"] != ""},
		Rehearse: a["rehearse"] != "", Members: spec.PathID(a["members"]),
	}
	if a["rehearsed"] != "" {
		c.Basis = w.basis
	}
	c.Reviewed = w.review(a)
	return c
}

// review is what the last review saw, if the command is a reviewed one.
func (w *world) review(a map[string]string) *Reviewed {
	if a["reviewed"] == "" {
		return nil
	}
	r := &Reviewed{Tree: w.reviewed, Kept: map[spec.PathID]int{}}
	for id := range w.s.apps {
		r.Kept[id] = number(a["kept"], -1)
	}
	return r
}

func (w *world) putApp(a map[string]string) Event {
	c := w.change(a)
	put := PutApp{App: newApp(a["id"], a)}
	if a["base"] == "current" {
		put.Base = w.s.apps[put.App.ID].spec.Version
	} else if a["base"] != "" {
		put.Base = 1
	}
	c.Put = []PutApp{put}
	return c
}

// putApps creates several apps, of one instance each unless the command says
// otherwise: "/a" or "/a:/needed,/b".
func (w *world) putApps(d *datadriven.TestData) Event {
	all := args(d)
	c := w.change(all)
	for _, x := range d.CmdArgs {
		if !strings.HasPrefix(x.Key, "/") {
			continue
		}
		id, needs, _ := strings.Cut(x.Key, ":")
		app := newApp(id, map[string]string{"needs": needs, "health": all["health"], "instances": all["instances"]})
		c.Put = append(c.Put, PutApp{App: app})
	}
	return c
}

// changeApp gives an app another number of instances, another command, or both.
func (w *world) changeApp(a map[string]string) Event {
	c := w.change(a)
	for id := range strings.SplitSeq(a["app"], ",") {
		app := *w.s.apps[spec.PathID(id)].spec
		put := PutApp{App: &app, Base: app.Version, Restart: a["restart"] != ""}
		app.Instances = number(a["to"], app.Instances)
		app.Cmd = cmp.Or(a["cmd"], app.Cmd)
		if a["volume"] != "" {
			app.Container = newApp(id, a).Container
		}
		c.Put = append(c.Put, put)
	}
	return c
}

func (w *world) putGroup(a map[string]string) Event {
	c := w.change(a)
	g := &spec.Group{ID: spec.PathID(a["id"])}
	for id := range strings.SplitSeq(a["needs"], ",") {
		if id != "" {
			g.Dependencies = append(g.Dependencies, spec.PathID(id))
		}
	}
	c.Group = g.ID
	c.PutGroups = []PutGroup{{Group: g, Base: w.s.tree.Group(g.ID)}}
	return c
}

// killNamed kills instances by their short names.
func (w *world) killNamed(d *datadriven.TestData) (Event, error) {
	a := args(d)
	var ids []UUID
	for _, x := range d.CmdArgs {
		if !strings.HasPrefix(x.Key, "/") {
			continue
		}
		found := false
		for id, name := range w.names {
			if name == x.Key {
				ids, found = append(ids, id), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no instance was ever called %s", x.Key)
		}
	}
	if d.Cmd == "kill-scale" {
		c := w.change(a)
		c.Kill = ids
		return c, nil
	}
	w.requests++
	return KillInstances{Request: w.requests, Instances: ids, Wipe: a["wipe"] != ""}, nil
}

// stepped answers the question to an app's strategy that is out:
//
//	stepped /web start=2 kill=1 after=10s memory=x
//	stepped /web pause | rollback | fault=out-of-fuel
func (w *world) stepped(d *datadriven.TestData) (Event, error) {
	a := args(d)
	id := spec.PathID(d.CmdArgs[0].Key)
	i := slices.IndexFunc(w.asks, func(ask UpgradeAsk) bool { return ask.App.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("no strategy was asked about %s", id)
	}
	ask := w.asks[i]
	w.asks = slices.Delete(w.asks, i, i+1)
	after, _ := time.ParseDuration(cmp.Or(a["after"], "0s"))
	e := UpgradeStepped{Number: ask.Number, App: id, Fault: a["fault"], Step: sdk.UpgradeStep{
		Start: uint32(number(a["start"], 0)), Kill: uint32(number(a["kill"], 0)), AskAfterMillis: uint64(after.Milliseconds()), Reason: a["reason"],
	}}
	if a["memory"] != "" {
		e.Step.Memory = []byte(a["memory"])
	}
	switch {
	case a["pause"] != "":
		e.Step.Outcome = sdk.Pause
	case a["rollback"] != "":
		e.Step.Outcome = sdk.RollBack
	}
	return e, nil
}

// definitions lists the versions that are kept, of apps and of the tree.
func (w *world) definitionsText() string {
	var b strings.Builder
	ids := make([]spec.PathID, 0, len(w.s.definitions.byApp))
	for id := range w.s.definitions.byApp {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		fmt.Fprintf(&b, "%s", id)
		for _, v := range w.s.definitions.versions(id) {
			fmt.Fprintf(&b, " %s×%d %s", w.namesOf().time(v.Version), v.Instances, v.Cmd)
		}
		b.WriteString("\n")
	}
	snapshot := w.s.Snapshot()
	for _, v := range snapshot.RevisionVersions() {
		tree, _ := snapshot.Revision(v)
		fmt.Fprintf(&b, "tree %s:", w.namesOf().time(v))
		for a := range tree.Apps(spec.Root) {
			fmt.Fprintf(&b, " %s×%d", a.ID, a.Instances)
		}
		for g := range tree.Groups(spec.Root) {
			fmt.Fprintf(&b, " %s/", g.ID)
		}
		b.WriteString("\n")
	}
	for _, e := range w.s.ended.list {
		fmt.Fprintf(&b, "deployment %s %s %s", e.ID, e.Outcome, w.namesOf().time(e.Ended))
		if e.Reason != "" {
			fmt.Fprintf(&b, ": %s", e.Reason)
		}
		b.WriteString("\n")
	}
	return b.String()
}
