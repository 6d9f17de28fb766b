package api

import (
	"crypto/rand"
	"hash/maphash"
	"net/http"
	"strconv"
	"strings"
)

// tagger makes the tags of answers: the same tag, of the same process, stands for
// the same bytes. Where an answer goes out in another form, compressed for one,
// whoever does that has to make the tag a weak one.
type tagger struct {
	boot string // tells the tags of two processes apart: generations begin anew in each
	seed maphash.Seed
}

func newTagger() tagger { return tagger{boot: rand.Text()[:8], seed: maphash.MakeSeed()} }

// tag returns the tag of the answer to a URL. kind and name are what of its path
// tells the answer; the generations are those of all that it depends on.
func (t tagger) tag(kind, name string, r *http.Request, generations ...uint64) string {
	b := make([]byte, 0, 64)
	b = append(append(b, '"'), t.boot...)
	b = append(append(b, '-'), kind...)
	for _, g := range generations {
		b = strconv.AppendUint(append(b, '.'), g, 36)
	}
	if r.URL.RawQuery != "" || name != "" {
		b = strconv.AppendUint(append(b, '.'), maphash.String(t.seed, name+"?"+r.URL.RawQuery), 36)
	}
	return string(append(b, '"'))
}

// unchanged gives the answer a tag, and answers at once when the client has named
// it as one that it has.
func unchanged(w http.ResponseWriter, r *http.Request, tag string) bool {
	w.Header().Set("ETag", tag)
	known := r.Header.Values("If-None-Match")
	if len(known) == 0 || !named(strings.Join(known, ","), tag) {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

// named tells whether a list of tags has one. That of a compressed answer is weak
// and stands for the same.
func named(list, tag string) bool {
	if list == tag { // as nearly all send it
		return true
	}
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		if item == "*" || strings.TrimPrefix(item, "W/") == tag {
			return true
		}
	}
	return false
}
