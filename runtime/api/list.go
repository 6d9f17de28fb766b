package api

import (
	"bytes"
	"sort"
	"sync"
	"sync/atomic"

	iradix "github.com/hashicorp/go-immutable-radix/v2"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// listCache holds the texts that lists of apps are made of, which clients ask for
// again and again. An app that did not change between two snapshots is the same
// value in both, so its text is taken over: what a list costs is to encode what
// changed, and to write it.
type listCache struct {
	tagger tagger
	latest atomic.Pointer[appList]

	mu      sync.Mutex // held while a list is made
	scratch []byte
}

// appList is the texts of all apps at one snapshot, in the order of their ids. It
// never changes.
type appList struct {
	apps *iradix.Tree[*scheduler.AppView]
	tree spec.Tree
	of   []*appText
	size int // bytes of all texts as /v2/apps has them, without what is between them
	generations
}

// generations tell lists apart by what of them is shown. Each is raised with every
// change of what it stands for.
type generations struct {
	tree        uint64 // the groups, and the version of the whole
	definitions uint64 // what was asked for
	texts       uint64 // what appText has: counts of tasks and deployments too
	views       uint64 // anything that is known of an app
}

// appText is the JSON of one app in parts, since not every list shows them all.
type appText struct {
	view *scheduler.AppView
	// text is "{", the definition, the counts of tasks and the deployments. Nobody
	// may change it.
	text        []byte
	counts      int // where the counts begin
	deployments int // where the deployments begin
}

// of returns the list of what the core shows now.
func (c *listCache) of(core Core) *appList {
	if l := c.latest.Load(); l != nil && l.shows(core.Snapshot()) {
		return l
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	snapshot := core.Snapshot() // not the one from before: no list is older than the last
	l := c.latest.Load()
	if l == nil {
		l = &appList{}
	}
	if !l.shows(snapshot) {
		l = c.build(l, snapshot)
		c.latest.Store(l)
	}
	return l
}

// shows tells whether the list is that of a snapshot.
func (l *appList) shows(s *scheduler.Snapshot) bool { return l.apps == s.Apps && l.tree == s.Tree }

// build makes the list after another one. Both are in the order of the ids, so that
// they are gone through side by side.
func (c *listCache) build(last *appList, snapshot *scheduler.Snapshot) *appList {
	l := &appList{
		apps: snapshot.Apps, tree: snapshot.Tree, generations: last.generations,
		of: make([]*appText, 0, snapshot.Apps.Len()),
	}
	before := last.of
	var changed difference
	for v := range viewsBelow(snapshot, spec.Root) {
		if len(before) > 0 && before[0].view == v {
			l.add(before[0])
			before = before[1:]
			continue
		}
		for len(before) > 0 && before[0].view.App.ID < v.App.ID {
			before, changed = before[1:], everything
		}
		var was *appText
		if len(before) > 0 && before[0].view.App.ID == v.App.ID {
			was, before = before[0], before[1:]
		}
		text := c.encode(v, was)
		changed = max(changed, text.differs(was))
		l.add(text)
	}
	if len(before) > 0 {
		changed = everything
	}
	l.raise(changed, last.tree != l.tree)
	return l
}

func (l *appList) add(t *appText) {
	l.of = append(l.of, t)
	l.size += len(t.text) + len("}")
}

// encode makes the text of an app. was, which may be nil, is what it was before.
func (c *listCache) encode(v *scheduler.AppView, was *appText) *appText {
	t, b := &appText{view: v}, c.scratch[:0]
	if was != nil && was.view.App == v.App {
		b = append(b, was.text[:was.counts]...)
	} else {
		b = v.App.AppendFields(append(b, '{'), true)
	}
	t.counts = len(b)
	b = appendCounts(b, countTasks(v.Instances))
	t.deployments = len(b)
	b = appendDeployments(b, v.Deployments)
	c.scratch = b
	if was != nil && bytes.Equal(b, was.text) {
		t.text = was.text
	} else {
		t.text = bytes.Clone(b)
	}
	return t
}

// difference is how much of two lists differs.
type difference int

const (
	_          difference = iota
	viewsOnly             // nothing that a text shows
	textsOnly             // no definition
	everything            // a definition, or which apps there are
)

// differs compares an app with what it was; nil for an app that was not there.
func (t *appText) differs(was *appText) difference {
	switch {
	case was == nil || !bytes.Equal(t.text[:t.counts], was.text[:was.counts]):
		return everything
	case !bytes.Equal(t.text, was.text):
		return textsOnly
	}
	return viewsOnly
}

// raise notes a change.
func (g *generations) raise(d difference, tree bool) {
	if tree {
		g.tree++
	}
	if d >= viewsOnly {
		g.views++
	}
	if d >= textsOnly {
		g.texts++
	}
	if d >= everything {
		g.definitions++
	}
}

// showing returns the generation of lists with these extras.
func (g *generations) showing(e embeds) uint64 {
	switch {
	case e.tasks || e.lastTaskFailure || e.taskStats:
		return g.views
	case e.counts || e.deployments:
		return g.texts
	}
	return g.definitions
}

// below returns the texts of the apps of a group at any depth.
func (l *appList) below(group spec.PathID) []*appText {
	if group == spec.Root {
		return l.of
	}
	from := l.search(group + "/")
	return l.of[from:max(from, l.search(group+"0"))] // "0" is what follows "/"
}

// search returns the index of the first app whose id is not less.
func (l *appList) search(id spec.PathID) int {
	return sort.Search(len(l.of), func(i int) bool { return l.of[i].view.App.ID >= id })
}

// append appends the app's JSON as appendApp makes it.
func (t *appText) append(b []byte, e embeds) []byte {
	switch {
	case e.counts && e.deployments:
		b = append(b, t.text...)
	case e.counts:
		b = append(b, t.text[:t.deployments]...)
	case e.deployments:
		b = append(append(b, t.text[:t.counts]...), t.text[t.deployments:]...)
	default:
		b = append(b, t.text[:t.counts]...)
	}
	return append(appendExtras(b, t.view, e), '}')
}

// definitionOnly is the text of an app of which nothing else is known.
func definitionOnly(app *spec.App) *appText {
	text := app.AppendFields([]byte{'{'}, true)
	return &appText{view: &scheduler.AppView{App: app}, text: text, counts: len(text), deployments: len(text)}
}
