package api

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"sync"

	iradix "github.com/hashicorp/go-immutable-radix/v2"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// listCache holds the encoded list of all apps, which clients ask for again and
// again. An app that did not change between two snapshots is the same value in
// both, so its text is taken over.
type listCache struct {
	boot string // tells the tags of two processes apart

	mu         sync.Mutex
	of         *iradix.Tree[*scheduler.AppView]
	fragments  map[*scheduler.AppView][]byte
	body       []byte
	generation uint64
}

// bootID differs from process to process: generations begin at 1 in each.
func bootID() string { return rand.Text()[:8] }

// serve answers the list, or that it is the one the client has already.
func (c *listCache) serve(w http.ResponseWriter, r *http.Request, snapshot *scheduler.Snapshot) {
	body, tag := c.list(snapshot)
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeBytes(w, http.StatusOK, body)
}

// list returns the list's text, which must not be changed, and its tag.
func (c *listCache) list(snapshot *scheduler.Snapshot) ([]byte, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of != snapshot.Apps {
		c.build(snapshot)
	}
	return c.body, `"` + c.boot + "-" + strconv.FormatUint(c.generation, 10) + `"`
}

// build encodes what changed. Texts of values that are gone are dropped.
func (c *listCache) build(snapshot *scheduler.Snapshot) {
	fragments := make(map[*scheduler.AppView][]byte, snapshot.Apps.Len())
	body := make([]byte, 0, len(c.body)+1024)
	body = append(body, `{"apps":[`...)
	e := embeds{counts: true, deployments: true}
	for v := range viewsBelow(snapshot, spec.Root) {
		text, ok := c.fragments[v]
		if !ok {
			text = appendApp(nil, v, e)
		}
		if len(fragments) > 0 {
			body = append(body, ',')
		}
		fragments[v] = text
		body = append(body, text...)
	}
	c.of, c.fragments, c.body = snapshot.Apps, fragments, append(body, "]}"...)
	c.generation++
}
