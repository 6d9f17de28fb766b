package deployment

import (
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/spec"
)

// CycleError refuses a tree in which apps depend on each other in a ring.
type CycleError struct{ Ring []spec.PathID } // the first app is the last one again

// Error returns the text of the API.
func (*CycleError) Error() string { return "Dependency graph has cyclic dependencies." }

// Names returns the ring for people: "/a → /b → /a".
func (e *CycleError) Names() string {
	names := make([]string, len(e.Ring))
	for i, id := range e.Ring {
		names[i] = string(id)
	}
	return strings.Join(names, " → ")
}

// graph is the dependencies among the apps of one tree. An app depends on the
// apps that it names, on all below the groups that it names, and on all below the
// groups that the groups around it name. Names that stand for nothing are ignored.
//
// Only what can be reached from the apps that are asked for is looked at, so that
// a change of one app among many costs what that app depends on.
type graph struct {
	tree   spec.Tree
	layers map[node]int // of finished nodes
	path   []node       // of the walk under way
	onPath map[node]bool
}

// node is an app, or all apps below a group: the group stands for them, so that
// two large groups are joined by one edge and not by one for each pair.
type node struct {
	id    spec.PathID
	group bool
}

func newGraph(tree spec.Tree) *graph {
	return &graph{tree: tree, layers: map[node]int{}, onPath: map[node]bool{}}
}

// layer returns the number of apps on the longest way of dependencies that begins
// at the app: 1 when it depends on nothing. The error is a *CycleError.
func (g *graph) layer(id spec.PathID) (int, error) { return g.walk(node{id: id}) }

func (g *graph) walk(n node) (int, error) {
	if layer, ok := g.layers[n]; ok {
		return layer, nil
	}
	if g.onPath[n] {
		return 0, &CycleError{Ring: g.ring(n)}
	}
	g.onPath[n] = true
	g.path = append(g.path, n)
	deepest := 0
	for _, next := range g.edges(n) {
		layer, err := g.walk(next)
		if err != nil {
			return 0, err
		}
		deepest = max(deepest, layer)
	}
	delete(g.onPath, n)
	g.path = g.path[:len(g.path)-1]
	if !n.group {
		deepest++
	}
	g.layers[n] = deepest
	return deepest, nil
}

// edges returns what a node depends on; a group, on all apps below it.
func (g *graph) edges(n node) []node {
	var out []node
	if n.group {
		for a := range g.tree.Apps(n.id) {
			out = append(out, node{id: a.ID})
		}
		return out
	}
	for _, id := range g.tree.App(n.id).Dependencies {
		switch {
		case g.tree.App(id) != nil:
			out = append(out, node{id: id})
		case g.tree.Group(id) != nil:
			out = append(out, node{id: id, group: true})
		}
	}
	for id := n.id.Parent(); ; id = id.Parent() {
		if around := g.tree.Group(id); around != nil {
			for _, dependency := range around.Dependencies {
				if g.tree.Group(dependency) != nil {
					out = append(out, node{id: dependency, group: true})
				}
			}
		}
		if id == spec.Root {
			return out
		}
	}
}

// ring returns the apps between the node and its return on the path.
func (g *graph) ring(n node) []spec.PathID {
	var ids []spec.PathID
	for _, on := range g.path[slices.Index(g.path, n):] {
		if !on.group {
			ids = append(ids, on.id)
		}
	}
	if len(ids) == 0 {
		return []spec.PathID{n.id}
	}
	return append(ids, ids[0])
}
